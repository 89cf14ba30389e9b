"""Finished transfers: inside the house, and out of it with every end a payout can have."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from config.sandbox.cast import PAYEES
from config.sandbox.past.calendar import Calendar, Event, Stand
from transactions.money import Money
from transactions.orders import TransferOrder
from transactions.services.imports import PastTransfer
from transactions.states import TransferState

SMALLEST_MINOR: Final = 250
# No more of an account than this goes at once; firms move more than people.
SHARE_MAX: Final = 0.3
FIRMS_TIMES: Final = 4
STAYS_INSIDE: Final = 0.6
ENDS: Final = {
    TransferState.SETTLED: 82,
    TransferState.FAILED: 7,
    TransferState.RETURNED: 6,
    TransferState.CANCELLED: 3,
    TransferState.REJECTED: 2,
}
WAS_SENT: Final = (TransferState.SETTLED, TransferState.RETURNED)
REASONS: Final = {
    TransferState.FAILED: ("account_closed", "account_blocked"),
    TransferState.RETURNED: ("returned_by_beneficiary",),
}
REFERENCES: Final = ("Invoice", "Order", "Settlement", "Rent", "Salary", "Expenses", "Fee")
COMES_BACK_AFTER: Final = timedelta(days=2)


def transfer(calendar: Calendar, at: datetime, /) -> Iterator[Event]:
    """Yield one finished transfer from an account that has the money."""
    source = calendar.dice.choice(calendar.stands)
    drawn = calendar.amount() * (1 if source.is_customer else FIRMS_TIMES)
    amount = min(drawn, round(source.held_minor * SHARE_MAX))
    if amount < SMALLEST_MINOR:
        return
    near = [each for each in calendar.stands if _may_take(each, source=source)]
    if near and calendar.happens(STAYS_INSIDE):
        yield _internal(calendar, at, source=source, near=near, amount=amount)
    else:
        yield _payout(calendar, at, source=source, amount=amount)


def _may_take(stand: Stand, *, source: Stand) -> bool:
    here = (source.firm, source.currency)
    return stand is not source and (stand.firm, stand.currency) == here


def _internal(
    calendar: Calendar, at: datetime, /, *, source: Stand, near: Sequence[Stand], amount: int
) -> PastTransfer:
    taker = calendar.dice.choice(near)
    source.held_minor -= amount
    taker.held_minor += amount
    return PastTransfer(
        name=f"{source.firm}/{calendar.number():05d}",
        order=TransferOrder(
            source_id=source.account_id,
            destination_id=taker.account_id,
            money=Money(amount, source.currency),
            reference=_reference(calendar, at),
        ),
        state=TransferState.SETTLED,
        occurred_at=at,
        ended_at=at,
    )


def _payout(calendar: Calendar, at: datetime, /, *, source: Stand, amount: int) -> PastTransfer:
    ended_at = min(at + timedelta(minutes=calendar.dice.randrange(2, 360)), calendar.now)
    (state,) = calendar.dice.choices(list(ENDS), weights=list(ENDS.values()))
    if ended_at + COMES_BACK_AFTER >= calendar.now and state is TransferState.RETURNED:
        state = TransferState.SETTLED
    if state is TransferState.SETTLED:
        source.held_minor -= amount
    return PastTransfer(
        name=f"{source.firm}/{calendar.number():05d}",
        order=TransferOrder(
            source_id=source.account_id,
            payee=calendar.dice.choice(PAYEES),
            money=Money(amount, source.currency),
            reference=_reference(calendar, at),
        ),
        state=state,
        occurred_at=at,
        ended_at=ended_at,
        returned_at=ended_at + COMES_BACK_AFTER if state is TransferState.RETURNED else None,
        failure_code=calendar.dice.choice(REASONS.get(state, ("",))),
        provider_ref=calendar.ref("pay") if state in WAS_SENT else "",
    )


def _reference(calendar: Calendar, at: datetime, /) -> str:
    word = calendar.dice.choice(REFERENCES)
    return f"{word} {at:%Y-%m}-{calendar.dice.randrange(1, 1000):03d}"
