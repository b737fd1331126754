"""The Celery application. Jobs live in each package's ``jobs.py``."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "immersive.settings")

TRANSPORT_ALIASES["filesystem"] = "immersive.broker:Transport"
app = Celery("immersive")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(related_name="jobs")
