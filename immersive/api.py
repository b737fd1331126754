"""The API's addresses, version 1; each package brings its own views. How it refuses what does not fit."""

from typing import Any

from django.urls import include, path, reverse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from experts.api import PersonView, WhoKnowsView
from knowledge.api import LiveSourceView, ResourceView, SearchView, SuggestView

REFUSED = {
    "description": "Something does not fit: of each field that does not, what is wrong and what would fit.",
    "content": {"application/json": {"schema": {"type": "object", "additionalProperties": True}}},
}
ABSENT = {"description": "There is none, or none for the caller: the answers are the same."}


def answer(problem: Exception, context: dict[str, Any]) -> Response | None:
    """What does not fit is answered as on the pages, with 422 by field; 400 is what cannot be read at all."""
    answered: Response | None = exception_handler(problem, context)
    if answered is not None and isinstance(problem, ValidationError):
        answered.status_code = 422
    return answered


def say_refusals(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The description says that answer of every operation that is told anything, and 404 where something is named."""
    for operations in result["paths"].values():
        for operation in operations.values():
            places = {one["in"] for one in operation.get("parameters", ())}
            if "query" in places or "requestBody" in operation:
                operation["responses"]["422"] = REFUSED
            if "path" in places:
                operation["responses"].setdefault("404", ABSENT)
    return result


PARTS = ("search", "suggest", "people", "colleagues", "teams", "tasks", "recall", "reminders", "mirror", "lessons",
         "experiments")  # fmt: skip


class BeginningView(APIView):
    """Where each part of the API begins, by what it is called in the description at ``schema``."""

    @extend_schema(
        responses={(200, "application/json"): {"type": "object", "additionalProperties": {"type": "string"}}}
    )
    def get(self, request: Request) -> Response:
        """Addresses of what can be asked without an id."""
        parts = {part: f"api-{part}" for part in PARTS} | {"schema": "schema"}
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
