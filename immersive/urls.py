"""Addresses. Ids in them are random; every one needs a sign-in unless it is marked as public."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from immersive import sign_in, views

handler400 = views.not_understood
handler500 = views.broken

admin.site.site_header = admin.site.site_title = "Operate Immersive"
admin.site.index_title = "What you may look after"

urlpatterns = [
    path("", views.home, name="home"),
    path("search", views.search, name="search"),
    path("search/help", views.search_help, name="search-help"),
    path("search/waiting", views.waiting_searches, name="waiting"),
    path("search/waiting/<uuid:public_id>/stop", views.stop_waiting, name="stop-waiting"),
    path("patterns", views.patterns, name="patterns"),
    path("theme", views.theme, name="theme"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("sign-in", sign_in.SignIn.as_view(), name="sign-in"),
    path("sign-out", auth.LogoutView.as_view(), name="sign-out"),
    path("password/", sign_in.ChangePassword.as_view(), name="password"),
    path("password/set/<uidb64>/<token>/", sign_in.SetPassword.as_view(), name="set-password"),
    path("", include("knowledge.urls")),
    path("", include("experts.urls")),
    path("tasks/", include("immersive.work.urls")),
    path("lessons/", include("immersive.work.lessons.urls")),
    path("scim/v2/", include("experts.views.scim")),
    path("api/v1/", include("immersive.api")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("operate/login/", sign_in.to_operate, name="operate-sign-in"),
    path("operate/password_change/", RedirectView.as_view(pattern_name="password"), name="operate-password"),
    path("operate/", admin.site.urls),
]
