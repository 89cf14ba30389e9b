"""What moved on each account by either clock, rolled up. Derived from postings, and only that.

Written by the ledger's own database functions; read by `transactions.selectors.clocks`.
"""

from django.db import models
from django.db.models import Q

from transactions.states import Clock


class Movement(models.Model):
    """What all postings of an account in one stretch of time add up to, by one clock.

    A cell is a month (`grain` 0); one that holds many postings is cut into days,
    a day into hours, and so on down to seconds (4). `is_cut` says that its parts are there.
    """

    pk = models.CompositePrimaryKey("account_id", "clock", "grain", "begins_at")
    account_id = models.UUIDField()
    clock = models.CharField(max_length=8)
    grain = models.SmallIntegerField()
    begins_at = models.DateTimeField()
    amount_minor = models.BigIntegerField()
    postings = models.BigIntegerField()
    first_id = models.UUIDField()
    last_id = models.UUIDField()
    is_cut = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="movement_clock_known", condition=Q(clock__in=Clock.values)
            ),
            models.CheckConstraint(
                name="movement_grain_known", condition=Q(grain__gte=0, grain__lte=4)
            ),
        ]


class RollUp(models.Model):
    """How far postings are rolled up: those before (`horizon_xact`, `horizon_id`), and no other.

    `settled_at` is an instant before which nothing will be recorded any more.
    """

    id = models.SmallIntegerField(primary_key=True)
    horizon_xact = models.BigIntegerField()
    horizon_id = models.UUIDField()
    base_id = models.UUIDField()
    cluster = models.BigIntegerField()
    mark_xact = models.BigIntegerField()
    mark_at = models.DateTimeField()
    settled_at = models.DateTimeField()

    class Meta:
        db_table = "transactions_rollup"
        constraints = [models.CheckConstraint(name="rollup_only_one", condition=Q(id=1))]


class ClosedMonth(models.Model):
    """One month of all books that is closed. Never changed; `digest` is over its balances."""

    month = models.DateField(primary_key=True)
    closed_at = models.DateTimeField()
    accounts = models.IntegerField()
    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        """Show the month in words."""
        return f"{self.month:%B %Y}"

    @property
    def audit_ref(self) -> str:
        """Return `month:<2026-10>`."""
        return f"month:{self.month:%Y-%m}"


class ClosedBalance(models.Model):
    """How one account stood at the end of a closed month, by the recorded clock. Never changed."""

    pk = models.CompositePrimaryKey("month", "account_id")
    month = models.DateField()
    account_id = models.UUIDField()
    book_id = models.UUIDField()
    currency = models.CharField(max_length=3)
    balance_minor = models.BigIntegerField()
    postings = models.BigIntegerField()
