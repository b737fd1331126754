"""The package that holds what can be found, and finding it."""

from django.apps import AppConfig


class KnowledgeConfig(AppConfig):
    """Registers the checks of its settings."""

    name = "knowledge"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from knowledge import checks  # noqa: F401 - registers itself
