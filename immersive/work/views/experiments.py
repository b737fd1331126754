"""Pages of experiments: those that one may read, beginning one, saying what came of it."""

from __future__ import annotations

from functools import partial
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.formats import date_format
from django.views.decorators.http import require_http_methods, require_safe

from experts.models import Person
from immersive.work.lessons import experiments, told
from immersive.work.lessons.forms import ExperimentForm, ResultForm, plain
from immersive.work.lessons.rows import Experiment
from immersive.work.views import page_of, private
from immersive.work.views.told import asked_of, shown, teams, went, written
from knowledge.access import Viewer


@private
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Experiments that I may read (``mine``: my own, drafts too), narrowed by ``state`` and ``topic``."""
    asked, kept = asked_of(request, "state", "topic", "mine")
    rows = experiments.listed(
        Viewer.of(request.user), state=asked["state"], topic=asked["topic"], mine=bool(asked["mine"])
    )
    context = {"page": page_of(request, rows), "asked": asked, "query_string": kept}
    return render(request, "work/lessons/experiments.html", context)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Begin one."""
    if request.method == "POST":
        return _written(request)
    return _form(request, form=ExperimentForm(teams=teams(Viewer.of(request.user))))


@private
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Change one's own."""
    viewer = Viewer.of(request.user)
    one = told.mine_or_404(Experiment, public_id, viewer)
    if request.method == "POST":
        return _written(request, one)
    return _form(request, form=ExperimentForm.of(one, teams(viewer)), topics=told.topic_names(one, viewer), one=one)


def _written(request: HttpRequest, one: Experiment | None = None) -> HttpResponse:
    """What was posted: kept and told, or reworded."""
    key, author = one.public_id if one else None, cast(Person, request.user)

    def keep(form: ExperimentForm, posted: QueryDict) -> Experiment | None:
        if not form.is_valid():
            return None
        return experiments.plan(author=author, tried=form.tried(posted), to=form.told(posted), experiment=key)

    done = written(request, partial(ExperimentForm, teams=teams(Viewer.of(author))), keep)
    if done.kept:
        return went(request, done.kept)
    return _form(request, done.status, one=one, topics=done.posted.getlist("topic"), **done.context)


def _form(request: HttpRequest, status: int = 200, **context: Any) -> HttpResponse:
    return render(request, "work/lessons/experiment_write.html", {"what": "experiment", **context}, status=status)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def experiment(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One experiment; by POST, its author says what came of it, or lets it run on."""
    viewer = Viewer.of(request.user)
    if request.POST.get("do") == "run-on":
        return _runs_on(request, public_id, viewer)
    if request.method == "POST":
        return _concluded(request, told.mine_or_404(Experiment, public_id, viewer), viewer)
    one = told.told_or_404(Experiment, public_id, viewer)
    return _show(request, one, viewer, form=ResultForm(initial={"result": one.result, "found": one.found}))


def _runs_on(request: HttpRequest, public_id: UUID, viewer: Viewer) -> HttpResponse:
    """Another week; what was typed of a result meanwhile still stands there."""
    one = experiments.run_on(author=cast(Person, request.user), experiment=public_id)
    messages.success(request, f"It runs until {date_format(one.by, 'j F Y')}. You are asked then.")
    form = ResultForm(initial=request.POST.dict())
    return _show(request, told.told_or_404(Experiment, public_id, viewer), viewer, form=form)


def _concluded(request: HttpRequest, one: Experiment, viewer: Viewer) -> HttpResponse:
    """What its author says came of it: kept, or reworded."""
    author = cast(Person, request.user)

    def keep(form: ResultForm, posted: QueryDict) -> Experiment | None:
        if not form.is_valid():
            return None
        said = {"experiment": one.public_id, "plain": plain(posted), **form.cleaned_data}
        return experiments.conclude(author=author, **said)

    done = written(request, ResultForm, keep)
    if done.kept:
        return went(request, done.kept)
    again = told.told_or_404(Experiment, one.public_id, viewer)
    return _show(request, again, viewer, done.status, opened=True, **done.context)


def _show(request: HttpRequest, one: Experiment, viewer: Viewer, status: int = 200, **more: Any) -> HttpResponse:
    context = {**shown(request, one, viewer), **more}
    return render(request, "work/lessons/experiment.html", context, status=status)
