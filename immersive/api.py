"""The API's addresses, version 1; each package brings its own views."""

from django.urls import include, path, reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experts.api import PersonView, WhoKnowsView
from knowledge.api import LiveSourceView, ResourceView, SearchView, SuggestView


class BeginningView(APIView):
    """Where each part of the API begins, by what it is called in the description at ``schema``."""

    @extend_schema(
        responses={(200, "application/json"): {"type": "object", "additionalProperties": {"type": "string"}}}
    )
    def get(self, request: Request) -> Response:
        """Addresses of what can be asked without an id."""
        parts = {part: f"api-{part}" for part in ("search", "suggest", "people", "tasks")} | {"schema": "schema"}
        return Response({part: request.build_absolute_uri(reverse(name)) for part, name in parts.items()})


urlpatterns = [
    path("", BeginningView.as_view(), name="api"),
    path("search", SearchView.as_view(), name="api-search"),
    path("search/live/<uuid:key>", LiveSourceView.as_view(), name="api-search-live"),
    path("suggest", SuggestView.as_view(), name="api-suggest"),
    path("resources/<uuid:public_id>", ResourceView.as_view(), name="api-resource"),
    path("people", WhoKnowsView.as_view(), name="api-people"),
    path("people/<uuid:public_id>", PersonView.as_view(), name="api-person"),
    path("", include("immersive.work.api")),
]
