"""Tasks over HTTP: starting one, what it is about, how sure its owner is, how it went."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from immersive.work import actions, tasks
from immersive.work.api.common import ONE_TASK, SURE_FIRST, Mine, OneTask, Pages, answered
from immersive.work.models import CONFIDENCE, DIFFICULTIES, KNOWN, ROUTES, Outcome, Task
from knowledge.connectors.files import web_address
from knowledge.index.analysis import topic_key

RESULTS = {name: value for value, name in tasks.RESULT_NAMES.items()}


class AssessmentIn(serializers.Serializer[Any]):
    """How sure the caller is, one of five percentages, said before the task is begun."""

    confidence = serializers.ChoiceField(choices=CONFIDENCE)
    known = serializers.DictField(
        child=serializers.ChoiceField(choices=KNOWN), default=dict, help_text="What is known of topics of the task."
    )
    difficulty = serializers.ChoiceField(choices=DIFFICULTIES, allow_blank=True, default="")


class AssessmentOut(serializers.Serializer[Any]):
    """What was said, and in which words."""

    confidence = serializers.IntegerField()
    words = serializers.CharField()
    known = serializers.DictField(child=serializers.CharField())
    given_at = serializers.DateTimeField()


class OutcomeIn(serializers.Serializer[Any]):
    """How it went."""

    result = serializers.ChoiceField(choices=list(RESULTS))
    with_help = serializers.BooleanField(default=False)
    minutes = serializers.IntegerField(min_value=0, max_value=Outcome.MOST_MINUTES, allow_null=True, default=None)
    surprise = serializers.CharField(max_length=1000, allow_blank=True, default="")
    route = serializers.ChoiceField(choices=ROUTES, allow_blank=True, default="", help_text="The way that it went.")


class OutcomeOut(OutcomeIn):
    """How it went, and when that was said."""

    logged_at = serializers.DateTimeField()


class TaskIn(serializers.Serializer[Any]):
    """A task in one sentence, when it is due, and what belongs to it."""

    statement = serializers.CharField(max_length=actions.MAX_STATEMENT)
    due = serializers.DateField(allow_null=True, default=None)
    context = serializers.CharField(  # type: ignore[assignment]
        max_length=actions.MAX_CONTEXT, allow_blank=True, default="", help_text="What was selected where it began."
    )


class NewTaskIn(TaskIn):
    """A task, and where it began, if anywhere."""

    started_from = serializers.UUIDField(
        allow_null=True, default=None, help_text="Id of a resource that the caller may read."
    )
    page = serializers.CharField(
        max_length=2000, allow_blank=True, default="", help_text="The http or https address where it began."
    )

    def validate_page(self, page: str) -> str:
        """A page drops quietly what is no address; whoever writes a program is told."""
        if page and not web_address(page):
            raise ValidationError("Give the whole address, beginning with http:// or https://, or nothing.")
        return page


class TopicsIn(serializers.Serializer[Any]):
    """What a task is about: names of topics that the caller may know."""

    topics = serializers.ListField(child=serializers.CharField(max_length=100), max_length=actions.MAX_TOPICS)


class TaskOut(serializers.Serializer[Any]):
    """A task with all that its owner said of it; ``next`` says what is next, empty when nothing is."""

    id = serializers.UUIDField()
    statement = serializers.CharField()
    due = serializers.DateField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_from = serializers.UUIDField(allow_null=True)
    context = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    page = serializers.CharField(allow_blank=True)
    topics = serializers.ListField(child=serializers.CharField())
    difficulty = serializers.ChoiceField(choices=DIFFICULTIES, allow_blank=True)
    assessment = AssessmentOut(allow_null=True)
    outcome = OutcomeOut(allow_null=True)
    shared = serializers.BooleanField(help_text="Whether it is shared with anybody.")
    next = serializers.CharField(allow_blank=True)

    def to_representation(self, instance: Task) -> dict[str, Any]:
        """The same values as the owner's download."""
        task: Any = instance
        more = {"context": task.context, "page": task.page_url, "shared": task.shared}
        shown: dict[str, Any] = super().to_representation({**tasks.as_values(task), **more})
        return shown


@extend_schema_view(get=extend_schema(operation_id="tasks_list", summary="My tasks, open ones first"))
class Tasks(Mine, ListAPIView[Any]):
    """The caller's tasks."""

    serializer_class = TaskOut
    pagination_class = Pages

    def get_queryset(self) -> Any:
        """The caller's own."""
        return tasks.mine(self.viewer)

    @extend_schema(operation_id="tasks_start", summary="Start a task", request=NewTaskIn, responses={201: TaskOut})
    def post(self, request: Request) -> Response:
        """Start a task from one sentence; what it is about is proposed from that."""
        values = self.said(NewTaskIn)
        began = values.pop("started_from")
        begin = tasks.readable(began, self.viewer)
        if began and begin is None:
            raise ValidationError({"started_from": ["No resource that you may read has this id."]})
        with answered("statement"):
            task = actions.start_task(owner=request.user, started_from=begin, page_url=values.pop("page"), **values)
        shown = TaskOut(tasks.mine_or_404(task.public_id, self.viewer))
        return Response(shown.data, status=status.HTTP_201_CREATED)


class TaskView(OneTask):
    """One task of the caller."""

    @extend_schema(operation_id="tasks_read", summary="One of my tasks", description=ONE_TASK, responses=TaskOut)
    def get(self, request: Request, task_id: UUID) -> Response:
        """The task with all that was said of it."""
        return Response(TaskOut(self.found(task_id)).data)

    @extend_schema(
        operation_id="tasks_change",
        summary="Say a task in other words, or another day",
        description=f"{ONE_TASK} What is not named stays, and so does what was said of it before it began.",
        request=TaskIn(partial=True),
        responses=TaskOut,
    )
    def patch(self, request: Request, task_id: UUID) -> Response:
        """Change it; other words are weighed anew."""
        task = self.found(task_id)
        now = {"statement": task.statement, "due": task.due, "context": task.context}
        with answered("statement"):
            actions.change_task(task=task, owner=request.user, **{**now, **self.said(TaskIn, partial=True)})
        return Response(TaskOut(self.found(task_id)).data)

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


class TopicsView(OneTask):
    """What the caller's task is about."""

    @extend_schema(
        operation_id="tasks_topics",
        summary="Say what a task is about, before I say how sure I am",
        description=f"{ONE_TASK} All of its topics: one that is left out is taken away.",
        request=TopicsIn,
        responses={200: TaskOut, 409: OpenApiResponse(description="It was said already how sure you are.")},
    )
    def put(self, request: Request, task_id: UUID) -> Response:
        """Take away what is not named, and add what is new; all of it or nothing."""
        task = self.found(task_id)
        wanted = {topic_key(name)[:80]: name for name in self.said(TopicsIn)["topics"]}
        there = {topic.slug for topic in task.topics.all()}
        with transaction.atomic(), answered("topics"):
            for slug in there - set(wanted):
                actions.drop_topic(task=task, owner=request.user, topic=slug)
            for slug in [slug for slug in wanted if slug not in there]:
                with answered("topics", of=f"“{wanted[slug]}”: "):
                    actions.add_topic(task=task, owner=request.user, name=wanted[slug])
        return Response(TaskOut(self.found(task_id)).data)


class AssessmentView(OneTask):
    """What the caller says before they begin."""

    @extend_schema(
        operation_id="tasks_assess",
        summary="Say how sure I am, once",
        description=f"{ONE_TASK} A second call answers 409, whatever it says: the first answer is locked.",
        request=AssessmentIn,
        responses={201: TaskOut, 409: OpenApiResponse(description="It was said already and stays.")},
    )
    def put(self, request: Request, task_id: UUID) -> Response:
        """Lock it."""
        task, values = self.found(task_id), self.said(AssessmentIn)
        with answered("known"):
            actions.assess(task=task, owner=request.user, **values)
        return Response(TaskOut(self.found(task_id)).data, status=status.HTTP_201_CREATED)


class OutcomeView(OneTask):
    """How the caller's task went."""

    @extend_schema(
        operation_id="tasks_outcome",
        summary="Say how it went, or correct a slip",
        description=ONE_TASK,
        request=OutcomeIn,
        responses={200: TaskOut, 409: SURE_FIRST},
    )
    def put(self, request: Request, task_id: UUID) -> Response:
        """Log it."""
        task, values = self.found(task_id), self.said(OutcomeIn)
        with answered("result"):
            actions.log_outcome(task=task, owner=request.user, **{**values, "result": RESULTS[values["result"]]})
        return Response(TaskOut(self.found(task_id)).data)
