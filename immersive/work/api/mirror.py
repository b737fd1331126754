"""The mirror over HTTP, to read: what its owner said beside how it went, topics over time, the learning log."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from immersive.work import mirror, over_time, tasks
from immersive.work.api.common import Mine, Pages
from immersive.work.models import EVENTS, LearningEntry


class WordSerializer(serializers.Serializer[Any]):
    """One of the five words: how often it was said, how many worked (halves count half), the rate and its range."""

    sure = serializers.FloatField()
    words = serializers.SerializerMethodField()
    times = serializers.IntegerField()
    worked = serializers.FloatField()
    rate = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()

    def get_words(self, step: Any) -> str:
        return mirror.WORDS[step.sure]


class BiasSerializer(serializers.Serializer[Any]):
    """How much surer the caller was than it turned out, in parts of 1, with the ends of 80 % of cases."""

    size = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    word = serializers.CharField(allow_blank=True)


class PointSerializer(serializers.Serializer[Any]):
    """One point of the curve, with the band of mere chance."""

    sure = serializers.FloatField()
    fits = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class MarkSerializer(serializers.Serializer[Any]):
    """One task of a topic: how sure its owner was, in percent, and how it went, if that is known."""

    at = serializers.DateTimeField()
    sure = serializers.IntegerField(allow_null=True)
    went = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ChoiceField(choices=list(tasks.RESULT_NAMES.values()), allow_null=True))
    def get_went(self, mark: Any) -> str | None:
        return None if mark.went is None else tasks.RESULT_NAMES[mark.went]


class CourseSerializer(serializers.Serializer[Any]):
    """One topic over time."""

    topic = serializers.CharField(source="name")
    tasks = MarkSerializer(many=True, source="marks")


class MirrorSerializer(serializers.Serializer[Any]):
    """As much as the outcomes bear: first how many there are, from 5 counts, from 20 a bias, from 80 a curve."""

    outcomes = serializers.IntegerField(source="look.found.outcomes")
    said = serializers.CharField(source="look.lede")
    next = serializers.CharField(source="look.next", allow_blank=True)
    words = WordSerializer(many=True, source="look.found.steps")
    bias = BiasSerializer(source="look.found.bias", allow_null=True)
    curve = PointSerializer(many=True, source="look.found.curve")
    topics = CourseSerializer(many=True)


class EntrySerializer(serializers.Serializer[LearningEntry]):
    """One line of the learning log."""

    task = serializers.UUIDField(source="task.public_id")
    event = serializers.ChoiceField(choices=EVENTS)
    at = serializers.DateTimeField()
    topics = serializers.SerializerMethodField()

    def get_topics(self, entry: LearningEntry) -> list[str]:
        return tasks.names(entry.topics.all())


class MirrorView(Mine):
    """The caller's mirror. Nobody reads another's, whatever their role: there is no address for it."""

    @extend_schema(
        operation_id="mirror", summary="What I said beside how it went, told to me alone", responses=MirrorSerializer
    )
    def get(self, request: Request) -> Response:
        """All that the page of it shows, but for the log."""
        shown = {"look": mirror.look(self.viewer), "topics": over_time.courses(self.viewer)}
        return Response(MirrorSerializer(shown).data)


@extend_schema_view(get=extend_schema(operation_id="mirror_log", summary="My learning log, the latest first"))
class LogView(Mine, ListAPIView[Any]):
    """The lines of the caller's learning log."""

    serializer_class = EntrySerializer
    pagination_class = Pages

    def get_queryset(self) -> Any:
        """The caller's own."""
        return tasks.learning_log(self.viewer)
