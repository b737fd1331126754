"""When followers are looked at for news next and wishes for mentors were looked at last, and by what is forgotten."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("experts", "0009_names_that_were_removed")]

    operations = [
        migrations.AddField(
            model_name="follow",
            name="look_at",
            field=models.DateTimeField(
                db_index=True, default=django.utils.timezone.now, help_text="When to look for news next."
            ),
        ),
        migrations.AddField(
            model_name="wish",
            name="looked_at",
            field=models.DateTimeField(editable=False, help_text="When a mentor was last looked for.", null=True),
        ),
        migrations.AlterField(
            model_name="mentorship", name="key", field=models.CharField(db_index=True, max_length=80)
        ),
        migrations.AlterField(model_name="digest", name="day", field=models.DateField(db_index=True)),
        migrations.AddIndex(model_name="notice", index=models.Index(fields=["at"], name="notice_by_time")),
    ]
