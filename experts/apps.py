from django.apps import AppConfig


class ExpertsConfig(AppConfig):
    name = "experts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from experts import checks, receivers  # noqa: F401 - they register
        from experts.asking import moderation, still_right, tellers  # noqa: F401 - they register
        from experts.mentoring import my_mentoring  # noqa: F401 - they register

        receivers.connect()
