"""Frameworks: lists of topics with codes, other names, parents and levels."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("knowledge", "0008_when_a_standing_is_due"),
    ]

    operations = [
        migrations.CreateModel(
            name="Framework",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(max_length=120, unique=True)),
                (
                    "attribution",
                    models.TextField(blank=True, help_text="Shown wherever its words are shown.", max_length=1000),
                ),
                ("imported_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="FrameworkTopic",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=200)),
                ("name", models.CharField(max_length=200)),
                ("key", models.CharField(db_index=True, max_length=80)),
                ("description", models.TextField(blank=True)),
                ("levels", models.JSONField(default=list)),
                ("parent", models.CharField(blank=True, max_length=200)),
                ("digest", models.CharField(editable=False, max_length=32)),
                ("gone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "framework",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="topics", to="knowledge.framework"
                    ),
                ),
            ],
            options={
                "ordering": ["name", "pk"],
            },
        ),
        migrations.CreateModel(
            name="FrameworkName",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                ("key", models.CharField(db_index=True, max_length=80)),
                (
                    "topic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="others",
                        to="knowledge.frameworktopic",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="frameworktopic",
            index=models.Index(fields=["framework", "parent"], name="knowledge_f_framewo_1923bc_idx"),
        ),
        migrations.AddConstraint(
            model_name="frameworktopic",
            constraint=models.UniqueConstraint(fields=("framework", "code"), name="one_topic_per_code"),
        ),
    ]
