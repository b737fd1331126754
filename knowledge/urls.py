"""Addresses of resources. The id is random: nobody finds one by counting."""

from django.urls import path

from knowledge import views

app_name = "knowledge"
urlpatterns = [
    path("search/suggest", views.suggestions, name="suggest"),
    path("search/live", views.live, name="live"),
    path("search/live/<uuid:key>", views.live_source, name="live-source"),
    path("r/<uuid:public_id>", views.resource, name="resource"),
    path("r/<uuid:public_id>/helped", views.helped, name="helped"),
    path("r/<uuid:public_id>/verify", views.verify, name="verify"),
    path("frameworks/bring", views.bring_framework, name="bring-framework"),
]
