"""When a proposal of a team was deleted: it stays, empty, for as long as its asks count."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("experts", "0012_moderated_why")]

    operations = [
        migrations.AddField(
            model_name="proposal", name="deleted_at", field=models.DateTimeField(editable=False, null=True)
        ),
    ]
