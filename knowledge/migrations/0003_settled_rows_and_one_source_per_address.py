"""Rows note what the index is known to hold of them; and one address of a kind is one source."""

from typing import Any

from django.db import migrations, models
from django.db.models import F, Q


def take_out_doubles(apps: Any, schema_editor: Any) -> None:
    """Of sources that two people added at the same moment the first one stays; nobody reads the others any more."""
    sources = apps.get_model("knowledge", "Source").objects
    for source in sources.exclude(address="").order_by("pk"):
        sources.filter(kind=source.kind, address=source.address, pk__gt=source.pk).update(active=False, address="")


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0002_topics_by_spelling")]

    operations = [
        migrations.AddField("indexstamp", "settled", models.BooleanField(default=False)),
        migrations.AddField("resource", "settled", models.CharField(default="?", editable=False, max_length=64)),
        migrations.AddIndex(
            "resource",
            models.Index(
                condition=Q(index_hash__lt=F("settled")) | Q(index_hash__gt=F("settled")),
                fields=["id"],
                name="resource_unsettled",
            ),
        ),
        migrations.RunPython(take_out_doubles, migrations.RunPython.noop),
        migrations.AddConstraint(
            "source",
            models.UniqueConstraint(
                condition=~Q(address=""), fields=["kind", "address"], name="one_source_per_address"
            ),
        ),
    ]
