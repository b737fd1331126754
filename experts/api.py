"""One person over the API: what their page tells, by the same rule, for the account that asks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experts.evidence import shown, topics_of, written_by
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
