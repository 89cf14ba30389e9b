"""Money in, as a provider tells it: payments, disputes, and the provider's payouts to our bank."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from audit.history import Guarded
from transactions.meanings import DisputeState, PaymentState, PayoutState
from transactions.models.ledger import LedgerAccount
from transactions.money import Money


class Payment(Guarded):
    """One payer's payment at a provider: its state, and what of it was booked."""

    prefix: ClassVar[str] = "pay"

    book_id = models.UUIDField()
    account = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, null=True, related_name="+"
    )
    provider = models.CharField(max_length=30)
    reference = models.CharField(max_length=120)
    intent_ref = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=20)
    amount_minor = models.BigIntegerField()
    booked_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    disputed_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    failure_code = models.CharField(max_length=80, blank=True)
    trace_id = models.CharField(max_length=32)
    occurred_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="payment_once", fields=["provider", "reference"]),
            models.CheckConstraint(
                name="payment_state_known",
                condition=Q(state__in=[state.value for state in PaymentState]),
            ),
        ]
        indexes = [
            models.Index(name="payment_by_intent", fields=["provider", "intent_ref"]),
            models.Index(name="payment_by_book", fields=["book_id", "id"]),
            models.Index(name="payment_by_trace", fields=["trace_id"]),
        ]

    def __str__(self) -> str:
        """Show amount and the provider's reference."""
        return f"{self.money} {self.reference}"

    @property
    def money(self) -> Money:
        """Return the amount as a value."""
        return Money(self.amount_minor, self.currency)


class Dispute(Guarded):
    """One payer's objection to a payment."""

    prefix: ClassVar[str] = "dsp"

    book_id = models.UUIDField()
    payment_ref = models.CharField(max_length=120)
    provider = models.CharField(max_length=30)
    reference = models.CharField(max_length=120)
    state = models.CharField(max_length=30)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=80, blank=True)
    trace_id = models.CharField(max_length=32)
    occurred_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="dispute_once", fields=["provider", "reference"]),
            models.CheckConstraint(
                name="dispute_state_known",
                condition=Q(state__in=[state.value for state in DisputeState]),
            ),
        ]
        indexes = [models.Index(name="dispute_by_payment", fields=["payment_ref"])]

    def __str__(self) -> str:
        """Show amount and the provider's reference."""
        return f"{self.money} {self.reference}"

    @property
    def money(self) -> Money:
        """Return what the payer wants back."""
        return Money(self.amount_minor, self.currency)


class ProviderPayout(Guarded):
    """One payment of a provider to our own bank account."""

    prefix: ClassVar[str] = "ppo"

    book_id = models.UUIDField()
    provider = models.CharField(max_length=30)
    reference = models.CharField(max_length=120)
    state = models.CharField(max_length=20)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    failure_code = models.CharField(max_length=80, blank=True)
    trace_id = models.CharField(max_length=32)
    arrival_at = models.DateTimeField()
    occurred_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="provider_payout_once", fields=["provider", "reference"]),
            models.CheckConstraint(
                name="provider_payout_state_known",
                condition=Q(state__in=[state.value for state in PayoutState]),
            ),
        ]
