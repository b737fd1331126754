"""What lessons and experiments share over HTTP: who may read one, and taking it back."""

from __future__ import annotations

from typing import Any, ClassVar, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers, status
from rest_framework.response import Response

from experts.models import Person
from immersive.work.api.common import Mine
from immersive.work.lessons import told
from immersive.work.lessons.connector import title
from immersive.work.lessons.rows import SHARED, Reach, Told
from immersive.work.lessons.told import To

READABLE = "One that the caller may read; 404 for every other one, whether it exists or not."
OWN = "One of the caller's own; 404 for every other one, whether it exists or not."
GONE = OpenApiResponse(description="Gone; nothing of it is kept.")
PLAIN = serializers.ListField(
    child=serializers.CharField(max_length=200), max_length=50, default=list,
    help_text="Words that look like names and, as their author says, are no person.",
)  # fmt: skip


class TeamSaid(serializers.Serializer[Any]):
    """The team that is told."""

    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField()


class ToldIn(serializers.Serializer[Any]):
    """What it is about, and who may read it: nobody else while it is a draft."""

    topics = serializers.ListField(
        child=serializers.CharField(max_length=80), max_length=told.MOST_TOPICS, default=list
    )
    to = serializers.ChoiceField(choices=Reach.choices)
    team = serializers.UUIDField(allow_null=True, default=None, help_text="Which of the caller's teams is told.")
    anonymous = serializers.BooleanField(
        required=False, help_text="Whether readers are not told who wrote it; to be said wherever there are readers."
    )
    plain = PLAIN

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """No name is told because somebody forgot to say that it should not be."""
        if attrs["to"] in SHARED and "anonymous" not in attrs:
            raise serializers.ValidationError(
                {"anonymous": ["Say whether readers are not told who wrote it: true or false."]}
            )
        return attrs


class ToldShort(serializers.Serializer[Any]):
    """What a list shows of one."""

    id = serializers.UUIDField(source="public_id")
    mine = serializers.SerializerMethodField()
    title = serializers.SerializerMethodField()
    topics = serializers.SerializerMethodField(help_text="Those that the caller may know.")
    reach = serializers.ChoiceField(choices=Reach.choices)
    changed_at = serializers.DateTimeField()

    def get_mine(self, one: Told) -> bool:
        return one.author_id is not None and one.author_id == self.context["viewer"].person_id

    def get_title(self, one: Told) -> str:
        return title(one)

    def get_topics(self, one: Any) -> list[str]:
        return [topic.name for topic in one.shown_topics]


class ToldWhole(ToldShort):
    """One of them whole."""

    author = serializers.SerializerMethodField(help_text="Who wrote it, as the caller may know.")
    anonymous = serializers.BooleanField()
    team = TeamSaid(allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True)
    taken_away = serializers.SerializerMethodField(help_text="Why a moderator took it away, if one did.")

    def get_author(self, one: Told) -> str:
        return told.signed(one, self.context["viewer"])[0]

    def get_taken_away(self, one: Told) -> str:
        return one.moderated_why if one.hidden_at else ""


class ToldAddress(Mine):
    """What their addresses share."""

    kind: ClassVar[type[Told]]
    whole: ClassVar[type[ToldWhole]]

    @property
    def author(self) -> Person:
        """Who writes."""
        return cast(Person, self.request.user)

    def get_serializer_context(self) -> dict[str, Any]:
        """Who looks."""
        return {"viewer": self.viewer}

    def shown(self, public_id: UUID, code: int = status.HTTP_200_OK) -> Response:
        """One, as the caller reads it now."""
        one = told.told_or_404(self.kind, public_id, self.viewer)
        return Response(self.whole(one, context=self.get_serializer_context()).data, code)

    def mine(self, public_id: UUID) -> Told:
        """One of the caller's own, or 404; asked before a word of the request is read."""
        return told.mine_or_404(self.kind, public_id, self.viewer)

    def taken_back(self, public_id: UUID) -> Response:
        """A draft again, which nobody else reads; twice does no harm."""
        self.mine(public_id)
        told.withdraw(author=self.author, told=public_id)
        return self.shown(public_id)

    def deleted(self, public_id: UUID) -> Response:
        """Gone everywhere."""
        self.mine(public_id)
        told.delete(author=self.author, told=public_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


def to_of(values: dict[str, Any]) -> To:
    """Whom it is told, taken out of what was said."""
    anonymous = values.pop("anonymous", False)
    return To(values.pop("to"), values.pop("team"), anonymous, frozenset(values.pop("plain")))
