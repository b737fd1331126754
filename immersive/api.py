"""The API's addresses, version 1; each package brings its own views."""

from django.urls import include, path

from experts.api import PersonView

urlpatterns = [
    path("people/<uuid:public_id>", PersonView.as_view(), name="api-person"),
    path("", include("immersive.work.api")),
]
