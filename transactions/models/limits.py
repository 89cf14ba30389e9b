"""Limits on what may leave, and what is used of them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import Approval
from audit.history import Guarded
from transactions.models.ledger import LedgerAccount
from transactions.states import LimitKind, LimitScope, LimitWindow


class Limit(Guarded):
    """The most that may leave of one kind in one window, by amount, by count, or by both.

    It is about one account or, without one, about all accounts of a book in a
    currency: a partner's. Without a maximum it allows everything. The maxima change
    only under an approval of their own, the last one being `changed_under`: the
    database sees to it.
    """

    prefix: ClassVar[str] = "lim"

    book_id = models.UUIDField()
    account = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, null=True, related_name="limits"
    )
    currency = models.CharField(max_length=3)
    kind = models.CharField(
        max_length=10, choices=LimitKind.choices, default=LimitKind.ANY, db_default=LimitKind.ANY
    )
    window = models.CharField(max_length=10, choices=LimitWindow.choices)
    amount_max_minor = models.BigIntegerField(null=True)
    count_max = models.BigIntegerField(null=True)
    changed_under = models.ForeignKey(
        Approval, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="limit_once",
                fields=["book_id", "account", "currency", "kind", "window"],
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="limit_not_negative",
                condition=Q(amount_max_minor__isnull=True) | Q(amount_max_minor__gte=0),
            ),
            models.CheckConstraint(
                name="limit_count_not_negative",
                condition=Q(count_max__isnull=True) | Q(count_max__gte=0),
            ),
            models.CheckConstraint(
                name="limit_counts_in_a_window",
                condition=Q(count_max__isnull=True) | ~Q(window=LimitWindow.TRANSFER),
            ),
            models.CheckConstraint(
                name="limit_kind_known", condition=Q(kind__in=LimitKind.values)
            ),
            models.CheckConstraint(
                name="limit_window_known", condition=Q(window__in=LimitWindow.values)
            ),
        ]

    def __str__(self) -> str:
        """Read as what it is about."""
        return f"{LimitKind(self.kind).label}, {LimitWindow(self.window).label.lower()}"

    @property
    def scope(self) -> LimitScope:
        """Return whose use it counts."""
        return LimitScope.PARTNER if self.account_id is None else LimitScope.ACCOUNT

    @property
    def is_in_force(self) -> bool:
        """Say whether it forbids anything."""
        return self.amount_max_minor is not None or self.count_max is not None


class LimitUse(models.Model):
    """How much of one kind left an account, or all of a book's in a currency, on one day.

    Kept where something is limited, and moved only by the limits' own functions. A
    book's day is spread over slices; one of them alone may be below zero.
    """

    pk = models.CompositePrimaryKey("subject_id", "currency", "day", "kind", "slice")
    subject_id = models.UUIDField()
    currency = models.CharField(max_length=3)
    day = models.DateField()
    kind = models.CharField(max_length=10, choices=LimitKind.choices)
    slice = models.SmallIntegerField()
    amount_minor = models.DecimalField(max_digits=30, decimal_places=0)
    times = models.BigIntegerField()
