"""Months whose postings were put away, and how every account stood when they were."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from audit.history import Guarded


class ArchivedMonth(Guarded):
    """One month whose journals and postings were detached, or were once (`is_away` says which).

    Away are all journals before the id `before`, whole. The clocks answer from
    `occurred_until` and `recorded_until` on. `digest` is over the balances, `rows_digest` over
    every row that left; empty where it left before that was kept.
    """

    prefix: ClassVar[str] = "arc"

    month = models.DateField(unique=True)
    is_away = models.BooleanField()
    before = models.UUIDField()
    occurred_until = models.DateTimeField()
    recorded_until = models.DateTimeField()
    journals = models.BigIntegerField()
    postings = models.BigIntegerField()
    accounts = models.IntegerField()
    digest = models.CharField(max_length=64)
    rows_digest = models.CharField(max_length=64, default="", db_default="")
    moved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="archived_month_answers_today",
                condition=Q(occurred_until__lte=F("moved_at"), recorded_until__lte=F("moved_at")),
            ),
        ]

    def __str__(self) -> str:
        """Show the month in words."""
        return f"{self.month:%B %Y}"

    @property
    def audit_ref(self) -> str:
        """Return `month:<2026-10>`, as its closing was recorded."""
        return f"month:{self.month:%Y-%m}"


class ArchivedBalance(models.Model):
    """What everything put away up to a month adds up to on one account. Never changed."""

    pk = models.CompositePrimaryKey("month", "account_id")
    month = models.DateField()
    account_id = models.UUIDField()
    book_id = models.UUIDField()
    currency = models.CharField(max_length=3)
    balance_minor = models.BigIntegerField()
    postings = models.BigIntegerField()
