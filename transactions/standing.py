"""How accounts stand under their locks, and what may still happen to them. Pure.

The database locks and tells; here one order after the other is decided, each
seeing what those before it did; then the database writes, and checks again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from audit.errors import Invalid, NotFound
from audit.typeids import typeid
from transactions.errors import (
    AccountClosed,
    AccountFrozen,
    BalanceTooLarge,
    CurrencyMismatch,
    InsufficientFunds,
)
from transactions.fees import FeeRate
from transactions.limits import Cap, Tally, Use
from transactions.money import AMOUNT_MINOR_MAX
from transactions.states import LimitKind, LimitScope

DEBITS, CREDITS, CLOSED = 1, 2, 4


@dataclass(slots=True, kw_only=True)
class Standing:
    """One account as it is locked: money, stop bits, its partner's standing, and its limits.

    `caps` are its own limits and its partner's; those it shares with every other
    standing of the partner in its currency. What is used of a partner's limit is
    counted in `slice`.
    """

    account_id: UUID
    book_id: UUID
    currency: str
    posted_minor: int
    pending_minor: int
    floor_minor: int
    held_back_minor: int
    frozen: int
    is_active: bool
    threshold_minor: int
    told_at: datetime
    caps: list[Cap] = field(default_factory=list)
    fees: Mapping[str, FeeRate] = field(default_factory=dict)
    slice: int | None = None
    tallies: dict[LimitKind, tuple[Tally, ...]] = field(default_factory=dict)

    @property
    def available_minor(self) -> int:
        """Return what may still leave: never below zero, even if more is held back."""
        free = self.posted_minor - self.pending_minor - self.floor_minor
        return max(0, free - self.held_back_minor)

    @property
    def room_minor(self) -> int:
        """Return how much may still arrive before the books cannot count it any more."""
        return AMOUNT_MINOR_MAX - self.posted_minor

    @property
    def is_closed(self) -> bool:
        """Say whether nothing may happen to it any more."""
        return bool(self.frozen & CLOSED)

    @property
    def may_debit(self) -> bool:
        """Say whether money may leave at all: not stopped, and the partner not suspended."""
        return self.is_active and not self.frozen & (DEBITS | CLOSED)

    @property
    def may_credit(self) -> bool:
        """Say whether money may arrive."""
        return not self.frozen & (CREDITS | CLOSED)

    def check_limits(self, amount_minor: int, *, kind: LimitKind) -> None:
        """Refuse with LimitExceeded what would pass a limit."""
        for cap in self.caps:
            cap.check(amount_minor, kind=kind, account_id=self.account_id)

    def check_may_leave(self) -> None:
        """Refuse to let money out of a closed or frozen account, or for a suspended partner."""
        if self.is_closed:
            raise AccountClosed(account=typeid("acc", self.account_id))
        if not self.may_debit:
            raise AccountFrozen(account=typeid("acc", self.account_id))

    def check_room(self, *, posted_minor: int = 0, pending_minor: int = 0) -> None:
        """Refuse with BalanceTooLarge to post, or to set aside, more than the books can count."""
        if posted_minor > self.room_minor or self.pending_minor + pending_minor > AMOUNT_MINOR_MAX:
            raise BalanceTooLarge(account=typeid("acc", self.account_id))

    def use(self, amount_minor: int, *, kind: LimitKind) -> tuple[Use, ...]:
        """Count an amount against the limits; return what is to be written down of it."""
        for cap in self.caps:
            cap.use(amount_minor, kind=kind)
        if kind not in self.tallies:
            self.tallies[kind] = self._tallies(kind)
        return tuple(
            Use(tally=tally, account_id=self.account_id, amount_minor=amount_minor)
            for tally in self.tallies[kind]
        )

    def bearable(self, amount_minor: int) -> int:
        """Return how much of a movement this account can take: all, a part, or nothing.

        For money that the world has moved already: above zero it arrives, below it leaves.
        """
        if amount_minor > 0:
            return min(amount_minor, self.room_minor) if self.may_credit else 0
        if self.frozen & (DEBITS | CLOSED):
            return 0
        return max(amount_minor, -self.available_minor)

    def _tallies(self, kind: LimitKind) -> tuple[Tally, ...]:
        """Return where its use is counted: for itself, for its partner, as far as limited."""
        slices = {LimitScope.ACCOUNT: 0, LimitScope.PARTNER: self.slice or 0}
        return tuple(
            Tally(
                account_id=self.account_id if scope is LimitScope.ACCOUNT else None,
                book_id=self.book_id,
                currency=self.currency,
                kind=kind,
                day=self.told_at.astimezone(UTC).date(),
                slice=slices[scope],
            )
            for scope in sorted({cap.scope for cap in self.caps})
        )


def sides(
    source_id: UUID,
    destination_id: UUID | None,
    /,
    *,
    currency: str,
    standings: Mapping[UUID, Standing],
) -> tuple[Standing, Standing | None]:
    """Return the accounts that money is to run between; the second is None out of the house.

    Refuses, in this order: NotFound, Invalid (from an account to itself),
    CurrencyMismatch, AccountClosed.
    """
    source = _named(source_id, standings=standings)
    destination = _named(destination_id, standings=standings) if destination_id else None
    if destination is source:
        raise Invalid(fields={"destination_account": "must be another account"})
    for name, account in (("source_account", source), ("destination_account", destination)):
        if account and account.currency != currency:
            raise CurrencyMismatch(fields={"currency": f"{name} is kept in {account.currency}"})
    for account in (source, destination):
        if account and account.is_closed:
            raise AccountClosed(account=typeid("acc", account.account_id))
    return source, destination


def move(
    amount_minor: int,
    /,
    *,
    kind: LimitKind,
    source: Standing,
    destination: Standing | None,
    fee_minor: int = 0,
) -> tuple[Use, ...]:
    """Move an amount inside, or reserve it on its way out where there is no destination.

    The fee leaves the source or is reserved with it; limits are on the amount alone.
    Returns what it used of limits. Refuses, in this order: LimitExceeded,
    AccountFrozen, BalanceTooLarge, InsufficientFunds.
    """
    source.check_limits(amount_minor, kind=kind)
    source.check_may_leave()
    if destination and not destination.may_credit:
        raise AccountFrozen(account=typeid("acc", destination.account_id))
    total = amount_minor + fee_minor
    if destination is None:
        source.check_room(pending_minor=total)
    else:
        destination.check_room(posted_minor=amount_minor)
    if total > source.available_minor:
        raise InsufficientFunds(account=typeid("acc", source.account_id))
    if destination is None:
        source.pending_minor += total
    else:
        source.posted_minor -= total
        destination.posted_minor += amount_minor
    return source.use(amount_minor, kind=kind)


def _named(account_id: UUID, *, standings: Mapping[UUID, Standing]) -> Standing:
    found = standings.get(account_id)
    if found is None:
        raise NotFound(ref=f"account:{account_id}")
    return found
