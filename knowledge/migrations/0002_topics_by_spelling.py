"""Topics are unique by their spelling; their slug is what spellings of one topic share."""

from typing import Any

from django.db import migrations, models


def compare_anew(apps: Any, schema_editor: Any) -> None:
    """Slugs as topics are compared; and every document is read again, to be linked to its own spellings."""
    from knowledge.index.analysis import topic_key

    for topic in apps.get_model("knowledge", "Topic").objects.all():
        topic.slug = topic_key(topic.name)[:80]
        topic.save(update_fields=["slug"])
    apps.get_model("knowledge", "Resource").objects.update(version="", fingerprint="")


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0001_initial")]

    operations = [
        migrations.AlterModelOptions(name="topic", options={"ordering": ["name"]}),
        migrations.AlterField("topic", "slug", models.SlugField(allow_unicode=True, max_length=80)),
        migrations.RunPython(compare_anew, migrations.RunPython.noop),
        migrations.AlterField("topic", "name", models.CharField(max_length=80, unique=True)),
    ]
