"""Tasks over HTTP, for their owner alone: included under ``/api/v1/`` by `immersive.api`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from immersive.work import actions, tasks
from immersive.work.models import CONFIDENCE, AssessmentLocked, Outcome, Task
from knowledge.access import Viewer

RESULTS = {name: value for value, name in tasks.RESULT_NAMES.items()}
ONE_TASK = "The task of the caller with this id; 404 for every other one, whether it exists or not."


class Refused(APIException):
    """What was asked comes too late or too early."""

    status_code = status.HTTP_409_CONFLICT


class AssessmentIn(serializers.Serializer[Any]):
    """How sure the caller is, one of five percentages, said before the task is begun."""

    confidence = serializers.ChoiceField(choices=CONFIDENCE)


class AssessmentOut(serializers.Serializer[Any]):
    """What was said, and in which words."""

    confidence = serializers.IntegerField()
    words = serializers.CharField()
    given_at = serializers.DateTimeField()


class OutcomeIn(serializers.Serializer[Any]):
    """How it went."""

    result = serializers.ChoiceField(choices=list(RESULTS))
    with_help = serializers.BooleanField(default=False)
    minutes = serializers.IntegerField(min_value=0, max_value=Outcome.MOST_MINUTES, allow_null=True, default=None)
    surprise = serializers.CharField(max_length=1000, allow_blank=True, default="")


class OutcomeOut(OutcomeIn):
    """How it went, and when that was said."""

    logged_at = serializers.DateTimeField()


class TaskIn(serializers.Serializer[Any]):
    """A task in one sentence; ``started_from`` is the id of a resource that the caller may read."""

    statement = serializers.CharField(max_length=actions.MAX_STATEMENT)
    due = serializers.DateField(allow_null=True, default=None)
    started_from = serializers.UUIDField(allow_null=True, default=None)


class TaskOut(serializers.Serializer[Any]):
    """A task with all that its owner said of it; ``next`` says what is next, empty when nothing is."""

    id = serializers.UUIDField()
    statement = serializers.CharField()
    due = serializers.DateField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_from = serializers.UUIDField(allow_null=True)
    topics = serializers.ListField(child=serializers.CharField())
    assessment = AssessmentOut(allow_null=True)
    outcome = OutcomeOut(allow_null=True)
    next = serializers.CharField(allow_blank=True)

    def to_representation(self, instance: Task) -> dict[str, Any]:
        """The same values as the owner's download."""
        shown: dict[str, Any] = super().to_representation(tasks.as_values(instance))
        return shown


class Pages(PageNumberPagination):
    """Twenty tasks a page, or as many as asked for up to a hundred."""

    page_size = 20
    page_size_query_param = "per_page"
    max_page_size = 100


class OneTask(APIView):
    """What the addresses under one task share."""

    def found(self, public_id: UUID) -> Task:
        """The caller's task, or 404."""
        return tasks.mine_or_404(public_id, Viewer.of(self.request.user))

    def said(self, public_id: UUID, form: type[serializers.Serializer[Any]]) -> tuple[Task, dict[str, Any]]:
        """The caller's task and what the request says of it, or 404 before a word of it is read."""
        task = self.found(public_id)
        read = form(data=self.request.data)
        read.is_valid(raise_exception=True)
        return task, read.validated_data

    def answer(self, public_id: UUID, code: int = status.HTTP_200_OK) -> Response:
        """The task as it is now."""
        return Response(TaskOut(self.found(public_id)).data, status=code)


@method_decorator(never_cache, name="dispatch")
@extend_schema_view(get=extend_schema(operation_id="tasks_list", summary="My tasks, open ones first"))
class Tasks(ListAPIView[Any]):
    """The caller's tasks."""

    serializer_class = TaskOut
    pagination_class = Pages

    def get_queryset(self) -> Any:
        """The caller's own tasks; none while the schema is made."""
        making_the_schema = getattr(self, "swagger_fake_view", False)
        return tasks.mine(Viewer.of(None if making_the_schema else self.request.user))

    @extend_schema(operation_id="tasks_start", summary="Start a task", request=TaskIn, responses={201: TaskOut})
    @method_decorator(sensitive_variables())
    def post(self, request: Request) -> Response:
        """Start a task from one sentence."""
        said = TaskIn(data=request.data)
        said.is_valid(raise_exception=True)
        values = said.validated_data
        viewer = Viewer.of(request.user)
        begin = tasks.readable(values["started_from"], viewer)
        if values["started_from"] and begin is None:
            raise ValidationError({"started_from": ["No resource that you may read has this id."]})
        task = actions.start_task(
            owner=request.user, statement=values["statement"], started_from=begin, due=values["due"]
        )  # fmt: skip
        shown = TaskOut(tasks.mine_or_404(task.public_id, viewer))
        return Response(shown.data, status=status.HTTP_201_CREATED)


@method_decorator(never_cache, name="dispatch")
class TaskView(OneTask):
    """One task of the caller."""

    @extend_schema(operation_id="tasks_read", summary="One of my tasks", description=ONE_TASK, responses=TaskOut)
    def get(self, request: Request, task_id: UUID) -> Response:
        """The task with all that was said of it."""
        return self.answer(task_id)

    @extend_schema(
        operation_id="tasks_delete",
        summary="Delete a task with everything",
        description=ONE_TASK,
        responses={204: OpenApiResponse(description="Gone, with what was said and its lines in the learning log.")},
    )
    def delete(self, request: Request, task_id: UUID) -> Response:
        """Remove it with everything that was said of it."""
        actions.delete_task(task=self.found(task_id), owner=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


@method_decorator(never_cache, name="dispatch")
class AssessmentView(OneTask):
    """What the caller says before they begin."""

    @extend_schema(
        operation_id="tasks_assess",
        summary="Say how sure I am, once",
        description=f"{ONE_TASK} A second call answers 409, whatever it says: the first answer is locked.",
        request=AssessmentIn,
        responses={201: TaskOut, 409: OpenApiResponse(description="It was said already and stays.")},
    )
    @method_decorator(sensitive_variables())
    def put(self, request: Request, task_id: UUID) -> Response:
        """Lock it."""
        task, values = self.said(task_id, AssessmentIn)
        try:
            actions.assess(task=task, owner=request.user, confidence=values["confidence"])
        except AssessmentLocked:
            raise Refused("It was said already and stays as it was said.", code="locked") from None
        return self.answer(task_id, status.HTTP_201_CREATED)


@method_decorator(never_cache, name="dispatch")
class OutcomeView(OneTask):
    """How the caller's task went."""

    @extend_schema(
        operation_id="tasks_outcome",
        summary="Say how it went, or correct a slip",
        description=ONE_TASK,
        request=OutcomeIn,
        responses={200: TaskOut, 409: OpenApiResponse(description="Say first how sure you were.")},
    )
    @method_decorator(sensitive_variables())
    def put(self, request: Request, task_id: UUID) -> Response:
        """Log it."""
        task, values = self.said(task_id, OutcomeIn)
        try:
            actions.log_outcome(task=task, owner=request.user, **{**values, "result": RESULTS[values["result"]]})
        except actions.AssessFirst:
            raise Refused("Say first how sure you are: put the assessment.", code="assess_first") from None
        return self.answer(task_id)


urlpatterns = [
    path("tasks", Tasks.as_view(), name="api-tasks"),
    path("tasks/<uuid:task_id>", TaskView.as_view(), name="api-task"),
    path("tasks/<uuid:task_id>/assessment", AssessmentView.as_view(), name="api-task-assessment"),
    path("tasks/<uuid:task_id>/outcome", OutcomeView.as_view(), name="api-task-outcome"),
]
