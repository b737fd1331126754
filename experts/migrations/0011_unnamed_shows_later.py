from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("experts", "0010_looked_at_in_turn")]

    operations = [
        migrations.AlterField("ask", "mark", models.CharField(blank=True, editable=False, max_length=64)),
        migrations.AddField("ask", "key", models.CharField(editable=False, max_length=64, null=True, unique=True)),
        migrations.CreateModel(
            "Later",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("verb", models.CharField(max_length=8)),
                ("said", models.CharField(blank=True, max_length=200)),
                ("due_at", models.DateTimeField(db_index=True)),
                ("ask", models.ForeignKey(on_delete=models.CASCADE, related_name="+", to="experts.ask")),
                (
                    "answer",
                    models.ForeignKey(null=True, on_delete=models.CASCADE, related_name="+", to="experts.answer"),
                ),
            ],
        ),
        migrations.AddIndex("person", models.Index(Lower("username"), name="person_by_username")),
        migrations.AddIndex("person", models.Index(Lower("email"), name="person_by_email")),
    ]
