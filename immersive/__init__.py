"""The portal: settings, addresses, the home and search pages, and the rooms above the index."""

from immersive.celery import app as celery_app

__all__ = ["celery_app"]
