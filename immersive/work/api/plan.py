"""The plan over HTTP: the routes that a task's owner chose from the card, in their order."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from immersive.work import plan
from immersive.work.api.common import ONE_TASK, SURE_FIRST, OneTask, answered
from immersive.work.models import ROUTES


class ActOut(serializers.Serializer[Any]):
    """How a route is begun: what its link says, and where it leads."""

    words = serializers.CharField(allow_blank=True)
    url = serializers.CharField(allow_blank=True)


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
    begin = ActOut(source="act")
    asked = serializers.CharField(
        source="asked_url", allow_blank=True, help_text="Where the question is that was asked for it."
    )

    def get_key(self, step: plan.Planned) -> str:
        return step.key[1]


class StepChange(serializers.Serializer[Any]):
    """What is to be different of a step: whether it is done, or its place."""

    done = serializers.BooleanField(required=False)
    move = serializers.ChoiceField(choices=["up", "down"], required=False)


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
