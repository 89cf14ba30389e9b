"""What is found wrong with the books has a row of its own, witnessed and versioned."""

import django.db.models.functions.datetime
import simple_history.models
from django.db import migrations, models

import audit.typeids
from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Makes the tables of findings and checks, and runs `transactions/sql/0011_findings`."""

    dependencies = [
        ("transactions", "0010_payees"),
    ]

    operations = [
        migrations.CreateModel(
            name="BooksCheck",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=audit.typeids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "checked_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), db_index=True
                    ),
                ),
                ("duration_ms", models.PositiveIntegerField()),
                ("findings", models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="HistoricalFinding",
            fields=[
                ("history_actor", models.TextField(db_default="", default="")),
                ("history_trace_id", models.CharField(db_default="", default="", max_length=32)),
                (
                    "id",
                    models.UUIDField(db_index=True, default=audit.typeids.uuid7, editable=False),
                ),
                ("history_user_id", models.UUIDField(null=True)),
                ("invariant", models.CharField(max_length=10)),
                ("promise", models.CharField(max_length=200)),
                ("subject", models.CharField(max_length=200)),
                ("detail", models.CharField(max_length=500)),
                (
                    "first_seen_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("gone_at", models.DateTimeField(null=True)),
                (
                    "history_id",
                    models.UUIDField(
                        default=audit.typeids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")],
                        max_length=1,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical finding",
                "verbose_name_plural": "historical findings",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Finding",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=audit.typeids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("invariant", models.CharField(max_length=10)),
                ("promise", models.CharField(max_length=200)),
                ("subject", models.CharField(max_length=200)),
                ("detail", models.CharField(max_length=500)),
                (
                    "first_seen_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("gone_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("gone_at__isnull", True)),
                        fields=("promise", "subject"),
                        name="finding_one_open",
                    )
                ],
            },
        ),
        run_sql("transactions", "0011_findings"),
    ]
