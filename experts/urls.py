from django.urls import path

from experts import views

app_name = "experts"
urlpatterns = [
    path("", views.people, name="people"),
    path("<uuid:public_id>/", views.person, name="person"),
]
