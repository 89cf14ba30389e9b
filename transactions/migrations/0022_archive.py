"""A closed month may be put away: its tables leave the books, and what they add up to stays."""

from typing import ClassVar

import simple_history.models
from django.db import migrations, models

import audit.typeids
from audit.sqlfiles import run_sql


class Migration(migrations.Migration):
    """Adds archived months and their balances; runs `transactions/sql/0022_archive*`."""

    dependencies: ClassVar = [("transactions", "0021_lean")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="ArchivedBalance",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "month",
                        "account_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("month", models.DateField()),
                ("account_id", models.UUIDField()),
                ("book_id", models.UUIDField()),
                ("currency", models.CharField(max_length=3)),
                ("balance_minor", models.BigIntegerField()),
                ("postings", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="HistoricalArchivedMonth",
            fields=[
                ("history_actor", models.TextField(db_default="", default="")),
                ("history_trace_id", models.CharField(db_default="", default="", max_length=32)),
                (
                    "id",
                    models.UUIDField(db_index=True, default=audit.typeids.uuid7, editable=False),
                ),
                ("history_user_id", models.UUIDField(null=True)),
                ("month", models.DateField(db_index=True)),
                ("is_away", models.BooleanField()),
                ("before", models.UUIDField()),
                ("occurred_until", models.DateTimeField()),
                ("recorded_until", models.DateTimeField()),
                ("journals", models.BigIntegerField()),
                ("postings", models.BigIntegerField()),
                ("accounts", models.IntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("moved_at", models.DateTimeField()),
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
                "verbose_name": "historical archived month",
                "verbose_name_plural": "historical archived months",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="ArchivedMonth",
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
                ("month", models.DateField(unique=True)),
                ("is_away", models.BooleanField()),
                ("before", models.UUIDField()),
                ("occurred_until", models.DateTimeField()),
                ("recorded_until", models.DateTimeField()),
                ("journals", models.BigIntegerField()),
                ("postings", models.BigIntegerField()),
                ("accounts", models.IntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("moved_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("occurred_until__lte", models.F("moved_at")),
                            ("recorded_until__lte", models.F("moved_at")),
                        ),
                        name="archived_month_answers_today",
                    )
                ],
            },
        ),
        run_sql("transactions", "0022_archive"),
        run_sql("transactions", "0022_archive_clocks"),
    ]
