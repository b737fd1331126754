from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "immersive.work"
    label = "work"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from immersive.work import reminding, sharing  # noqa: F401 - they register
        from immersive.work.lessons import connector, experiments, telling  # noqa: F401 - its tellers register
        from knowledge import signals

        signals.source_synced.connect(connector.settle, dispatch_uid="work.lessons")
