"""The card and the plan over HTTP: the six routes of a task, weighed, and those that its owner chose."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from immersive.work import advice, plan
from immersive.work.actions import AssessFirst
from immersive.work.advice import Shown
from immersive.work.api.common import ONE_TASK, SURE_FIRST, OneTask, answered
from immersive.work.models import ROUTES
from immersive.work.routes import Row
from immersive.work.weighing import weighing


class LeanIn(serializers.Serializer[Any]):
    """What matters more: 0 to deliver, 4 to learn; as the task has it where nothing is said."""

    lean = serializers.IntegerField(min_value=0, max_value=4, required=False)


class ReasonOut(serializers.Serializer[Any]):
    """One thing that speaks for a route, and where it can be opened."""

    text = serializers.CharField()
    url = serializers.CharField(allow_blank=True)


class WeighedOut(serializers.Serializer[Any]):
    """One figure, and where it comes from."""

    name = serializers.CharField()
    figure = serializers.CharField()
    basis = serializers.CharField(source="source")


class RouteOut(serializers.Serializer[Any]):
    """One route: ``done_by`` and ``chance`` are the usual, then the two ends of what holds 80 % of cases."""

    route = serializers.ChoiceField(choices=ROUTES)
    key = serializers.CharField(allow_blank=True, help_text="Of the resource or person, for the plan.")
    title = serializers.CharField()
    url = serializers.CharField(allow_blank=True)
    done_by = serializers.ListField(child=serializers.DateTimeField(), min_length=3, max_length=3)
    chance = serializers.ListField(child=serializers.FloatField(), min_length=3, max_length=3)
    outcomes = serializers.IntegerField(help_text="Logged outcomes that the chance rests on; 0: our starting guess.")
    learns = serializers.IntegerField(min_value=0, max_value=3)
    others_hours = serializers.FloatField(help_text="Hours of other people.")
    price = serializers.CharField(allow_blank=True)
    access = serializers.CharField(allow_blank=True)
    next_date = serializers.DateField(allow_null=True)
    p_best = serializers.FloatField()
    reasons = ReasonOut(many=True)
    weighed = WeighedOut(many=True)


class CardOut(serializers.Serializer[Any]):
    """The routes in their order. ``recommended``: the first is told apart; else the first ``close`` may be the best."""

    made_at = serializers.DateTimeField()
    lean = serializers.IntegerField()
    recommended = serializers.BooleanField()
    close = serializers.IntegerField()
    would_change_it = serializers.ListField(child=serializers.CharField())
    routes = RouteOut(many=True)

    def to_representation(self, instance: Shown) -> dict[str, Any]:
        """A card as values."""
        card, now = instance.card, timezone.now()
        shown: dict[str, Any] = super().to_representation(
            {
                "made_at": instance.made_at,
                "lean": round(4 * instance.situation.lean),
                "recommended": card.recommended,
                "close": card.close,
                "would_change_it": card.flips,
                "routes": [route_values(row, instance, now) for row in card.rows],
            }
        )
        return shown


def route_values(row: Row, shown: Shown, now: datetime) -> dict[str, Any]:
    """One row of a card as values."""
    one, chance = row.candidate, row.odds.chance
    return {
        "route": row.route,
        "key": one.key,
        "title": one.title,
        "url": f"{one.url}{one.at}",
        "done_by": [shown.clock.after(now, hours) for hours in row.done_in],
        "chance": [round(part, 2) for part in (chance.mean, *chance.range)],
        "outcomes": row.odds.outcomes + row.odds.own,
        "learns": row.level,
        "others_hours": row.others,
        "price": one.price,
        "access": one.access,
        "next_date": one.on,
        "p_best": row.p_best,
        "reasons": one.reasons,
        "weighed": weighing(row, shown.situation, shown.inferred),
    }


class StepIn(serializers.Serializer[Any]):
    """A route of the card, and the key of what it is with; none for doing it oneself."""

    route = serializers.ChoiceField(choices=ROUTES)
    key = serializers.CharField(allow_blank=True, default="", max_length=40)


class StepOut(serializers.Serializer[Any]):
    """One step of the plan; what it is with is named only while the caller may see it."""

    id = serializers.CharField(source="token")
    route = serializers.ChoiceField(choices=ROUTES)
    key = serializers.SerializerMethodField()
    title = serializers.CharField(allow_blank=True)
    done = serializers.BooleanField()

    def get_key(self, step: plan.Planned) -> str:
        return step.key[1]


class StepChange(serializers.Serializer[Any]):
    """What is to be different of a step: whether it is done, or its place."""

    done = serializers.BooleanField(required=False)
    move = serializers.ChoiceField(choices=["up", "down"], required=False)


class CardView(OneTask):
    """The six routes of the caller's task."""

    @extend_schema(
        operation_id="tasks_card",
        summary="The six routes, weighed",
        description=ONE_TASK,
        parameters=[LeanIn],
        responses={200: CardOut, 409: SURE_FIRST},
    )
    def get(self, request: Request, task_id: UUID) -> Response:
        """The card, from what was gathered within the last day where all of that may still be read."""
        task = self.found(task_id)
        with answered("lean"):
            shown = advice.advise(task, self.viewer, **self.asked(LeanIn))
            if shown is None:
                raise AssessFirst
        return Response(CardOut(shown).data)


class Planning(OneTask):
    """What the addresses of a plan share."""

    def steps(self, task_id: UUID, code: int = status.HTTP_200_OK) -> Response:
        """The plan as it is now."""
        shown = plan.steps(self.found(task_id), self.viewer)
        return Response(StepOut(shown, many=True).data, status=code)


class PlanView(Planning):
    """The routes that the caller chose for their task."""

    @extend_schema(operation_id="tasks_plan", summary="My plan", description=ONE_TASK, responses=StepOut(many=True))
    def get(self, request: Request, task_id: UUID) -> Response:
        """The steps in their order."""
        return self.steps(task_id)

    @extend_schema(
        operation_id="tasks_choose",
        summary="Choose a route of the card",
        description=f"{ONE_TASK} A route that is in the plan already is found there.",
        request=StepIn,
        responses={201: StepOut(many=True), 409: SURE_FIRST},
    )
    def post(self, request: Request, task_id: UUID) -> Response:
        """Add it to the end of the plan."""
        task, values = self.found(task_id), self.said(StepIn)
        with answered("key"):
            plan.choose(task=task, owner=request.user, **values)
        return self.steps(task_id, status.HTTP_201_CREATED)


class StepView(Planning):
    """One step of the plan of the caller's task."""

    @extend_schema(
        operation_id="tasks_step",
        summary="Say that a step is done, or move it",
        description=f"{ONE_TASK} The same for a step that is not in the plan.",
        request=StepChange,
        responses=StepOut(many=True),
    )
    def patch(self, request: Request, task_id: UUID, step: str) -> Response:
        """Change it; the first goes no higher and the last no lower."""
        task, values = self.found(task_id), self.said(StepChange)
        which: dict[str, Any] = {"task": task, "owner": request.user, "step": step}
        with transaction.atomic():
            if "done" in values:
                plan.done(**which, done=values["done"])
            if "move" in values:
                plan.move(**which, up=values["move"] == "up")
        return self.steps(task_id)

    @extend_schema(
        operation_id="tasks_step_drop",
        summary="Take a step out of the plan",
        description=ONE_TASK,
        responses={204: OpenApiResponse(description="It is out; one that was out already stays so.")},
    )
    def delete(self, request: Request, task_id: UUID, step: str) -> Response:
        """Take it out."""
        plan.drop(task=self.found(task_id), owner=request.user, step=step)
        return Response(status=status.HTTP_204_NO_CONTENT)
