"""Search and resources over HTTP, inside the caller's rights."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from knowledge.access import Viewer, resource_or_404
from knowledge.documents import KINDS, Facet, Passage, Result
from knowledge.explain import Why
from knowledge.index.language import parse
from knowledge.live import LiveResult, Offer, Said, ask_all, offer_of, one_of, words_sent
from knowledge.models import Resource
from knowledge.pages import Note, notes
from knowledge.search import search
from knowledge.typeahead import GROUPS, suggest

SUGGESTED = (*KINDS, "topic", "search")
NO_SERVICE = OpenApiResponse(description="No such service, or none that the caller may ask: the answers are the same.")
NOT_FOUND = OpenApiResponse(description="No such resource, or none that the caller may read: the answers are the same.")


class ResourceSummary(serializers.Serializer[Resource]):
    """What a list shows of a resource."""

    id = serializers.UUIDField(source="public_id")
    kind = serializers.ChoiceField(choices=KINDS)
    title = serializers.CharField()
    url = serializers.CharField(help_text="Where the original is: an http or https address, or nothing.")
    source = serializers.CharField(source="source.name")  # type: ignore[assignment]
    topics = serializers.SerializerMethodField()
    language = serializers.CharField()
    updated = serializers.DateTimeField(allow_null=True)
    facts = serializers.DictField(help_text="What only this kind has: jobs, duration_minutes, next_date, price, role.")

    def get_topics(self, resource: Resource) -> list[str]:
        return [topic.name for topic in resource.topics.all()]


class NoteSerializer(serializers.Serializer[Note]):
    """A lesson that concerns a resource."""

    id = serializers.UUIDField(source="lesson.public_id")
    title = serializers.CharField(source="lesson.title")
    say = serializers.CharField(help_text="What is worth knowing before the resource is used.")


LESSONS = NoteSerializer(many=True, help_text="Lessons that concern it and the caller may read, the newest first.")


class ResourceDetail(ResourceSummary):
    """A resource with its text."""

    body = serializers.CharField(help_text="Plain text with Markdown headings and lists.")
    lessons = serializers.SerializerMethodField()

    @extend_schema_field(LESSONS)
    def get_lessons(self, resource: Resource) -> Any:
        return NoteSerializer(self.context["notes"].get(resource.pk, ()), many=True).data


class ReasonSerializer(serializers.Serializer[Any]):
    """One part of a score."""

    part = serializers.CharField()
    score = serializers.FloatField()


class MatchedSerializer(serializers.Serializer[Any]):
    """A word and where it stands."""

    word = serializers.CharField()
    places = serializers.ListField(child=serializers.CharField(), help_text="title, headings, text, topics")
    instead_of = serializers.CharField(help_text="The words of the query that it is another way to say, if it is.")


class ShareSerializer(serializers.Serializer[Any]):
    """One part of a score, and its share."""

    part = serializers.CharField(source="name")
    score = serializers.FloatField()
    share = serializers.FloatField(help_text="Of all that is not a pin, from -1 to 1.")


class LineSerializer(serializers.Serializer[Any]):
    """What the page says of one part, or of several that are one to a reader."""

    label = serializers.CharField()  # type: ignore[assignment]
    percent = serializers.IntegerField()
    less = serializers.BooleanField(help_text="Whether it takes away.")


class WhySerializer(serializers.Serializer[Why]):
    """Why a result stands where it stands."""

    sentences = serializers.ListField(child=serializers.CharField())
    lines = LineSerializer(many=True)
    words = MatchedSerializer(many=True)
    lacking = serializers.ListField(child=serializers.CharField(), help_text="Words that do not stand in it.")
    parts = ShareSerializer(many=True)
    pinned = serializers.BooleanField(help_text="Whether a curator put it first for these words.")


class PassageSerializer(serializers.Serializer[Passage]):
    """A few sentences of a resource, and where they stand."""

    html = serializers.CharField(help_text="Safe HTML, as the title; code stands in <code>.")
    heading = serializers.CharField(help_text="The path of headings above it.")
    place = serializers.CharField(help_text="The fragment of the resource's page here that leads there.")
    mark = serializers.CharField(help_text="The page or the time in the original, in words.")
    by_meaning = serializers.BooleanField(help_text="Whether it is near in meaning, and no word of q stands in it.")


class AlikeSerializer(serializers.Serializer[Result]):
    """A result that says nearly the same as another."""

    id = serializers.UUIDField(source="resource.public_id")
    title = serializers.CharField(help_text="Safe HTML, as the title of the other.")


class ResultSerializer(serializers.Serializer[Result]):
    """One result, in its place."""

    resource = ResourceSummary()
    title = serializers.CharField(help_text="Safe HTML: text, escaped, with <mark> around what matched.")
    passage = serializers.CharField(help_text="Safe HTML, as the title: the first of passages.")
    passages = PassageSerializer(many=True)
    similar = AlikeSerializer(many=True, help_text="What says nearly the same; it counts in total.")
    score = serializers.FloatField()
    reasons = serializers.SerializerMethodField()
    why = serializers.SerializerMethodField(help_text="With explain=1; else nothing.")
    lessons = serializers.SerializerMethodField()

    def get_reasons(self, result: Result) -> list[dict[str, Any]]:
        return [{"part": part, "score": score} for part, score in result.reasons]

    @extend_schema_field(LESSONS)
    def get_lessons(self, result: Result) -> Any:
        return NoteSerializer(self.context["notes"].get(result.resource.pk, ()), many=True).data

    @extend_schema_field(WhySerializer(allow_null=True))
    def get_why(self, result: Result) -> Any:
        return WhySerializer(result.why).data if result.why else None


class FacetSerializer(serializers.Serializer[Facet]):
    """How many visible matches have one value."""

    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    count = serializers.IntegerField()
    chosen = serializers.BooleanField()


class ReadAsSerializer(serializers.Serializer[Any]):
    """One sign in a text, as it was read."""

    sign = serializers.CharField(help_text="phrase, any of, words that begin with, not")
    said = serializers.CharField()

    def to_representation(self, instance: tuple[str, str]) -> dict[str, str]:
        return dict(zip(("sign", "said"), instance, strict=True))


class LiveServiceSerializer(serializers.Serializer[Any]):
    """A service outside that can be asked for this search, and how."""

    id = serializers.UUIDField(source="key")
    name = serializers.CharField()
    at_once = serializers.BooleanField(help_text="Whether the page asks it without a click: curators trust it.")
    url = serializers.CharField(help_text="Where to ask it here. It is told the plain words of q, and nothing else.")


class ResultPageSerializer(serializers.Serializer[Any]):
    """One page of results."""

    total = serializers.IntegerField()
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    notice = serializers.CharField(help_text="How an odd query was read, or that nothing but titles was searched.")
    read_as = ReadAsSerializer(many=True, help_text="How its signs were read; filters are among the facets.")
    did_you_mean = serializers.CharField(help_text="Another spelling, in words that are known here, if there is one.")
    instead_of = serializers.CharField(
        help_text="What was typed, where nothing matched it and the results are those of did_you_mean; else nothing."
    )
    results = ResultSerializer(many=True)
    facets = serializers.DictField(child=FacetSerializer(many=True))
    live = serializers.SerializerMethodField(help_text="Services outside to ask beside this; with the first page only.")

    @extend_schema_field(LiveServiceSerializer(many=True))
    def get_live(self, page: Any) -> Any:
        offer: Offer = self.context["offer"]
        query = urlencode({"q": offer.words})
        services = [
            {
                "key": source.key,
                "name": source.name,
                "at_once": source in offer.at_once,
                "url": f"{reverse('api-search-live', args=[source.key])}?{query}",
            }
            for source in offer.all
        ]
        return LiveServiceSerializer(services, many=True).data


class SearchParameters(serializers.Serializer[Any]):
    """What can be asked."""

    q = serializers.CharField(max_length=10_000, allow_blank=True, trim_whitespace=False)
    page = serializers.IntegerField(min_value=1, max_value=1000, default=1)
    as_typed = serializers.BooleanField(default=False, help_text="Never search for another spelling instead.")
    explain = serializers.BooleanField(default=False, help_text="Whether to say why each result stands where it does.")


class SearchView(APIView):
    """Search everything the caller may read."""

    @extend_schema(operation_id="search", parameters=[SearchParameters], responses=ResultPageSerializer)
    def get(self, request: Request) -> Response:
        """One ranked list of pages, tools, courses and people; ``docs/search.md`` explains the words of ``q``."""
        asked = SearchParameters(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted, viewer = dict(asked.validated_data), Viewer.of(request.user)
        page = search(wanted.pop("q"), viewer, **wanted)
        rows = [result.resource for result in page.results]
        prefetch_related_objects(rows, "topics")
        context = {"offer": offer_of(page, viewer), "notes": notes(rows, viewer)}
        return Response(ResultPageSerializer(page, context=context).data)


class LiveResultSerializer(serializers.Serializer[LiveResult]):
    """One thing that a service outside found. Nobody here vouches for it."""

    title = serializers.CharField(help_text="Safe HTML: text, escaped, with <mark> around what matched.")
    passage = serializers.CharField(help_text="Safe HTML, as the title.")
    link = serializers.CharField(help_text="An http or https address.")
    updated = serializers.DateTimeField(allow_null=True)
    notes = serializers.ListField(child=serializers.CharField())


class SaidSerializer(serializers.Serializer[Said]):
    """What a service outside said, or why it said nothing."""

    id = serializers.UUIDField(source="source.key")
    name = serializers.CharField(source="source.name")
    words = serializers.SerializerMethodField(help_text="What it was told, or would have been.")
    results = LiveResultSerializer(many=True)
    trouble = serializers.CharField(help_text="Why there is no answer, in words that go on after its name; or nothing.")
    busy = serializers.BooleanField(help_text="It was not asked, since too many wait at this moment: ask again later.")

    def get_words(self, said: Said) -> str:
        return str(self.context["words"])


class LiveParameters(serializers.Serializer[Any]):
    """What a service is to be asked."""

    q = serializers.CharField(max_length=10_000, allow_blank=True, trim_whitespace=False)


class LiveSourceView(APIView):
    """One service outside, asked here and now."""

    @extend_schema(
        operation_id="search_live", parameters=[LiveParameters], responses={200: SaidSerializer, 404: NO_SERVICE}
    )
    @sensitive_variables()
    def get(self, request: Request, key: UUID) -> Response:
        """What it finds for the plain words of ``q``, within its deadline; one that fails is left alone for a while."""
        asked = LiveParameters(data=request.query_params)
        asked.is_valid(raise_exception=True)
        viewer, query = Viewer.of(request.user), parse(asked.validated_data["q"])
        (said,) = ask_all([one_of(key, viewer)], query, viewer)
        return Response(SaidSerializer(said, context={"words": words_sent(query)}).data)


class SuggestionSerializer(serializers.Serializer[Any]):
    """One thing that may be meant."""

    kind = serializers.ChoiceField(choices=SUGGESTED)
    text = serializers.CharField()
    html = serializers.CharField(help_text="Safe HTML: the text, escaped, with <mark> around what was typed.")
    url = serializers.CharField(help_text="Where it leads, on this site.")
    detail = serializers.CharField(help_text="A few words more: role, source, how many documents.")
    verified = serializers.BooleanField(help_text="Whether somebody vouches for it today.")


class SuggestionGroupSerializer(serializers.Serializer[Any]):
    """Suggestions of one sort."""

    name = serializers.ChoiceField(choices=list(GROUPS))
    label = serializers.CharField()  # type: ignore[assignment]
    suggestions = SuggestionSerializer(many=True)


class SuggestParameters(serializers.Serializer[Any]):
    """What was typed so far."""

    q = serializers.CharField(max_length=10_000, allow_blank=True, trim_whitespace=False)


class SuggestView(APIView):
    """What may be meant by a text that is still being typed."""

    @extend_schema(
        operation_id="suggest", parameters=[SuggestParameters], responses=SuggestionGroupSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        """People, tools, pages and topics that the caller may see and whose names hold ``q``; searches of their own."""
        asked = SuggestParameters(data=request.query_params)
        asked.is_valid(raise_exception=True)
        groups = suggest(asked.validated_data["q"], Viewer.of(request.user))
        return Response(SuggestionGroupSerializer(groups, many=True).data)


class ResourceView(APIView):
    """One resource."""

    @extend_schema(operation_id="resource", responses={200: ResourceDetail, 404: NOT_FOUND})
    def get(self, request: Request, public_id: UUID) -> Response:
        """What it says, if the caller may read it."""
        viewer = Viewer.of(request.user)
        found = resource_or_404(public_id, viewer)
        return Response(ResourceDetail(found, context={"notes": notes([found], viewer)}).data)
