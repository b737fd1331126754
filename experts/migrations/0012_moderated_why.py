from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("experts", "0011_unnamed_shows_later")]

    operations = [
        operation
        for model in ("ask", "answer")
        for operation in (
            migrations.RenameField(model, "hidden_why", "moderated_why"),
            migrations.AlterField(
                model,
                "moderated_why",
                models.CharField(blank=True, help_text="Why it was taken away, or given back.", max_length=300),
            ),
        )
    ]
