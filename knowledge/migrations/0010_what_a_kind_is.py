"""The kind of a source in plain words."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0009_frameworks")]

    operations = [
        migrations.AlterField(
            model_name="source",
            name="kind",
            field=models.CharField(help_text="What reads it: a folder, a website, a wiki, …", max_length=32),
        ),
    ]
