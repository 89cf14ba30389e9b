"""A balance at any instant, by either clock, is read from a few rows."""

from typing import ClassVar

from django.db import migrations, models

from audit.sqlfiles import run_sql

CLOCKS = ["occurred", "recorded"]


class Migration(migrations.Migration):
    """Makes the tables of what moved, and rolls up what is there."""

    dependencies: ClassVar = [("transactions", "0006_manual_journals")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="Movement",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "clock",
                        "grain",
                        "begins_at",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("account_id", models.UUIDField()),
                ("clock", models.CharField(max_length=8)),
                ("grain", models.SmallIntegerField()),
                ("begins_at", models.DateTimeField()),
                ("amount_minor", models.BigIntegerField()),
                ("postings", models.BigIntegerField()),
                ("first_id", models.UUIDField()),
                ("last_id", models.UUIDField()),
                ("is_cut", models.BooleanField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(clock__in=CLOCKS), name="movement_clock_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(grain__gte=0, grain__lte=4), name="movement_grain_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RollUp",
            fields=[
                ("id", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("horizon_xact", models.BigIntegerField()),
                ("horizon_id", models.UUIDField()),
                ("base_id", models.UUIDField()),
                ("cluster", models.BigIntegerField()),
                ("mark_xact", models.BigIntegerField()),
                ("mark_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField()),
            ],
            options={
                "db_table": "transactions_rollup",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(id=1), name="rollup_only_one")
                ],
            },
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddField(
                    "Posting", "xact", models.BigIntegerField(default=0), preserve_default=False
                ),
                migrations.AddIndex(
                    "Posting",
                    models.Index(fields=["xact", "id", "account_id"], name="posting_by_xact"),
                ),
                migrations.AddIndex(
                    "Posting",
                    models.Index(
                        fields=["account_id", "occurred_at", "id"],
                        include=["amount_minor", "xact"],
                        name="posting_by_occurred",
                    ),
                ),
            ],
        ),
        run_sql("transactions", "0007_clocks"),
    ]
