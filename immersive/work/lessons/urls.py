from django.urls import path

from immersive.work.views import experiments, lessons, reviews, told

app_name = "lessons"
urlpatterns = [
    path("", lessons.listed, name="list"),
    path("new", lessons.new, name="new"),
    path("review", reviews.review, name="review"),
    path("taken-away", told.taken_away, name="taken-away"),
    path("experiments/", experiments.listed, name="experiments"),
    path("experiments/new", experiments.new, name="experiment-new"),
    path("experiments/<uuid:public_id>/", experiments.experiment, name="experiment"),
    path("experiments/<uuid:public_id>/edit", experiments.edit, name="experiment-edit"),
    path("<uuid:public_id>/", lessons.lesson, name="lesson"),
    path("<uuid:public_id>/edit", lessons.edit, name="edit"),
    # of a lesson or an experiment
    path("<uuid:public_id>/withdraw", told.withdraw, name="withdraw"),
    path("<uuid:public_id>/delete", told.delete, name="delete"),
    path("<uuid:public_id>/moderate", told.moderate, name="moderate"),
]
