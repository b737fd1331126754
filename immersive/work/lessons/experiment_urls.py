"""Addresses of experiments; they belong to those of lessons."""

from django.urls import path

from immersive.work.views import experiments

urlpatterns = [
    path("", experiments.listed, name="experiments"),
    path("new", experiments.new, name="experiment-new"),
    path("<uuid:public_id>/", experiments.experiment, name="experiment"),
    path("<uuid:public_id>/edit", experiments.edit, name="experiment-edit"),
    path("<uuid:public_id>/withdraw", experiments.withdraw, name="experiment-withdraw"),
    path("<uuid:public_id>/delete", experiments.delete, name="experiment-delete"),
    path("<uuid:public_id>/moderate", experiments.moderate, name="experiment-moderate"),
]
