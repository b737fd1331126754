from django.urls import path

from immersive.work import views

app_name = "work"
urlpatterns = [
    path("", views.mine, name="list"),
    path("new", views.new, name="new"),
    path("mirror", views.mirror, name="mirror"),
    path("delete", views.delete_all, name="delete-all"),
    path("download", views.download, name="download"),
    path("<uuid:task_id>/", views.task, name="task"),
    path("<uuid:task_id>/assessment", views.assess, name="assess"),
    path("<uuid:task_id>/outcome", views.outcome, name="outcome"),
    path("<uuid:task_id>/delete", views.delete, name="delete"),
]
