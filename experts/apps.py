from django.apps import AppConfig


class ExpertsConfig(AppConfig):
    name = "experts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from experts import moderation, receivers, still_right  # noqa: F401 - two of them say how notices are told

        receivers.connect()
