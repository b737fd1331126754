"""Lessons over HTTP: those that the caller may read, writing one, letting it be read, taking it back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from immersive.work.api.common import Mine, Pages, answered
from immersive.work.api.told import GONE, OWN, READABLE, ToldAddress, ToldIn, ToldShort, ToldWhole, to_of
from immersive.work.lessons import names, telling, told
from immersive.work.lessons.connector import say
from immersive.work.lessons.rows import Lesson, Reach
from immersive.work.lessons.telling import LONGEST, MOST_RESOURCES, WORDS, Said
from immersive.work.models import ROUTES, Task
from knowledge.index.analysis import topic_key

NO_RESOURCE = "You may read no resource of this id that a lesson can concern. Give the ids of pages, tools or courses."


class WordsIn(serializers.Serializer[Any]):
    """What a lesson says. Nobody is named in what others may read."""

    expected = serializers.CharField(max_length=LONGEST, allow_blank=True, default="")
    happened = serializers.CharField(max_length=LONGEST, allow_blank=True, default="")
    know_now = serializers.CharField(max_length=LONGEST, allow_blank=True, default="")
    changes = serializers.CharField(max_length=LONGEST, allow_blank=True, default="")


class LessonIn(ToldIn, WordsIn):
    """The whole of a lesson: what is not said is empty."""

    kind = serializers.ChoiceField(choices=Lesson.Kind.choices, default=Lesson.Kind.UNKNOWN)
    route = serializers.ChoiceField(choices=ROUTES, allow_blank=True, default="", help_text="The way that was taken.")
    resources = serializers.ListField(
        child=serializers.UUIDField(), max_length=MOST_RESOURCES, default=list, help_text="Ids of what it concerns."
    )
    task = serializers.UUIDField(allow_null=True, default=None, help_text="The task of the caller's that it came of.")


class NamedOut(serializers.Serializer[Any]):
    """Where a part of a lesson names somebody, and what could stand there instead."""

    part = serializers.ChoiceField(choices=WORDS)
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    text = serializers.CharField()
    instead = serializers.CharField()


class ConcernedOut(serializers.Serializer[Any]):
    """What a lesson concerns, as far as the caller may read that."""

    id = serializers.UUIDField(source="public_id")
    title = serializers.CharField()


class LessonShort(ToldShort):
    """What a list shows of a lesson."""

    kind = serializers.ChoiceField(choices=Lesson.Kind.choices)
    say = serializers.SerializerMethodField(help_text="What is worth knowing first.")

    def get_say(self, lesson: Lesson) -> str:
        return say(lesson)


class LessonOut(ToldWhole, LessonShort):
    """A lesson whole."""

    expected = serializers.CharField()
    happened = serializers.CharField()
    know_now = serializers.CharField()
    changes = serializers.CharField()
    route = serializers.ChoiceField(choices=ROUTES, allow_blank=True)
    resources = serializers.SerializerMethodField()

    @extend_schema_field(ConcernedOut(many=True))
    def get_resources(self, lesson: Lesson) -> Any:
        ids = list(lesson.resources.values_list("public_id", flat=True))
        return ConcernedOut(telling.about_these(ids, self.context["viewer"]), many=True).data


class LessonsAsked(serializers.Serializer[Any]):
    """Which lessons: told ones, or all of the caller's own."""

    mine = serializers.BooleanField(default=False)
    kind = serializers.ChoiceField(choices=Lesson.Kind.choices, allow_blank=True, default="")
    topic = serializers.CharField(max_length=80, allow_blank=True, default="")
    resource = serializers.UUIDField(allow_null=True, default=None, help_text="The id of what they concern.")


class LessonAddress(ToldAddress):
    """What the addresses of lessons share."""

    kind, whole = Lesson, LessonOut

    def written(self, lesson: UUID | None = None) -> UUID:
        """What the request says, kept or told as far as it says; where that is refused, nothing is changed."""
        values = self.said(LessonIn)
        to, said = to_of(values), Said(**values)
        self.there(said)
        with answered("to", add_topic="topics"):
            if to.reach == Reach.DRAFT:
                return telling.keep(author=self.author, said=said, lesson=lesson).public_id
            return telling.publish(author=self.author, said=said, to=to, lesson=lesson).public_id

    def there(self, said: Said) -> None:
        """A form offers what is there; a program may name what is not, and is told."""
        known = {one.public_id for one in telling.about_these(said.resources, self.viewer)}
        if lacking := [one for one in said.resources if one not in known]:
            raise ValidationError({"resources": [f"{one}: {NO_RESOURCE}" for one in lacking]})
        if said.task and not Task.objects.visible_to(self.viewer).filter(public_id=said.task).exists():
            raise ValidationError({"task": ["No task of yours has this id."]})


class Lessons(LessonAddress, ListAPIView[Any]):
    """Lessons that the caller may read."""

    serializer_class = LessonShort
    pagination_class = Pages

    def get_queryset(self) -> Any:
        """The latest first."""
        asked = self.asked(LessonsAsked)
        rows = told.listed(Lesson, self.viewer, topic=topic_key(asked["topic"]), mine=asked["mine"])
        if asked["kind"]:
            rows = rows.filter(kind=asked["kind"])
        if asked["resource"]:
            rows = rows.filter(resources__in=telling.about_these([asked["resource"]], self.viewer))
        return rows

    @extend_schema(
        operation_id="lessons_list", summary="Lessons that I may read, the latest first", parameters=[LessonsAsked]
    )
    def get(self, request: Request, *args: Any, **options: Any) -> Response:
        """Told ones, or with ``mine`` all of one's own."""
        return super().get(request, *args, **options)

    @extend_schema(
        operation_id="lessons_write",
        summary="Write a lesson, and let it be read as far as I say",
        request=LessonIn,
        responses={201: LessonOut},
    )
    def post(self, request: Request) -> Response:
        """A draft, mine alone, or told."""
        return self.shown(self.written(), status.HTTP_201_CREATED)


class LessonView(LessonAddress):
    """One lesson."""

    @extend_schema(operation_id="lessons_read", summary="One lesson", description=READABLE, responses=LessonOut)
    def get(self, request: Request, lesson_id: UUID) -> Response:
        """The whole of it."""
        return self.shown(lesson_id)

    @extend_schema(
        operation_id="lessons_change",
        summary="Write a lesson of mine anew, and let it be read as far as I say",
        description=f"{OWN} All of it, as for a new one. One that others read is no draft until it is taken back.",
        request=LessonIn,
        responses=LessonOut,
    )
    def put(self, request: Request, lesson_id: UUID) -> Response:
        """Where it is refused, what stood there stays."""
        self.mine(lesson_id)
        return self.shown(self.written(lesson_id))

    @extend_schema(
        operation_id="lessons_delete", summary="Delete a lesson of mine", description=OWN, responses={204: GONE}
    )
    def delete(self, request: Request, lesson_id: UUID) -> Response:
        """Delete it, everywhere."""
        return self.deleted(lesson_id)


class LessonBackView(LessonAddress):
    """Taking a lesson back."""

    @extend_schema(
        operation_id="lessons_withdraw",
        summary="Take a lesson of mine back",
        description=f"{OWN} It is a draft again, and nobody else reads it from now on.",
        request=None,
        responses=LessonOut,
    )
    def post(self, request: Request, lesson_id: UUID) -> Response:
        """Take it back; twice does no harm."""
        return self.taken_back(lesson_id)


class NamesView(Mine):
    """A look for names, before anything is told."""

    @extend_schema(
        operation_id="lessons_names",
        summary="Where these words name somebody, and what could stand there instead",
        request=WordsIn,
        responses=NamedOut(many=True),
    )
    def post(self, request: Request) -> Response:
        """Nothing is kept."""
        found = names.check_each(self.said(WordsIn), self.viewer)
        rows = [
            {"part": part, "start": one.start, "end": one.end, "text": one.text, "instead": one.instead}
            for part, those in found.items()
            for one in those
        ]
        return Response(NamedOut(rows, many=True).data)
