"""People over the API: who knows, and what one's page tells, by the same rules, for the account that asks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experts.evidence import shown, topics_of, written_by
from experts.finder import find
from experts.models import Person
from knowledge.access import Viewer

TOLD_EVIDENCE = 50


class EvidenceSerializer(serializers.Serializer[Any]):
    """A document that this person worked on and that the caller may read."""

    resource = serializers.UUIDField(source="resource.public_id", help_text="Id of the resource.")
    title = serializers.CharField(source="resource.title")
    share = serializers.FloatField(min_value=0, max_value=1, help_text="Their part of the changed lines.")
    last = serializers.DateTimeField(allow_null=True, help_text="Their latest change, where the source tells it.")
    by_name = serializers.BooleanField(
        help_text="Only the author's name says that it was they; no checked e-mail address does."
    )


class PersonSerializer(serializers.Serializer[Any]):
    """A colleague. Addresses, accounts and anything about their tasks are never told."""

    id = serializers.UUIDField(source="person.public_id")
    name = serializers.CharField(source="person.display_name")
    role = serializers.CharField(source="person.role", allow_blank=True)
    teams = serializers.ListField(child=serializers.CharField(), help_text="Paths such as “Engineering / Data”.")
    location = serializers.CharField(source="person.location", allow_blank=True)
    topics = serializers.ListField(
        child=serializers.CharField(), help_text="Of the documents that the caller may read."
    )
    evidence = EvidenceSerializer(many=True, help_text=f"Newest first, at most {TOLD_EVIDENCE}.")


class ReasonSerializer(serializers.Serializer[Any]):
    """One thing that speaks for a person."""

    text = serializers.CharField()
    url = serializers.CharField(help_text="Where it can be opened, an address within the portal.")


class ExpertSerializer(serializers.Serializer[Any]):
    """Somebody who knows, with what speaks for them. No score of a person is ever told."""

    id = serializers.UUIDField(source="person.public_id")
    name = serializers.CharField(source="person.display_name")
    role = serializers.CharField(source="person.role", allow_blank=True)
    reasons = ReasonSerializer(many=True)
    documents = serializers.IntegerField(
        min_value=0, help_text="Of what is close to the question and what the caller may read, how many they worked on."
    )
    last = serializers.DateTimeField(allow_null=True, help_text="Their latest work on one of them.")


class WhoKnowsParameters(serializers.Serializer[Any]):
    """What somebody should know about."""

    q = serializers.CharField(max_length=10_000, trim_whitespace=False, help_text="As typed into the search box.")
    count = serializers.IntegerField(min_value=1, max_value=20, default=5)


class WhoKnowsView(APIView):
    """GET ``/api/v1/people``."""

    @extend_schema(
        operation_id="people_who_know",
        summary="Who knows about something, best first, by what the caller may read",
        tags=["people"],
        parameters=[WhoKnowsParameters],
        responses=ExpertSerializer(many=True),
    )
    @method_decorator(sensitive_variables())
    def get(self, request: Request) -> Response:
        asked = WhoKnowsParameters(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        experts = find(wanted["q"], Viewer.of(request.user), count=wanted["count"])
        return Response(ExpertSerializer(experts, many=True).data)


class PersonView(APIView):
    """GET ``/api/v1/people/{public_id}``."""

    @extend_schema(
        operation_id="people_retrieve",
        summary="One person, with the evidence that the caller may read",
        tags=["people"],
        responses={
            200: PersonSerializer,
            404: OpenApiResponse(
                description="There is no such person, or none any more; the two answers are the same."
            ),
        },
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        viewer = Viewer.of(request.user)
        person = get_object_or_404(Person.objects.visible_to(viewer), public_id=public_id)
        told = {
            "person": person,
            "teams": [membership.team.path for membership in person.memberships.current().with_path()],
            "topics": [topic["name"] for topic in topics_of(person, viewer)],
            "evidence": shown(written_by(person, viewer)[:TOLD_EVIDENCE]),
        }
        return Response(PersonSerializer(told).data)
