"""Addresses. Ids in them are random; every one needs a sign-in unless it is marked as public."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from immersive import views

urlpatterns = [
    path("", views.home, name="home"),
    path("search", views.search, name="search"),
    path("patterns", views.patterns, name="patterns"),
    path("theme", views.theme, name="theme"),
    path("sign-in", auth.LoginView.as_view(template_name="immersive/sign_in.html"), name="sign-in"),
    path("sign-out", auth.LogoutView.as_view(), name="sign-out"),
    path("", include("knowledge.urls")),
    path("people/", include("experts.urls")),
    path("tasks/", include("immersive.work.urls")),
    path("api/v1/", include("immersive.api")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("operate/", admin.site.urls),
]
