"""Accounts: whose money it is, and whether it may move."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models.approvals import Approval
from accounts.models.customers import Customer
from accounts.models.partners import Partner
from accounts.models.portfolios import Portfolio
from accounts.states import AccountStatus, FreezeMode, FreezeReason, FreezeState
from audit.history import Guarded


class Account(Guarded):
    """A partner's or customer's account. The ledger keeps its balance under the same id.

    `alias` is the only name another partner may use to pay in. `freeze_mode` is
    what its freezes stop together. `floor_minor` (0, or an agreed overdraft below
    it) and `closed_at` change only under an approval of their own, the last one
    being `changed_under`: the database sees to it.
    """

    prefix: ClassVar[str] = "acc"

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="accounts")
    book_id = models.UUIDField(db_index=True)
    portfolio = models.ForeignKey(Portfolio, on_delete=models.PROTECT, related_name="accounts")
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, related_name="accounts"
    )
    name = models.CharField(max_length=80)
    currency = models.CharField(max_length=3)
    alias = models.CharField(max_length=40, unique=True)
    freeze_mode = models.CharField(
        max_length=10, choices=FreezeMode.choices, default=FreezeMode.NONE
    )
    floor_minor = models.BigIntegerField(default=0, db_default=0)
    closed_at = models.DateTimeField(null=True)
    changed_under = models.ForeignKey(
        Approval, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="account_freeze_known", condition=Q(freeze_mode__in=FreezeMode.values)
            ),
            models.CheckConstraint(
                name="account_floor_not_above_zero", condition=Q(floor_minor__lte=0)
            ),
        ]

    def __str__(self) -> str:
        """Show the name and currency."""
        return f"{self.name} ({self.currency})"

    @property
    def status(self) -> AccountStatus:
        """Return how it is called outside."""
        if self.closed_at is not None:
            return AccountStatus.CLOSED
        is_free = self.freeze_mode == FreezeMode.NONE
        return AccountStatus.ACTIVE if is_free else AccountStatus.FROZEN


class Freeze(Guarded):
    """One order to stop an account's money, or an amount of it: by whom, why, from when to when.

    It stops at once; `confirm_by` is when a second person should have confirmed
    it. It is lifted only by two, and ends by itself only at `ends_at`: the
    database sees to both. Several may stand at once; the ledger stops their union.
    """

    prefix: ClassVar[str] = "frz"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="freezes")
    book_id = models.UUIDField(db_index=True)
    mode = models.CharField(max_length=10, choices=FreezeMode.choices)
    amount_minor = models.BigIntegerField(null=True)
    state = models.CharField(
        max_length=10,
        choices=FreezeState.choices,
        default=FreezeState.IN_FORCE,
        db_default=FreezeState.IN_FORCE,
    )
    reason_code = models.CharField(
        max_length=20,
        choices=FreezeReason.choices,
        default=FreezeReason.OTHER,
        db_default=FreezeReason.OTHER,
    )
    reason = models.CharField(max_length=200)
    legal_reference = models.CharField(max_length=80, blank=True)
    placed_by = models.CharField(max_length=120)
    placed_at = models.DateTimeField(auto_now_add=True)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    # Null for what was placed before confirmation was asked for.
    confirm_by = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="freeze_once_a_reference",
                fields=["account", "mode", "legal_reference"],
                condition=Q(state__in=[FreezeState.SCHEDULED, FreezeState.IN_FORCE]),
            ),
            models.CheckConstraint(
                name="freeze_amount_fits_mode",
                condition=Q(mode=FreezeMode.AMOUNT, amount_minor__gt=0, amount_minor__isnull=False)
                | ~Q(mode=FreezeMode.AMOUNT) & Q(amount_minor__isnull=True),
            ),
            models.CheckConstraint(
                name="freeze_stops_something",
                condition=Q(mode__in=[*FreezeMode.values]) & ~Q(mode=FreezeMode.NONE),
            ),
            models.CheckConstraint(
                name="freeze_state_known", condition=Q(state__in=FreezeState.values)
            ),
            models.CheckConstraint(
                name="freeze_reason_known", condition=Q(reason_code__in=FreezeReason.values)
            ),
            models.CheckConstraint(
                name="freeze_over_is_dated",
                condition=Q(
                    state__in=[FreezeState.LIFTED, FreezeState.ENDED], lifted_at__isnull=False
                )
                | Q(
                    state__in=[FreezeState.SCHEDULED, FreezeState.IN_FORCE], lifted_at__isnull=True
                ),
            ),
        ]
        indexes = [
            models.Index(
                name="freeze_to_turn",
                fields=["state", "starts_at", "ends_at"],
                condition=Q(state__in=[FreezeState.SCHEDULED, FreezeState.IN_FORCE]),
            ),
        ]

    def __str__(self) -> str:
        """Read as what it stops."""
        return FreezeMode(self.mode).label

    @property
    def is_over(self) -> bool:
        """Say whether it stops nothing any more."""
        return self.lifted_at is not None

    def is_overdue(self, *, at: datetime) -> bool:
        """Say whether a second person should have confirmed it by now and has not."""
        if self.is_over or self.confirmed_at is not None or self.confirm_by is None:
            return False
        return self.confirm_by <= at
