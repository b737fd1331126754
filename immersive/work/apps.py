from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "immersive.work"
    label = "work"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from immersive.work import reminding, sharing  # noqa: F401 - they register
