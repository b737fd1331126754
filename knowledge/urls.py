"""Addresses of resources. The id is random: nobody finds one by counting."""

from django.urls import path

from knowledge import views

app_name = "knowledge"
urlpatterns = [
    path("search/suggest", views.suggestions, name="suggest"),
    path("r/<uuid:public_id>", views.resource, name="resource"),
]
