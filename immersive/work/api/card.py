"""The card over HTTP: the six routes of a task, weighed, with what each figure comes from."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from immersive.work import actions, advice, card, plan
from immersive.work.actions import AssessFirst
from immersive.work.advice import Shown
from immersive.work.api.common import ONE_TASK, SURE_FIRST, OneTask, answered
from immersive.work.api.plan import ActOut
from immersive.work.card import Line, Look
from immersive.work.models import LEANS, ROUTES, Task
from knowledge.api import NoteSerializer


class LeanIn(serializers.Serializer[Any]):
    """What matters more: 0 to deliver, 4 to learn; as the task has it where nothing is said."""

    lean = serializers.IntegerField(min_value=LEANS[0][0], max_value=LEANS[-1][0], required=False)


class CardIn(LeanIn):
    """What to keep of it, and whether to gather anew since something has changed."""

    again = serializers.BooleanField(default=False)


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
    lessons = NoteSerializer(many=True, help_text="Lessons about what it is with.")
    begin = ActOut()
    step = serializers.CharField(allow_blank=True, help_text="The id of its step, where it is in the plan.")


class CardOut(serializers.Serializer[Any]):
    """The routes in their order. ``recommended``: the first is told apart; else the first ``close`` may be the best."""

    made_at = serializers.DateTimeField()
    lean = serializers.IntegerField()
    recommended = serializers.BooleanField()
    close = serializers.IntegerField()
    said = serializers.CharField(help_text="The advice in a sentence or two.")
    missing = serializers.CharField(allow_blank=True, help_text="Routes for which nothing was found, in words.")
    would_change_it = serializers.ListField(child=serializers.CharField())
    routes = RouteOut(many=True)


def card_values(shown: Shown, look: Look) -> dict[str, Any]:
    """A card as values."""
    return {
        "made_at": shown.made_at,
        "lean": round(4 * shown.situation.lean),
        "recommended": look.card.recommended,
        "close": look.card.close,
        "said": look.lede,
        "missing": look.missing,
        "would_change_it": look.card.flips,
        "routes": [route_values(line, look) for line in look.lines],
    }


def route_values(line: Line, look: Look) -> dict[str, Any]:
    """One row of a card as values."""
    row = line.row
    one, chance = row.candidate, row.odds.chance
    return {
        "route": row.route,
        "key": one.key,
        "title": one.title,
        "url": f"{one.url}{one.at}",
        "done_by": [look.clock.after(look.now, hours) for hours in row.done_in],
        "chance": [round(part, 2) for part in (chance.mean, *chance.range)],
        "outcomes": row.odds.outcomes + row.odds.own,
        "learns": row.level,
        "others_hours": row.others,
        "price": one.price,
        "access": one.access,
        "next_date": one.on,
        "p_best": row.p_best,
        "reasons": one.reasons,
        "weighed": line.weighed,
        "lessons": line.notes,
        "begin": line.act,
        "step": line.step,
    }


class CardView(OneTask):
    """The six routes of the caller's task."""

    @extend_schema(
        operation_id="tasks_card",
        summary="The six routes, weighed",
        description=f"{ONE_TASK} Another ``lean`` is tried, and not kept.",
        parameters=[LeanIn],
        responses={200: CardOut, 409: SURE_FIRST},
    )
    def get(self, request: Request, task_id: UUID) -> Response:
        """The card, from what was gathered within the last day where all of that may still be read."""
        task = self.found(task_id)
        return self.card(task, **self.asked(LeanIn))

    @extend_schema(
        operation_id="tasks_lean",
        summary="Keep what matters more this time, or have it weighed anew",
        description=ONE_TASK,
        request=CardIn,
        responses={200: CardOut, 409: SURE_FIRST},
    )
    def put(self, request: Request, task_id: UUID) -> Response:
        """The card as it is then."""
        task, values = self.found(task_id), self.said(CardIn)
        if "lean" in values:
            with answered("lean"):
                actions.lean(task=task, owner=request.user, lean=values["lean"])
        return self.card(self.found(task_id), again=values["again"])

    def card(self, task: Task, **asked: Any) -> Response:
        """The card of a task of the caller's."""
        with answered("lean"):
            shown = advice.advise(task, self.viewer, **asked)
            if shown is None:
                raise AssessFirst
        look = card.look(task, shown, plan.steps(task, self.viewer), self.viewer)
        return Response(CardOut(card_values(shown, look)).data)
