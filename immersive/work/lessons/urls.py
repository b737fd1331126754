from django.urls import include, path

from immersive.work.views import lessons, reviews

app_name = "lessons"
urlpatterns = [
    path("", lessons.listed, name="list"),
    path("new", lessons.new, name="new"),
    path("experiments/", include("immersive.work.lessons.experiment_urls")),
    path("review", reviews.review, name="review"),
    path("taken-away", lessons.taken_away, name="taken-away"),
    path("<uuid:public_id>/", lessons.lesson, name="lesson"),
    path("<uuid:public_id>/edit", lessons.edit, name="edit"),
    path("<uuid:public_id>/withdraw", lessons.withdraw, name="withdraw"),
    path("<uuid:public_id>/delete", lessons.delete, name="delete"),
    path("<uuid:public_id>/moderate", lessons.moderate, name="moderate"),
]
