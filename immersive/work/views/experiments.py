"""Pages of experiments: those that one may read, beginning one, saying what came of it, taking it back."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from experts import notices
from experts.asking.moderation import MODERATE
from experts.models import Person, Team
from experts.views.ask_forms import refuse
from immersive.work.lessons import experiments, telling
from immersive.work.lessons.experiment_forms import ExperimentForm, ResultForm, as_typed
from immersive.work.lessons.rows import Experiment, Reach
from immersive.work.lessons.telling import SomebodyIsNamed
from immersive.work.views import private
from knowledge import topics
from knowledge.access import Viewer
from knowledge.ingest import storable

A_PAGE = 20


@private
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Experiments that I may read (``mine``: my own, drafts too), narrowed by ``state`` and ``topic``."""
    asked = {name: storable(request.GET.get(name, "")) for name in ("state", "topic", "mine")}
    moderates = cast(Person, request.user).has_perm(MODERATE)
    if asked["state"] == "away" and not moderates:
        raise PermissionDenied
    rows = experiments.listed(
        Viewer.of(request.user), state=asked["state"], topic=asked["topic"], mine=bool(asked["mine"])
    )
    page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    kept = QueryDict(mutable=True)
    kept.update({name: value for name, value in asked.items() if value})
    context = {"page": page, "asked": asked, "query_string": kept.urlencode(), "moderates": moderates}
    return render(request, "work/lessons/experiments.html", context)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Begin one."""
    if request.method == "POST":
        return _written(request)
    return _form(request, ExperimentForm(teams=_teams(request)))


@private
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Change one's own."""
    viewer = Viewer.of(request.user)
    one = experiments.mine_or_404(public_id, viewer)
    if request.method == "POST":
        return _written(request, one)
    form = ExperimentForm(initial=as_typed(one), teams=_teams(request))
    known = topics.of(viewer).filter(pk__in=one.topics.values("pk")).order_by("name")
    return _form(request, form, one, [topic.name for topic in known])


def _written(request: HttpRequest, one: Experiment | None = None) -> HttpResponse:
    """What was posted: kept and told; reworded where somebody was named; refused, it comes back whole."""
    posted = reworded(request, ("hypothesis", "counts"))
    form = ExperimentForm(posted, teams=_teams(request))
    named: list[Any] = []
    checked = form.is_valid()
    try:
        if checked and not posted.get("instead"):
            tried, to, key = form.tried(posted), form.told(posted), one.public_id if one else None
            kept = experiments.plan(author=request.user, tried=tried, to=to, experiment=key)
            messages.success(request, _told(kept))
            return redirect(kept)
    except ValidationError as problem:
        refuse(form, problem)
    except SomebodyIsNamed as problem:
        named = shown_names(problem, form)
    status = 200 if posted.get("instead") and not form.errors else 422
    return _form(request, form, one, posted.getlist("topic"), named, posted.getlist("plain"), status)


def _form(
    request: HttpRequest, form: ExperimentForm, one: Experiment | None = None, topics: Any = (), named: Any = (),
    plain: Any = (), status: int = 200,
) -> HttpResponse:  # fmt: skip
    context = {"form": form, "experiment": one, "topics": topics, "named": named, "plain": plain}
    return render(request, "work/lessons/experiment_write.html", context, status=status)


def reworded(request: HttpRequest, fields: tuple[str, ...]) -> QueryDict:
    """What was posted, with the part of somebody in place of their name where that was chosen."""
    posted = request.POST.copy()
    field, _, name = posted.get("instead", "").partition(":")
    if field in fields:
        posted[field] = telling.without(posted.get(field, ""), name, Viewer.of(request.user))
    return posted


def shown_names(problem: SomebodyIsNamed, form: Any) -> list[tuple[str, str, Any]]:
    """Each name once for each field that it stands in, with what the field is called."""
    once = {(part, one.text): one for part, those in problem.found.items() for one in reversed(those)}
    labels = {name: field.label for name, field in form.fields.items()}
    return [(part, labels.get(part, "What was found"), one) for (part, _), one in once.items()]


def _told(one: Experiment) -> str:
    whom = {Reach.DRAFT: "Kept as a draft. Only you can read it.", Reach.ME: "Kept. Only you can read it."}
    told = one.team.name if one.team else "Everyone here"
    return whom.get(Reach(one.reach)) or f"{told} can read it now. You can take it back whenever you want."


def _teams(request: HttpRequest) -> list[Team]:
    return list(Team.objects.of(Viewer.of(request.user)))


# One experiment ---------------------------------------------------------------------------------------------------


@private
@require_http_methods(["GET", "HEAD", "POST"])
def experiment(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One experiment; by POST, its author says what came of it."""
    viewer = Viewer.of(request.user)
    if request.method == "POST":
        return _concluded(request, experiments.mine_or_404(public_id, viewer), viewer)
    one = experiments.experiment_or_404(public_id, viewer)
    notices.see(viewer=viewer, subjects=[one.public_id])
    return _show(request, one, viewer, ResultForm(initial={"result": one.result, "found": one.found}))


def _concluded(request: HttpRequest, one: Experiment, viewer: Viewer) -> HttpResponse:
    posted = reworded(request, ("found",))
    form = ResultForm(posted)
    named: list[Any] = []
    checked = form.is_valid()
    try:
        if checked and not posted.get("instead"):
            said, plain = form.cleaned_data, frozenset(posted.getlist("plain")[:30])
            experiments.conclude(author=request.user, experiment=one.public_id, plain=plain, **said)
            messages.success(request, "Kept. Whatever came of it, it is known now.")
            return redirect(one)
    except ValidationError as problem:
        refuse(form, problem)
    except SomebodyIsNamed as problem:
        named = shown_names(problem, form)
    again = experiments.experiment_or_404(one.public_id, viewer)
    status = 200 if posted.get("instead") and not form.errors else 422
    return _show(request, again, viewer, form, status, named=named, plain=posted.getlist("plain"), opened=True)


def _show(
    request: HttpRequest, one: Experiment, viewer: Viewer, form: ResultForm, status: int = 200, **more: Any
) -> HttpResponse:
    by, person = telling.signed(cast(Any, one), viewer)
    mine = one.author_id == viewer.person_id
    moderates = not mine and cast(Person, request.user).has_perm(MODERATE)
    context = {
        "experiment": one,
        "mine": mine,
        "by": by,
        "person": person,
        "form": form,
        "moderates": moderates,
        **more,
    }
    return render(request, "work/lessons/experiment.html", context, status=status)


@private
@require_POST
def withdraw(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take one's own back."""
    experiments.withdraw(author=cast(Person, request.user), experiment=public_id)
    messages.success(request, "Taken back. It is a draft again, and nobody else can read it.")
    return redirect("lessons:experiment", public_id)


@private
@require_POST
def delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Delete one's own."""
    experiments.delete(author=cast(Person, request.user), experiment=public_id)
    messages.success(request, "Deleted. Nothing of it is kept.")
    return redirect("lessons:experiments")


@private
@require_POST
def moderate(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take an experiment of somebody else away, or give it back, with a reason."""
    away = request.POST.get("do") != "give-back"
    reason = request.POST.get("reason", "")
    try:
        experiments.moderate(person=cast(Person, request.user), experiment=public_id, reason=reason, away=away)
        messages.success(request, f"{'Taken away' if away else 'Given back'}. Its author reads why.")
    except ValidationError as problem:
        messages.error(request, f"Not done. {' '.join(problem.messages)}")
    return redirect(f"{reverse('lessons:experiments')}?state=away")
