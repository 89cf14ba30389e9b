"""Transfers: what was asked of us, and how far it got."""

from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Approval, VaultRecord
from audit.history import Guarded
from transactions.errors import NotReversible, ReversalExceeded, WrongState
from transactions.models.fees import FeeRule
from transactions.models.ledger import LedgerAccount
from transactions.money import AMOUNT_MINOR_MAX, Money
from transactions.states import (
    HAVE_SETTLED,
    INSIDE,
    MOVES,
    TransferKind,
    TransferState,
)

# However long a bank has been silent, it is asked again by then.
ASK_AFTER_MAX: Final = timedelta(minutes=10)


class Transfer(Guarded):
    """One instruction to move money, and how far it got.

    `origin` is the one thing that asked for it (an idempotency key, a staff
    command). A payout's payee lives in the vault; rows hold its tokens. What went to
    another partner keeps the `destination_alias` it was sent to: all its giver may know.
    `fee_rule` is the very version that `fee_minor` was charged under.
    """

    prefix: ClassVar[str] = "trf"

    book_id = models.UUIDField()
    kind = models.CharField(max_length=10, choices=TransferKind.choices)
    state = models.CharField(max_length=20, choices=TransferState.choices)
    # No index of a key's own: each costs every transfer, and Meta names those that are looked up.
    source = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    destination = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    destination_alias = models.CharField(max_length=40, blank=True, default="", db_default="")
    payee_name = models.ForeignKey(
        VaultRecord, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    payee_iban = models.ForeignKey(
        VaultRecord, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField(default=0, db_default=0)
    fee_rule = models.ForeignKey(
        FeeRule, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    reversed_minor = models.BigIntegerField(default=0, db_default=0)
    currency = models.CharField(max_length=3)
    reference = models.CharField(max_length=140, blank=True)
    metadata = models.JSONField(default=dict)
    origin = models.CharField(max_length=160)
    requested_by = models.CharField(max_length=120)
    approval = models.ForeignKey(
        Approval, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    provider = models.CharField(max_length=30, blank=True)
    provider_ref = models.CharField(max_length=120, blank=True)
    failure_code = models.CharField(max_length=80, blank=True)
    is_flagged = models.BooleanField(default=False)
    trace_id = models.CharField(max_length=32)
    occurred_at = models.DateTimeField()
    requested_at = models.DateTimeField(db_default=Now())
    execute_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    ask_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="transfer_origin_once", fields=["origin"]),
            models.CheckConstraint(
                name="transfer_amount_in_range",
                condition=Q(amount_minor__gt=0, amount_minor__lte=AMOUNT_MINOR_MAX),
            ),
            models.CheckConstraint(
                name="transfer_fee_has_rule",
                condition=Q(fee_minor=0) | Q(fee_minor__gt=0, fee_rule__isnull=False),
            ),
            models.CheckConstraint(
                name="transfer_state_known", condition=Q(state__in=TransferState.values)
            ),
            models.CheckConstraint(
                name="transfer_has_one_destination",
                condition=Q(
                    kind=TransferKind.INTERNAL,
                    destination__isnull=False,
                    payee_iban__isnull=True,
                    destination_alias="",
                )
                | Q(
                    kind=TransferKind.PARTNER,
                    destination__isnull=False,
                    payee_iban__isnull=True,
                )
                & ~Q(destination_alias="")
                | Q(kind=TransferKind.PAYOUT, destination__isnull=True, payee_iban__isnull=False),
            ),
            models.CheckConstraint(
                name="transfer_not_to_itself",
                condition=Q(destination__isnull=True) | ~Q(destination=F("source")),
            ),
            models.CheckConstraint(
                name="transfer_settled_has_time",
                condition=Q(state__in=HAVE_SETTLED, settled_at__isnull=False)
                | (~Q(state__in=HAVE_SETTLED) & Q(settled_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="transfer_reversed_within",
                condition=Q(reversed_minor=0) & ~Q(state=TransferState.REVERSED)
                | Q(
                    kind__in=INSIDE,
                    state=TransferState.SETTLED,
                    reversed_minor__gt=0,
                    reversed_minor__lt=F("amount_minor"),
                )
                | Q(
                    kind__in=INSIDE,
                    state=TransferState.REVERSED,
                    reversed_minor=F("amount_minor"),
                ),
            ),
            models.CheckConstraint(
                name="transfer_scheduled_has_time",
                condition=~Q(state=TransferState.SCHEDULED) | Q(execute_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="transfer_by_book", fields=["book_id", "id"]),
            models.Index(name="transfer_by_source", fields=["source", "requested_at"]),
            models.Index(name="transfer_by_state", fields=["state", "id"]),
            models.Index(
                name="transfer_to_ask", fields=["ask_at"], condition=Q(ask_at__isnull=False)
            ),
            models.Index(
                name="transfer_to_execute",
                fields=["execute_at"],
                condition=Q(state=TransferState.SCHEDULED),
            ),
            models.Index(
                name="transfer_by_source_later",
                fields=["source", "execute_at"],
                condition=Q(execute_at__isnull=False),
            ),
            models.Index(
                name="transfer_by_destination",
                fields=["destination"],
                condition=Q(destination__isnull=False),
            ),
            models.Index(
                name="transfer_by_approval",
                fields=["approval"],
                condition=Q(approval__isnull=False),
            ),
            models.Index(
                name="transfer_by_reference", fields=["reference"], condition=~Q(reference="")
            ),
            models.Index(name="transfer_by_trace", fields=["trace_id"]),
            models.Index(
                name="transfer_by_provider_ref",
                fields=["provider_ref"],
                condition=~Q(provider_ref=""),
            ),
        ]

    def __str__(self) -> str:
        """Show amount and reference."""
        return f"{self.money} {self.reference or self.public_id}"

    @property
    def money(self) -> Money:
        """Return the amount as a value."""
        return Money(self.amount_minor, self.currency)

    @property
    def total_minor(self) -> int:
        """Return what it takes from its account: the amount and the fee."""
        return self.amount_minor + self.fee_minor

    def advance(self, to: TransferState, *, at: datetime | None = None) -> None:
        """Move to state `to`, or refuse. Saves nothing: the command does."""
        here = TransferState(self.state)
        if to not in MOVES[here]:
            raise WrongState(state=here.value, wanted=to.value)
        self.state = to
        if to is TransferState.SETTLED:
            self.settled_at = at

    def ask_again(self, *, after: timedelta) -> None:
        """Let its bank be asked after so long, or a tenth of its silence where that is longer.

        Within `ASK_AFTER_MAX` in any case. Each time leaves an entry: at one pace, a bank that is
        away for a day would fill the log. Saves nothing: the command does.
        """
        now = timezone.now()
        silence = now - (self.claimed_at or now)
        self.ask_at = now + min(max(after, silence / 10), ASK_AFTER_MAX)

    @property
    def reversible_minor(self) -> int:
        """Return what of a settled transfer inside the house can still go back."""
        is_inside = self.kind in INSIDE and self.state == TransferState.SETTLED
        return self.amount_minor - self.reversed_minor if is_inside else 0

    def reverse(self, amount_minor: int) -> None:
        """Count `amount_minor` as gone back. NotReversible, WrongState or ReversalExceeded."""
        if self.kind not in INSIDE:
            raise NotReversible(ref=self.audit_ref)
        if self.state != TransferState.SETTLED:
            raise WrongState(state=self.state, wanted=TransferState.REVERSED.value)
        if amount_minor > self.reversible_minor:
            raise ReversalExceeded(ref=self.audit_ref, remaining_minor=self.reversible_minor)
        self.reversed_minor += amount_minor
        if self.reversed_minor == self.amount_minor:
            self.advance(TransferState.REVERSED)
