"""Sharing over HTTP: whom a task of mine is shared with, whom I may share with, and what others share with me."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from experts import notices
from experts.models import Person
from immersive.work import sharing
from immersive.work.api.common import ONE_TASK, Mine, OneTask, Pages, answered
from immersive.work.models import ROUTES, Share, Task

MOST_NAMED = 8
NOBODY = "No colleague of this id can be found. Look for them by name among colleagues."


class ShareIn(serializers.Serializer[Any]):
    """Either a colleague or a team of the caller's, by id."""

    person = serializers.UUIDField(allow_null=True, default=None, help_text="As among colleagues.")
    team = serializers.UUIDField(allow_null=True, default=None, help_text="As among teams.")


class ShareOut(serializers.Serializer[Any]):
    """Somebody who sees a task of the caller's; ``id`` is that of the share, to take it back."""

    id = serializers.CharField(source="token")
    name = serializers.SerializerMethodField(help_text="Of the colleague, as far as the caller may know, or the team.")
    team = serializers.SerializerMethodField(help_text="Whether it is a team.")
    at = serializers.DateTimeField()

    def get_name(self, share: Any) -> str:
        return share.team.name if share.team else sharing.called(share.person, share.person_known)

    def get_team(self, share: Share) -> bool:
        return share.team_id is not None


class TeamOut(serializers.Serializer[Any]):
    """A team of the caller's."""

    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField(source="path")


class ColleagueOut(serializers.Serializer[Any]):
    """Somebody whom the caller may share with."""

    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField(source="display_name")
    role = serializers.CharField(allow_blank=True)


class NameAsked(serializers.Serializer[Any]):
    """Whose name it may be."""

    name = serializers.CharField(max_length=100)


class SharedShort(serializers.Serializer[Any]):
    """What a list shows of a task that somebody shares."""

    id = serializers.UUIDField(source="public_id")
    statement = serializers.CharField()
    due = serializers.DateField(allow_null=True)
    owner = serializers.SerializerMethodField(help_text="As far as the caller may know.")

    def get_owner(self, task: Any) -> str:
        return sharing.called(task.owner, task.owner_known)


class SharedStep(serializers.Serializer[Any]):
    """One step of its plan, as the caller may see it."""

    route = serializers.ChoiceField(choices=ROUTES)
    title = serializers.CharField(allow_blank=True, help_text="With what or whom, if the caller may know.")
    done = serializers.BooleanField()


class SharedOut(serializers.Serializer[sharing.Shared]):
    """What there is to do. Nothing of what its owner said of themselves, what was weighed, or how it went."""

    id = serializers.UUIDField(source="public_id")
    statement = serializers.CharField()
    context = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    page = serializers.CharField(source="page_url", allow_blank=True)
    due = serializers.DateField(allow_null=True)
    owner = serializers.CharField()
    mine = serializers.BooleanField()
    topics = serializers.ListField(child=serializers.CharField())
    started_from = serializers.UUIDField(source="started_from.public_id", allow_null=True, default=None)
    steps = SharedStep(many=True)


class SharesView(OneTask):
    """Whom the caller shares a task with."""

    @extend_schema(
        operation_id="tasks_shares",
        summary="Whom I share a task with",
        description=ONE_TASK,
        responses=ShareOut(many=True),
    )
    def get(self, request: Request, task_id: UUID) -> Response:
        """In the order in which they were let see it."""
        return self.shares(self.found(task_id))

    @extend_schema(
        operation_id="tasks_share",
        summary="Share a task with a colleague or a team of mine",
        description=f"{ONE_TASK} Who sees it already is not told twice.",
        request=ShareIn,
        responses={201: ShareOut(many=True)},
    )
    def post(self, request: Request, task_id: UUID) -> Response:
        """From now on they see what there is to do, and nothing that the caller said of themselves."""
        task, values = self.found(task_id), self.said(ShareIn)
        with answered("team" if values["team"] else "person"):
            sharing.share(task=task, owner=request.user, **self.whom(**values))
        return self.shares(task, status.HTTP_201_CREATED)

    def whom(self, person: UUID | None, team: UUID | None) -> dict[str, Any]:
        """The colleague or team of these ids; what the caller may not know is told as what never was."""
        teams = {one.public_id: one for one in sharing.teams_of(self.viewer)}
        others = Person.objects.visible_to(self.viewer).findable().exclude(pk=self.viewer.person_id or 0)
        one = others.filter(public_id=person).first() if person else None
        if person and one is None:
            raise ValidationError({"person": [NOBODY]})
        if team and team not in teams:
            raise ValidationError({"team": [sharing.NOT_YOURS]})
        return {"person": one, "team": teams[team] if team else None}

    def shares(self, task: Task, code: int = status.HTTP_200_OK) -> Response:
        """The shares as they are now."""
        return Response(ShareOut(sharing.shares_of(task, self.viewer), many=True).data, status=code)


class ShareView(OneTask):
    """One share of a task of the caller's."""

    @extend_schema(
        operation_id="tasks_share_back",
        summary="Share a task with them no more",
        description=ONE_TASK,
        responses={204: OpenApiResponse(description="From the next request on they see nothing of it.")},
    )
    def delete(self, request: Request, task_id: UUID, share: str) -> Response:
        """Take it back; twice does no harm."""
        sharing.take_back(task=self.found(task_id), owner=request.user, share=share)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ColleaguesView(Mine):
    """Whom the caller may share with, by name."""

    @extend_schema(
        operation_id="colleagues",
        summary="Colleagues who may be meant by a name",
        parameters=[NameAsked],
        responses=ColleagueOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Those who are found and do not hide; a few."""
        found = sharing.people_named(self.asked(NameAsked)["name"], self.viewer)
        return Response(ColleagueOut(found[:MOST_NAMED], many=True).data)


class TeamsView(Mine):
    """The caller's own teams."""

    @extend_schema(
        operation_id="teams_mine",
        summary="My teams, which a task can be shared with and a lesson told to",
        responses=TeamOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """In the order in which the caller came to them."""
        return Response(TeamOut(sharing.teams_of(self.viewer), many=True).data)


@extend_schema_view(get=extend_schema(operation_id="shared_list", summary="Tasks that others share with me"))
class SharedWithMe(Mine, ListAPIView[Any]):
    """What others share with the caller, begun last first."""

    serializer_class = SharedShort
    pagination_class = Pages

    def get_queryset(self) -> Any:
        """Those that are shared now."""
        return sharing.shared_with(self.viewer)


class SharedView(Mine):
    """One task as it is shared."""

    @extend_schema(
        operation_id="shared_read",
        summary="A task as it is shared",
        description="One that is shared with the caller, or their own as others see it; 404 for every other one.",
        responses=SharedOut,
    )
    def get(self, request: Request, task_id: UUID) -> Response:
        """What there is to do; the news of it is seen by that."""
        found = sharing.shared_or_404(task_id, self.viewer)
        notices.see(viewer=self.viewer, subjects=[task_id])
        return Response(SharedOut(found).data)
