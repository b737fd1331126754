"""Questions of one's own over HTTP: what comes today, writing one, saying how well one knew it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from immersive.work import recall
from immersive.work.api.common import ONE_TASK, Mine, OneTask, Pages, Refused, answered
from immersive.work.models import Recall
from immersive.work.recall import GRADES

ONE_QUESTION = "The question of the caller with this id; 404 for every other one, whether it exists or not."


class RecallIn(serializers.Serializer[Any]):
    """One question for later, and its answer."""

    question = serializers.CharField(max_length=Recall.LONGEST_QUESTION)
    answer = serializers.CharField(max_length=Recall.LONGEST_ANSWER)


class RecallOut(RecallIn):
    """A question that the caller wrote, and when it comes again."""

    id = serializers.UUIDField(source="public_id")
    task = serializers.UUIDField(source="task.public_id", allow_null=True, default=None)
    created_at = serializers.DateTimeField()
    asked_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField()


class GradeIn(serializers.Serializer[Any]):
    """How well the caller knew it."""

    how = serializers.ChoiceField(choices=GRADES)


@extend_schema_view(get=extend_schema(operation_id="recall_list", summary="My questions, those due soonest first"))
class Recalls(Mine, ListAPIView[Any]):
    """All questions that the caller wrote."""

    serializer_class = RecallOut
    pagination_class = Pages

    def get_queryset(self) -> Any:
        """The caller's own."""
        return recall.mine(self.viewer)


class TodayView(Mine):
    """What the caller is asked now."""

    @extend_schema(
        operation_id="recall_today",
        summary="What I am asked now",
        description=f"At most {recall.MOST_A_DAY} a day, in their working hours; none where they want no asking.",
        responses=RecallOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """The longest due first."""
        return Response(RecallOut(recall.ask_today(self.viewer, timezone.now()), many=True).data)


class RecallView(Mine):
    """One question of the caller."""

    @extend_schema(
        operation_id="recall_delete",
        summary="Delete a question of mine",
        description=ONE_QUESTION,
        responses={204: OpenApiResponse(description="Gone; nothing of it is kept.")},
    )
    def delete(self, request: Request, recall_id: UUID) -> Response:
        """Delete it."""
        recall.drop(recall=recall_id, owner=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class GradeView(Mine):
    """The caller's answer to one of their questions."""

    @extend_schema(
        operation_id="recall_grade",
        summary="Say how well I knew it",
        description=ONE_QUESTION,
        request=GradeIn,
        responses={200: RecallOut, 409: OpenApiResponse(description="It was answered already, and is not due.")},
    )
    def post(self, request: Request, recall_id: UUID) -> Response:
        """Say it; the answer says when it comes again."""
        if not recall.mine(self.viewer).filter(public_id=recall_id).exists():
            raise Http404  # before a word of the request is read
        values = self.said(GradeIn)
        with answered("how"):
            kept = recall.grade(recall=recall_id, owner=request.user, **values)
        return Response(RecallOut(kept).data)


class TaskRecallView(OneTask):
    """The question that the caller keeps of a task."""

    @extend_schema(
        operation_id="tasks_recall",
        summary="Keep one question of a task that is done, or reword it",
        description=ONE_TASK,
        request=RecallIn,
        responses={200: RecallOut, 409: OpenApiResponse(description="Say first how it went.")},
    )
    def put(self, request: Request, task_id: UUID) -> Response:
        """Keep it; it comes from tomorrow on."""
        task, values = self.found(task_id), self.said(RecallIn)
        if not task.finished:
            raise Refused("Say first how it went: put the outcome.", code="outcome_first")
        with answered("question"):
            kept = recall.keep(task=task, owner=request.user, **values)
        return Response(RecallOut(kept).data)
