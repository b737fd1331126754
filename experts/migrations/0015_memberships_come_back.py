"""Which memberships are opened again with an account, and people called people in the operator pages."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("experts", "0014_followers_by_time")]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="comes_back",
            field=models.BooleanField(
                default=False,
                editable=False,
                help_text="Closed as a service ended the account: opened when it is given back.",
            ),
        ),
        migrations.AlterModelOptions(
            name="person", options={"verbose_name": "person", "verbose_name_plural": "people"}
        ),
    ]
