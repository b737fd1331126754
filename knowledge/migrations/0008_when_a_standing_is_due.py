"""A standing is counted when it is due; all that there are now are."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0007_waiting_searches_and_gaps")]

    operations = [
        migrations.RemoveField(model_name="standing", name="weighed_at"),
        migrations.AddField(
            model_name="standing",
            name="due_at",
            field=models.DateTimeField(db_index=True, default=django.utils.timezone.now, null=True),
        ),
    ]
