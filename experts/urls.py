from django.urls import URLPattern, path

app_name = "experts"
urlpatterns: list[URLPattern] = []
