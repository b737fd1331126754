from django.urls import URLPattern, path

app_name = "knowledge"
urlpatterns: list[URLPattern] = []
