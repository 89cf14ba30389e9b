"""Accounts: whose money it is, and whether it may move."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models.customers import Customer
from accounts.models.partners import Partner
from accounts.models.portfolios import Portfolio
from accounts.states import FreezeMode
from audit.history import Guarded


class Account(Guarded):
    """A partner's or customer's account. The ledger keeps its balance under the same id.

    `alias` is the only name another partner may use to pay in.
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
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="account_freeze_known", condition=Q(freeze_mode__in=FreezeMode.values)
            ),
        ]

    def __str__(self) -> str:
        """Show the name and currency."""
        return f"{self.name} ({self.currency})"


class Freeze(Guarded):
    """One order to stop an account's money, by whom, why and under which reference."""

    prefix: ClassVar[str] = "frz"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="freezes")
    book_id = models.UUIDField(db_index=True)
    mode = models.CharField(max_length=10, choices=FreezeMode.choices)
    reason = models.CharField(max_length=200)
    legal_reference = models.CharField(max_length=80, blank=True)
    placed_by = models.CharField(max_length=120)
    placed_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="freeze_one_open", fields=["account"], condition=Q(lifted_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        """Read as what it is and why."""
        return f"Freeze: {self.reason}"
