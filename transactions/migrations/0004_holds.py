"""A hold is a payout's or a partner's: captured in parts, released, voided or expired, within it.

Rewrites the table once under its lock: run it while no worker settles payouts, for the release
before does not count what it captures.
"""

from typing import ClassVar, Final

from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.deletion import DO_NOTHING, PROTECT
from django.db.models.functions import Now

from audit.sqlfiles import run_sql, versioned

STATES: Final = [
    ("open", "Reserved"),
    ("posted", "Captured"),
    ("voided", "Released"),
    ("expired", "Expired, released"),
]
COLUMNS: Final = {
    "captured_minor": models.BigIntegerField(default=0, db_default=0),
    "released_minor": models.BigIntegerField(default=0, db_default=0),
    "reference": models.CharField(max_length=140, blank=True, db_default=""),
    "metadata": models.JSONField(default=dict, db_default={}),
    "origin": models.CharField(max_length=160, blank=True, db_default=""),
    "requested_by": models.CharField(max_length=120, blank=True, db_default=""),
    "trace_id": models.CharField(max_length=32, blank=True, db_default=""),
    "created_at": models.DateTimeField(db_default=Now()),
    "expires_at": models.DateTimeField(null=True),
}
GONE: Final = F("captured_minor") + F("released_minor")
RULES: Final = {
    "hold_state_known": Q(state__in=[state for state, _ in STATES]),
    "hold_within_amount": Q(captured_minor__gte=0, released_minor__gte=0, amount_minor__gte=GONE),
    "hold_open_while_reserved": Q(state="open", amount_minor__gt=GONE)
    | (~Q(state="open") & Q(amount_minor=GONE)),
    "hold_end_is_told": Q(state="open")
    | Q(state="posted", captured_minor__gt=0)
    | Q(state__in=["voided", "expired"], released_minor__gt=0),
    "hold_for_transfer_or_until": Q(transfer__isnull=False, expires_at__isnull=True, origin="")
    | (Q(transfer__isnull=True, expires_at__isnull=False) & ~Q(origin="")),
    "hold_not_to_itself": Q(destination__isnull=True) | ~Q(destination=F("account")),
}
INDEXES: Final = [
    models.Index(name="hold_by_book", fields=["book_id", "id"]),
    models.Index(
        name="hold_to_expire",
        fields=["expires_at"],
        condition=Q(state="open", expires_at__isnull=False),
    ),
    models.Index(
        name="hold_placed",
        fields=["account", "created_at"],
        condition=Q(transfer__isnull=True),
    ),
    models.Index(name="hold_by_reference", fields=["reference"], condition=~Q(reference="")),
]
ACCOUNT: Final = "transactions.ledgeraccount"


class Migration(migrations.Migration):
    """Adds the columns, fills them and `transactions/sql/0004_holds`, then the rules."""

    dependencies: ClassVar = [("transactions", "0003_many")]
    operations: ClassVar = versioned(
        migrations.RemoveConstraint("hold", "hold_state_known"),
        *(
            migrations.AddField(model, name, field.clone())
            for model in ("hold", "historicalhold")
            for name, field in COLUMNS.items()
        ),
        migrations.AddField(
            "hold",
            "destination",
            models.ForeignKey(ACCOUNT, on_delete=PROTECT, null=True, related_name="+"),
        ),
        migrations.AddField(
            "historicalhold",
            "destination",
            models.ForeignKey(
                ACCOUNT,
                on_delete=DO_NOTHING,
                null=True,
                blank=True,
                db_constraint=False,
                related_name="+",
            ),
        ),
        *(
            migrations.AlterField(
                model, "state", models.CharField(max_length=10, choices=STATES, default="open")
            )
            for model in ("hold", "historicalhold")
        ),
        migrations.AlterField(
            "hold",
            "transfer",
            models.OneToOneField(
                "transactions.transfer", on_delete=PROTECT, null=True, related_name="hold"
            ),
        ),
        run_sql("transactions", "0004_holds"),
        *(
            migrations.AddConstraint("hold", models.CheckConstraint(name=name, condition=rule))
            for name, rule in RULES.items()
        ),
        migrations.AddConstraint(
            "hold",
            models.UniqueConstraint(
                name="hold_origin_once", fields=["origin"], condition=~Q(origin="")
            ),
        ),
        *(migrations.AddIndex("hold", index) for index in INDEXES),
    )
