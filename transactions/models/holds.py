"""Holds: money set aside on its account, for a payout on its way or for a partner to capture."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from audit.history import Guarded
from transactions.errors import HoldExceeded, HoldExpired, WrongState
from transactions.models.ledger import LedgerAccount
from transactions.models.transfers import Transfer
from transactions.money import Money
from transactions.states import HoldState


class Hold(Guarded):
    """Money of one account reserved for one transfer, or by a partner until `expires_at`.

    Open until nothing of it is reserved: all of its amount was captured (has
    left by journals of its own) or released (is available again).
    """

    prefix: ClassVar[str] = "hld"

    transfer = models.OneToOneField(
        Transfer, on_delete=models.PROTECT, null=True, related_name="hold"
    )
    book_id = models.UUIDField()
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="+")
    destination = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, null=True, related_name="+"
    )
    amount_minor = models.BigIntegerField()
    captured_minor = models.BigIntegerField(default=0, db_default=0)
    released_minor = models.BigIntegerField(default=0, db_default=0)
    state = models.CharField(max_length=10, choices=HoldState.choices, default=HoldState.OPEN)
    reference = models.CharField(max_length=140, blank=True, db_default="")
    metadata = models.JSONField(default=dict, db_default={})
    origin = models.CharField(max_length=160, blank=True, db_default="")
    requested_by = models.CharField(max_length=120, blank=True, db_default="")
    trace_id = models.CharField(max_length=32, blank=True, db_default="")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="hold_amount_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="hold_state_known", condition=Q(state__in=HoldState.values)
            ),
            models.CheckConstraint(
                name="hold_within_amount",
                condition=Q(
                    captured_minor__gte=0,
                    released_minor__gte=0,
                    amount_minor__gte=F("captured_minor") + F("released_minor"),
                ),
            ),
            models.CheckConstraint(
                name="hold_open_while_reserved",
                condition=Q(
                    state=HoldState.OPEN,
                    amount_minor__gt=F("captured_minor") + F("released_minor"),
                )
                | (
                    ~Q(state=HoldState.OPEN)
                    & Q(amount_minor=F("captured_minor") + F("released_minor"))
                ),
            ),
            models.CheckConstraint(
                name="hold_end_is_told",
                condition=Q(state=HoldState.OPEN)
                | Q(state=HoldState.POSTED, captured_minor__gt=0)
                | Q(state__in=[HoldState.VOIDED, HoldState.EXPIRED], released_minor__gt=0),
            ),
            models.CheckConstraint(
                name="hold_for_transfer_or_until",
                condition=Q(transfer__isnull=False, expires_at__isnull=True, origin="")
                | (Q(transfer__isnull=True, expires_at__isnull=False) & ~Q(origin="")),
            ),
            models.CheckConstraint(
                name="hold_not_to_itself",
                condition=Q(destination__isnull=True) | ~Q(destination=F("account")),
            ),
            models.UniqueConstraint(
                name="hold_origin_once", fields=["origin"], condition=~Q(origin="")
            ),
        ]
        indexes = [
            models.Index(name="hold_by_account", fields=["account", "state"]),
            models.Index(name="hold_by_book", fields=["book_id", "id"]),
            models.Index(
                name="hold_to_expire",
                fields=["expires_at"],
                condition=Q(state=HoldState.OPEN, expires_at__isnull=False),
            ),
            models.Index(
                name="hold_placed",
                fields=["account", "created_at"],
                condition=Q(transfer__isnull=True),
            ),
            models.Index(
                name="hold_by_reference", fields=["reference"], condition=~Q(reference="")
            ),
        ]

    def __str__(self) -> str:
        """Show amount and reference."""
        return f"{self.money} {self.reference or self.public_id}"

    @property
    def currency(self) -> str:
        """Return its account's currency."""
        return self.account.currency

    @property
    def money(self) -> Money:
        """Return the amount as a value."""
        return Money(self.amount_minor, self.currency)

    @property
    def remaining_minor(self) -> int:
        """Return what is still reserved."""
        return self.amount_minor - self.captured_minor - self.released_minor

    def capture(self, amount_minor: int, *, is_final: bool = False) -> int:
        """Count `amount_minor` as captured, and the rest as released if it is the last time.

        Returns how much is no longer reserved. Refuses with HoldExpired,
        WrongState and HoldExceeded. Saves nothing: the command does.
        """
        reserved = self.remaining_minor
        if self.state == HoldState.EXPIRED:
            raise HoldExpired(ref=self.audit_ref)
        if self.state != HoldState.OPEN:
            raise WrongState(state=self.state, wanted=HoldState.POSTED.value)
        if amount_minor > reserved:
            raise HoldExceeded(ref=self.audit_ref, remaining_minor=reserved)
        self.captured_minor += amount_minor
        if is_final:
            self.released_minor += self.remaining_minor
        if not self.remaining_minor:
            self.state = HoldState.POSTED
        return reserved - self.remaining_minor

    def release(self, as_: HoldState) -> int:
        """End the reservation; return how much is available again. WrongState if it has ended."""
        if self.state != HoldState.OPEN:
            raise WrongState(state=self.state, wanted=as_.value)
        freed = self.remaining_minor
        self.released_minor += freed
        self.state = as_
        return freed
