"""What a person is asked, over HTTP: all of it, or about one task later or never."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from immersive.work import reminding
from immersive.work.api.common import ONE_TASK, Mine, OneTask, Refused


class RemindersSerializer(serializers.Serializer[Any]):
    """What the caller wants to be asked."""

    outcomes = serializers.BooleanField(help_text="How their tasks and experiments went.")
    recall = serializers.BooleanField(help_text="The questions that they wrote for later.")


class LaterIn(serializers.Serializer[Any]):
    """When to be asked instead."""

    until = serializers.ChoiceField(choices=[*reminding.LATER, reminding.NEVER])


class LaterOut(serializers.Serializer[Any]):
    """From which day the caller is asked how it went; none where they are not."""

    ask_on = serializers.DateField(allow_null=True)


class RemindersView(Mine):
    """What the caller wants to be asked."""

    @extend_schema(operation_id="reminders_read", summary="My reminders", responses=RemindersSerializer)
    def get(self, request: Request) -> Response:
        """Both, unless they chose otherwise."""
        return Response(RemindersSerializer(reminding.wishes(self.viewer)).data)

    @extend_schema(
        operation_id="reminders_set",
        summary="Choose what I am asked",
        request=RemindersSerializer,
        responses=RemindersSerializer,
    )
    def put(self, request: Request) -> Response:
        """Choose both at once: what is off asks nothing, from now on."""
        reminding.wish(person=request.user, **self.said(RemindersSerializer))
        return self.get(request)


class LaterView(OneTask):
    """When the caller is asked how one task went."""

    @extend_schema(
        operation_id="tasks_reminder",
        summary="Be asked later how a task went, or never",
        description=ONE_TASK,
        request=LaterIn,
        responses={200: LaterOut, 409: OpenApiResponse(description="It was said already how it went.")},
    )
    def put(self, request: Request, task_id: UUID) -> Response:
        """Put it off from today."""
        task, values = self.found(task_id), self.said(LaterIn)
        if task.finished:
            raise Refused("You have said how it went, so nothing is asked.", code="finished")
        return Response(LaterOut({"ask_on": reminding.put_off(task=task, owner=request.user, **values)}).data)
