from django.urls import URLPattern, path

app_name = "work"
urlpatterns: list[URLPattern] = []
