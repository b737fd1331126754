"""Followers of a topic in the order in which they came, however many there are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("experts", "0013_deleted_proposals")]

    operations = [
        migrations.AlterField(model_name="follow", name="key", field=models.CharField(max_length=80)),
        migrations.AddIndex(model_name="follow", index=models.Index(fields=["key", "at"], name="followers_by_time")),
    ]
