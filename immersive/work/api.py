"""Tasks over HTTP, for their owner alone: included under ``/api/v1/`` by `immersive.api`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError as Invalid
from django.urls import path
from django.utils import timezone
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

from immersive.work import actions, advice, plan, tasks
from immersive.work.advice import Shown
from immersive.work.models import CONFIDENCE, DIFFICULTIES, KNOWN, ROUTES, AssessmentLocked, Outcome, Task
from immersive.work.routes import Row
from immersive.work.weighing import weighing
from knowledge.access import Viewer

RESULTS = {name: value for value, name in tasks.RESULT_NAMES.items()}
ONE_TASK = "The task of the caller with this id; 404 for every other one, whether it exists or not."


class Refused(APIException):
    """What was asked comes too late or too early."""

    status_code = status.HTTP_409_CONFLICT


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
    difficulty = serializers.ChoiceField(choices=DIFFICULTIES, allow_blank=True)
    assessment = AssessmentOut(allow_null=True)
    outcome = OutcomeOut(allow_null=True)
    next = serializers.CharField(allow_blank=True)

    def to_representation(self, instance: Task) -> dict[str, Any]:
        """The same values as the owner's download."""
        shown: dict[str, Any] = super().to_representation(tasks.as_values(instance))
        return shown


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

    route = serializers.ChoiceField(choices=ROUTES)
    key = serializers.CharField(allow_blank=True)
    title = serializers.CharField(allow_blank=True)
    done = serializers.BooleanField()


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
            actions.assess(task=task, owner=request.user, **values)
        except AssessmentLocked:
            raise Refused("It was said already and stays as it was said.", code="locked") from None
        except Invalid as problem:
            raise ValidationError({"known": problem.messages}) from None
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


@method_decorator(never_cache, name="dispatch")
class CardView(OneTask):
    """The six routes of the caller's task."""

    @extend_schema(
        operation_id="tasks_card",
        summary="The six routes, weighed",
        description=ONE_TASK,
        parameters=[LeanIn],
        responses={200: CardOut, 409: OpenApiResponse(description="Say first how sure you are.")},
    )
    @method_decorator(sensitive_variables())
    def get(self, request: Request, task_id: UUID) -> Response:
        """The card, from what was gathered within the last day where all of that may still be read."""
        task = self.found(task_id)
        asked = LeanIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        shown = advice.advise(task, Viewer.of(request.user), **asked.validated_data)
        if shown is None:
            raise Refused("Say first how sure you are: put the assessment.", code="assess_first")
        return Response(CardOut(shown).data)


@method_decorator(never_cache, name="dispatch")
class PlanView(OneTask):
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
        responses={
            201: StepOut(many=True),
            409: OpenApiResponse(description="Say first how sure you are."),
        },
    )
    @method_decorator(sensitive_variables())
    def post(self, request: Request, task_id: UUID) -> Response:
        """Add it to the end of the plan."""
        task, values = self.said(task_id, StepIn)
        try:
            plan.choose(task=task, owner=request.user, **values)
        except actions.AssessFirst:
            raise Refused("Say first how sure you are: put the assessment.", code="assess_first") from None
        except Invalid as problem:
            raise ValidationError({"key": problem.messages}) from None
        return self.steps(task_id, status.HTTP_201_CREATED)

    def steps(self, task_id: UUID, code: int = status.HTTP_200_OK) -> Response:
        """The plan as it is now."""
        shown = plan.steps(self.found(task_id), Viewer.of(self.request.user))
        rows = [{"route": one.route, "key": one.key[1], "title": one.title, "done": one.done} for one in shown]
        return Response(StepOut(rows, many=True).data, status=code)


urlpatterns = [
    path("tasks", Tasks.as_view(), name="api-tasks"),
    path("tasks/<uuid:task_id>", TaskView.as_view(), name="api-task"),
    path("tasks/<uuid:task_id>/assessment", AssessmentView.as_view(), name="api-task-assessment"),
    path("tasks/<uuid:task_id>/outcome", OutcomeView.as_view(), name="api-task-outcome"),
    path("tasks/<uuid:task_id>/card", CardView.as_view(), name="api-task-card"),
    path("tasks/<uuid:task_id>/plan", PlanView.as_view(), name="api-task-plan"),
]
