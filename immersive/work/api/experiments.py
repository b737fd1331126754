"""Experiments over HTTP: those that the caller may read, beginning one, saying what came of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from experts import notices
from immersive.work.api.common import Pages, answered
from immersive.work.api.told import GONE, OWN, PLAIN, READABLE, ToldAddress, ToldIn, ToldShort, ToldWhole, to_of
from immersive.work.lessons import experiments
from immersive.work.lessons.experiments import LONGEST, LONGEST_FOUND, Tried
from immersive.work.lessons.rows import Experiment
from knowledge.index.analysis import topic_key


class ExperimentIn(ToldIn):
    """The whole of an experiment before it begins; what would count is said in all but a draft."""

    hypothesis = serializers.CharField(max_length=LONGEST)
    counts = serializers.CharField(max_length=LONGEST, allow_blank=True, default="")
    by = serializers.DateField(allow_null=True, default=None, help_text="Four weeks from now where nothing is said.")


class ResultIn(serializers.Serializer[Any]):
    """What came of it: one that failed is a result."""

    result = serializers.ChoiceField(choices=Experiment.Result.choices)
    found = serializers.CharField(max_length=LONGEST_FOUND, allow_blank=True, default="")
    plain = PLAIN


class ExperimentShort(ToldShort):
    """What a list shows of an experiment."""

    by = serializers.DateField()
    result = serializers.ChoiceField(choices=Experiment.Result.choices, allow_blank=True)


class ExperimentOut(ToldWhole, ExperimentShort):
    """An experiment whole."""

    hypothesis = serializers.CharField()
    counts = serializers.CharField(allow_blank=True)
    found = serializers.CharField(allow_blank=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class ExperimentsAsked(serializers.Serializer[Any]):
    """Which experiments: told ones, or all of the caller's own."""

    mine = serializers.BooleanField(default=False)
    state = serializers.ChoiceField(choices=["running", "done"], allow_blank=True, default="")
    topic = serializers.CharField(max_length=80, allow_blank=True, default="")


class ExperimentAddress(ToldAddress):
    """What the addresses of experiments share."""

    kind, whole = Experiment, ExperimentOut

    def written(self, experiment: UUID | None = None) -> UUID:
        """What the request says, kept or told as far as it says; where that is refused, nothing is changed."""
        values = self.said(ExperimentIn)
        to, tried = to_of(values), Tried(**values)
        with answered("hypothesis", add_topic="topics"):
            return experiments.plan(author=self.author, tried=tried, to=to, experiment=experiment).public_id


class Experiments(ExperimentAddress, ListAPIView[Any]):
    """Experiments that the caller may read."""

    serializer_class = ExperimentShort
    pagination_class = Pages

    def get_queryset(self) -> Any:
        """The latest first."""
        asked = self.asked(ExperimentsAsked)
        return experiments.listed(self.viewer, **{**asked, "topic": topic_key(asked["topic"])})

    @extend_schema(
        operation_id="experiments_list",
        summary="Experiments that I may read, the latest first",
        parameters=[ExperimentsAsked],
    )
    def get(self, request: Request, *args: Any, **options: Any) -> Response:
        """Told ones, or with ``mine`` all of one's own."""
        return super().get(request, *args, **options)

    @extend_schema(
        operation_id="experiments_begin",
        summary="Begin an experiment, and let it be read as far as I say",
        request=ExperimentIn,
        responses={201: ExperimentOut},
    )
    def post(self, request: Request) -> Response:
        """A draft, mine alone, or told."""
        return self.shown(self.written(), status.HTTP_201_CREATED)


class ExperimentView(ExperimentAddress):
    """One experiment."""

    @extend_schema(
        operation_id="experiments_read", summary="One experiment", description=READABLE, responses=ExperimentOut
    )
    def get(self, request: Request, experiment_id: UUID) -> Response:
        """The whole of it; the news of it is seen by that."""
        answer = self.shown(experiment_id)
        notices.see(viewer=self.viewer, subjects=[experiment_id])
        return answer

    @extend_schema(
        operation_id="experiments_change",
        summary="Write an experiment of mine anew, and let it be read as far as I say",
        description=f"{OWN} All of it, as for a new one. What was supposed stays as it was said, once it has a result.",
        request=ExperimentIn,
        responses=ExperimentOut,
    )
    def put(self, request: Request, experiment_id: UUID) -> Response:
        """Where it is refused, what stood there stays."""
        self.mine(experiment_id)
        return self.shown(self.written(experiment_id))

    @extend_schema(
        operation_id="experiments_delete",
        summary="Delete an experiment of mine",
        description=OWN,
        responses={204: GONE},
    )
    def delete(self, request: Request, experiment_id: UUID) -> Response:
        """Delete it, everywhere."""
        return self.deleted(experiment_id)


class ResultView(ExperimentAddress):
    """What came of an experiment."""

    @extend_schema(
        operation_id="experiments_conclude",
        summary="Say what came of an experiment of mine",
        description=f"{OWN} Said again, it replaces what was said.",
        request=ResultIn,
        responses=ExperimentOut,
    )
    def put(self, request: Request, experiment_id: UUID) -> Response:
        """Whoever reads the experiment reads it."""
        self.mine(experiment_id)
        values = self.said(ResultIn)
        with answered("found"):
            experiments.conclude(author=self.author, experiment=experiment_id, **values)
        return self.shown(experiment_id)


class ExperimentBackView(ExperimentAddress):
    """Taking an experiment back."""

    @extend_schema(
        operation_id="experiments_withdraw",
        summary="Take an experiment of mine back",
        description=f"{OWN} It is a draft again, and nobody else reads it from now on.",
        request=None,
        responses=ExperimentOut,
    )
    def post(self, request: Request, experiment_id: UUID) -> Response:
        """Take it back; twice does no harm."""
        return self.taken_back(experiment_id)
