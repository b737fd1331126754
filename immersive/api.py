"""The API's addresses, version 1; each package brings its own views."""

from django.urls import URLPattern, path

urlpatterns: list[URLPattern] = []
