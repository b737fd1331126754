"""The API's addresses, version 1; each package brings its own views."""

from django.urls import include, path

from experts.api import PersonView, WhoKnowsView
from knowledge.api import LiveSourceView, ResourceView, SearchView, SuggestView

urlpatterns = [
    path("search", SearchView.as_view(), name="api-search"),
    path("search/live/<uuid:key>", LiveSourceView.as_view(), name="api-search-live"),
    path("suggest", SuggestView.as_view(), name="api-suggest"),
    path("resources/<uuid:public_id>", ResourceView.as_view(), name="api-resource"),
    path("people", WhoKnowsView.as_view(), name="api-people"),
    path("people/<uuid:public_id>", PersonView.as_view(), name="api-person"),
    path("", include("immersive.work.api")),
]
