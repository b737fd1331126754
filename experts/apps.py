from django.apps import AppConfig


class ExpertsConfig(AppConfig):
    name = "experts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from experts import checks, moderation, my_mentoring, receivers, still_right, tellers  # noqa: F401 - they register

        receivers.connect()
