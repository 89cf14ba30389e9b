"""A transfer may wait for its time, and what it moved may go back in parts, never more of it.

A journal may be undone by several others; how far is counted per line in a table without
partitions, in the place of one reversal a journal.
"""

from typing import ClassVar, Final

from django.db import migrations, models
from django.db.models import F, Q

from audit.sqlfiles import run_sql, versioned

STATES: Final = [
    ("scheduled", "Waiting for its time"),
    ("awaiting_approval", "Waiting for a second person"),
    ("accepted", "Accepted, about to be sent"),
    ("dispatched", "Sent, waiting for the bank's word"),
    ("unknown", "Sent, outcome unknown: the bank is being asked"),
    ("settled", "Settled"),
    ("failed", "Failed, money released"),
    ("rejected", "Rejected by a second person"),
    ("cancelled", "Cancelled before it was sent"),
    ("returned", "Settled, then returned by the bank"),
    ("reversed", "Settled, then reversed"),
]
SETTLED: Final = ("settled", "returned", "reversed")
COLUMNS: Final = {
    "reversed_minor": models.BigIntegerField(default=0, db_default=0),
    "execute_at": models.DateTimeField(null=True),
}
RULES: Final = {
    "transfer_state_known": Q(state__in=[state for state, _ in STATES]),
    "transfer_settled_has_time": Q(state__in=SETTLED, settled_at__isnull=False)
    | (~Q(state__in=SETTLED) & Q(settled_at__isnull=True)),
    "transfer_reversed_within": Q(reversed_minor=0) & ~Q(state="reversed")
    | Q(
        kind="internal",
        state="settled",
        reversed_minor__gt=0,
        reversed_minor__lt=F("amount_minor"),
    )
    | Q(kind="internal", state="reversed", reversed_minor=F("amount_minor")),
    "transfer_scheduled_has_time": ~Q(state="scheduled") | Q(execute_at__isnull=False),
}
INDEXES: Final = [
    models.Index(
        name="transfer_to_execute", fields=["execute_at"], condition=Q(state="scheduled")
    ),
    models.Index(
        name="transfer_by_source_later",
        fields=["source", "execute_at"],
        condition=Q(execute_at__isnull=False),
    ),
]
WITHIN: Final = Q(
    amount_minor__gt=0, reversed_minor__lte=0, reversed_minor__gte=F("amount_minor") * -1
) | Q(amount_minor__lt=0, reversed_minor__gte=0, reversed_minor__lte=F("amount_minor") * -1)


class Migration(migrations.Migration):
    """Adds columns, rules and the tally of reversals; runs `transactions/sql/0005_transfers`."""

    dependencies: ClassVar = [("transactions", "0004_holds")]
    operations: ClassVar = versioned(
        migrations.RemoveConstraint("transfer", "transfer_state_known"),
        migrations.RemoveConstraint("transfer", "transfer_settled_has_time"),
        *(
            migrations.AddField(model, name, field.clone())
            for model in ("transfer", "historicaltransfer")
            for name, field in COLUMNS.items()
        ),
        *(
            migrations.AlterField(model, "state", models.CharField(max_length=20, choices=STATES))
            for model in ("transfer", "historicaltransfer")
        ),
        *(
            migrations.AddConstraint("transfer", models.CheckConstraint(name=name, condition=rule))
            for name, rule in RULES.items()
        ),
        *(migrations.AddIndex("transfer", index) for index in INDEXES),
        migrations.AlterField("journalorigin", "reverses", models.UUIDField(null=True)),
        migrations.AddIndex(
            "journalorigin",
            models.Index(
                name="journal_origin_by_reverses",
                fields=["reverses"],
                condition=Q(reverses__isnull=False),
            ),
        ),
        migrations.CreateModel(
            "ReversedLine",
            [
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "journal_id",
                        "account_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("journal_id", models.UUIDField()),
                ("account_id", models.UUIDField()),
                ("amount_minor", models.BigIntegerField()),
                ("reversed_minor", models.BigIntegerField()),
            ],
        ),
        migrations.AddConstraint(
            "reversedline",
            models.CheckConstraint(name="reversed_line_within", condition=WITHIN),
        ),
        run_sql("transactions", "0005_transfers"),
    )
