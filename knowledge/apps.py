"""The package that holds what can be found, and finding it."""

from django.apps import AppConfig


class KnowledgeConfig(AppConfig):
    """Registers the checks of its settings, and who listens to what happens to accounts."""

    name = "knowledge"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from knowledge import checks, live_kept  # noqa: F401 - register themselves
