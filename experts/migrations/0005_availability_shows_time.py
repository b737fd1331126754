from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("experts", "0004_people_who_know"),
    ]

    operations = [
        migrations.AddField(
            model_name="availability",
            name="shows_time",
            field=models.BooleanField(default=False, help_text="Colleagues see how much of it is left."),
        ),
    ]
