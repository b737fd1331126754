"""What pages of lessons and of experiments share: what became of what was typed, taking back, moderating."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from experts import notices
from experts.asking.moderation import MODERATE
from experts.models import Person, Team
from experts.views.ask_forms import refuse
from immersive.work.lessons import told
from immersive.work.lessons.names import Found
from immersive.work.lessons.rows import Reach, Told
from immersive.work.views import page_of, private
from knowledge.access import Viewer
from knowledge.ingest import storable
from knowledge.models import LESSONS, Resource
from knowledge.standing import said_by

LISTS = {"lesson": "lessons:list", "experiment": "lessons:experiments"}


def teams(viewer: Viewer) -> list[Team]:
    """The teams that the viewer may tell something."""
    return list(Team.objects.of(viewer))


def asked_of(request: HttpRequest, *names: str) -> tuple[dict[str, str], str]:
    """What an address asks of a list, by these names, and the same as an address keeps it."""
    asked = {name: storable(request.GET.get(name, "")) for name in names}
    kept = QueryDict(mutable=True)
    kept.update({name: value for name, value in asked.items() if value})
    return asked, kept.urlencode()


# Writing ----------------------------------------------------------------------------------------------------------


@dataclass
class Written:
    """What was posted, and what became of it: ``kept``, or a form that comes back whole, with who is named in it."""

    posted: QueryDict
    form: forms.Form
    kept: Told | None = None
    status: int = 200
    named: list[tuple[str, str, Found]] = field(default_factory=list)

    @property
    def context(self) -> dict[str, Any]:
        """What a page shows of it."""
        refused = self.status == 422 and bool(self.form.errors)
        return {"form": self.form, "refused": refused, "named": self.named, "plain": self.posted.getlist("plain")}


def written(request: HttpRequest, make: Callable[..., Any], keep: Callable[[Any, QueryDict], Told | None]) -> Written:
    """Try to ``keep`` what was posted; looked up or reworded only, the form comes back with nothing refused.

    ``make``: the form, of ``data`` or with ``initial``. Reworded: the part of somebody stands in place of their name.
    """
    posted = request.POST.copy()
    part, _, name = posted.get("instead", "").partition(":")
    if any(part in kind.WORDS for kind in told.KINDS):
        posted[part] = told.without(posted.get(part, ""), name, Viewer.of(request.user))
    if "instead" in posted or posted.get("do") == "find":
        return Written(posted, make(initial=posted.dict()))
    done = Written(posted, make(data=posted), status=422)
    try:
        done.kept = keep(done.form, posted)
    except ValidationError as problem:
        done.form.is_valid()  # what else does not fit is said beside it
        refuse(done.form, problem)
    except told.SomebodyIsNamed as problem:
        once = {(part, one.text): one for part, those in problem.found.items() for one in reversed(those)}
        labels = {name: field.label for name, field in done.form.fields.items()}
        done.named = [(part, str(labels.get(part, "What was found")), one) for (part, _), one in once.items()]
    return done


def went(request: HttpRequest, one: Told) -> HttpResponse:
    """On to what was kept, with who reads it now."""
    messages.success(request, _whom(one))
    return redirect(one)


def _whom(one: Told) -> str:
    if one.reach == Reach.DRAFT:
        return "Kept as a draft. Only you can read it."
    if one.hidden_at or not one.shared:
        return "Kept. Only you can read it."
    whom = one.team.name if one.team else "Everyone here"
    return f"{whom} can read it now, and finds it within a minute. You can take it back whenever you want."


# One of them ------------------------------------------------------------------------------------------------------


def shown(request: HttpRequest, one: Told, viewer: Viewer) -> dict[str, Any]:
    """What the page of one shows, of whatever kind; whoever looks has seen what they were told of it."""
    notices.see(viewer=viewer, subjects=[one.public_id])
    by, person = told.signed(one, viewer)
    mine = one.author_id == viewer.person_id
    row = Resource.objects.visible_to(viewer).filter(source__kind=LESSONS, key=one.public_id.hex).first()
    return {
        "one": one,
        "what": one._meta.model_name,
        "mine": mine,
        "by": by,
        "person": person,
        "moderates": not mine and cast(Person, request.user).has_perm(MODERATE),
        "resource": row,
        "helped": said_by(viewer.person_id, row) if row and not mine else None,
    }


@private
@require_POST
def withdraw(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take one's own back."""
    found = told.withdraw(author=cast(Person, request.user), told=public_id)
    messages.success(request, "Taken back. It is a draft again, and nobody else can read it.")
    return redirect(found)


@private
@require_POST
def delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Delete one's own."""
    gone = told.delete(author=cast(Person, request.user), told=public_id)
    messages.success(request, "Deleted. Nothing of it is kept.")
    return redirect(LISTS[str(gone._meta.model_name)])


# Moderation -------------------------------------------------------------------------------------------------------


@private
@require_safe
def taken_away(request: HttpRequest) -> HttpResponse:
    """What moderators took away and I, who am one, could give back."""
    if not cast(Person, request.user).has_perm(MODERATE):
        raise PermissionDenied
    return _taken_away(request)


def _taken_away(request: HttpRequest, status: int = 200, **refused: Any) -> HttpResponse:
    context = {"page": page_of(request, told.taken_away(Viewer.of(request.user))), **refused}
    return render(request, "work/lessons/taken_away.html", context, status=status)


@private
@require_POST
def moderate(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take a lesson or an experiment of somebody else away, or give it back, with a reason."""
    away, reason = request.POST.get("do") != "give-back", request.POST.get("reason", "")
    try:
        told.moderate(person=cast(Person, request.user), told=public_id, reason=reason, away=away)
    except ValidationError as problem:
        viewer, refused = Viewer.of(request.user), " ".join(problem.messages)
        stands = told.one_or_404(public_id, lambda rows: rows.visible_to(viewer)) if away else None
        return _taken_away(request, status=422, refused=refused, reason=reason, of=public_id, stands=stands)
    messages.success(request, "Taken away. Its author reads why." if away else "Given back. Its author reads why.")
    return redirect("lessons:taken-away")
