"""Money in: payments at the provider, their refunds and disputes, and its payouts to our bank."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from config.sandbox.past.calendar import Calendar, Event, Stand
from transactions.meanings import (
    DisputeNotice,
    DisputeState,
    Movement,
    MovementKind,
    PaymentNotice,
    PaymentState,
    PayoutNotice,
    PayoutState,
)

PROVIDER: Final = "stripe"
NOT_CHARGED: Final = ("JPY",)
IS_DECLINED, IS_NOBODYS, IS_REFUNDED, IS_DISPUTED = 0.08, 0.02, 0.08, 0.06
WON_OF, FAILS_AFTER_ALL_OF = 2, 7
DISPUTE_FEE_MINOR: Final = 2_000
CHARGE_FEE_MINOR, CHARGE_FEE_BPS = 25, 150
DISPUTE_REASONS: Final = ("fraudulent", "product_not_received", "duplicate")


def payment(calendar: Calendar, at: datetime, /) -> Iterator[Event]:
    """Yield one payment: declined, or paid and perhaps refunded or disputed some days later."""
    taker = calendar.dice.choice([s for s in calendar.stands if s.currency not in NOT_CHARGED])
    is_declined, is_nobodys = calendar.happens(IS_DECLINED), calendar.happens(IS_NOBODYS)
    notice = PaymentNotice(
        provider=PROVIDER,
        reference=calendar.ref("ch"),
        intent_ref=calendar.ref("pi"),
        state=PaymentState.FAILED if is_declined else PaymentState.SUCCEEDED,
        amount_minor=calendar.amount() + 500,
        refunded_minor=0,
        currency=taker.currency,
        occurred_at=at,
        account_id=None if is_nobodys else taker.account_id,
        failure_code="card_declined" if is_declined else None,
    )
    yield notice
    if is_declined:
        return
    fee = CHARGE_FEE_MINOR + notice.amount_minor * CHARGE_FEE_BPS // 10_000
    yield _movement(
        calendar,
        at,
        notice=notice,
        kind=MovementKind.CHARGE,
        amount=notice.amount_minor,
        subject=notice.reference,
        fee=fee,
    )
    if is_nobodys:
        return
    taker.held_minor += notice.amount_minor
    after = at + timedelta(minutes=calendar.dice.randrange(900, 12_000))
    if calendar.happens(IS_REFUNDED):
        calendar.later(after, partial(_refund, notice=notice, taker=taker))
    elif calendar.happens(IS_DISPUTED):
        calendar.later(after, partial(_dispute, notice=notice, taker=taker))


def provider_payout(calendar: Calendar, at: datetime, /) -> Iterator[Event]:
    """Yield the week's payout to our bank in each currency, paid two days later."""
    for currency, amount in calendar.at_provider.items():
        if amount <= 0:
            continue
        calendar.at_provider[currency] = 0
        notice = PayoutNotice(
            provider=PROVIDER,
            reference=calendar.ref("po"),
            state=PayoutState.IN_TRANSIT,
            amount_minor=amount,
            currency=currency,
            arrival_at=at + timedelta(days=2),
            occurred_at=at,
            failure_code=None,
        )
        yield notice
        calendar.later(notice.arrival_at, partial(_arrival, told=notice))


def _movement(
    calendar: Calendar,
    at: datetime,
    /,
    *,
    notice: PaymentNotice,
    kind: MovementKind,
    amount: int,
    subject: str,
    fee: int = 0,
) -> Movement:
    """Return money of a payment that moved on our balance with the provider, and why."""
    held = calendar.at_provider.get(notice.currency, 0)
    calendar.at_provider[notice.currency] = held + amount - fee
    return Movement(
        provider=PROVIDER,
        reference=calendar.ref("txn"),
        kind=kind,
        amount_minor=amount,
        fee_minor=fee,
        currency=notice.currency,
        occurred_at=at,
        payment_ref=notice.reference,
        subject_ref=subject,
        account_id=notice.account_id,
    )


def _refund(
    calendar: Calendar, at: datetime, /, *, notice: PaymentNotice, taker: Stand
) -> Iterator[Event]:
    amount = notice.amount_minor // calendar.dice.choice((1, 1, 2))
    if taker.held_minor >= amount:
        taker.held_minor -= amount
        yield _movement(
            calendar,
            at,
            notice=notice,
            kind=MovementKind.REFUND,
            amount=-amount,
            subject=calendar.ref("re"),
        )


def _dispute(
    calendar: Calendar, at: datetime, /, *, notice: PaymentNotice, taker: Stand
) -> Iterator[Event]:
    amount = notice.amount_minor
    if taker.held_minor < amount:
        return
    taker.held_minor -= amount
    dispute = DisputeNotice(
        provider=PROVIDER,
        reference=calendar.ref("dp"),
        payment_ref=notice.reference,
        state=DisputeState.NEEDS_RESPONSE,
        amount_minor=amount,
        currency=notice.currency,
        reason=calendar.dice.choice(DISPUTE_REASONS),
        occurred_at=at,
    )
    yield dispute
    yield _movement(
        calendar,
        at,
        notice=notice,
        kind=MovementKind.DISPUTE,
        amount=-amount,
        subject=dispute.reference,
        fee=DISPUTE_FEE_MINOR,
    )
    calendar.later(
        at + timedelta(minutes=calendar.dice.randrange(10_000, 28_000)),
        partial(_verdict, dispute=dispute, notice=notice, taker=taker),
    )


def _verdict(
    calendar: Calendar,
    at: datetime,
    /,
    *,
    dispute: DisputeNotice,
    notice: PaymentNotice,
    taker: Stand,
) -> Iterator[Event]:
    if not calendar.takes_turn("won", of=WON_OF):
        yield replace(dispute, state=DisputeState.LOST, occurred_at=at)
        return
    yield replace(dispute, state=DisputeState.WON, occurred_at=at)
    taker.held_minor += dispute.amount_minor
    yield _movement(
        calendar,
        at,
        notice=notice,
        kind=MovementKind.DISPUTE_REVERSAL,
        amount=dispute.amount_minor,
        subject=dispute.reference,
        fee=-DISPUTE_FEE_MINOR,
    )


def _arrival(calendar: Calendar, at: datetime, /, *, told: PayoutNotice) -> Iterator[Event]:
    """Yield a payout that arrived, and now and then one that our bank sent back after all."""
    yield replace(told, state=PayoutState.PAID, occurred_at=at)
    yield _bank_movement(calendar, at, told=told, kind=MovementKind.PAYOUT)
    if calendar.takes_turn("sent back", of=FAILS_AFTER_ALL_OF):
        yield replace(
            told, state=PayoutState.FAILED, occurred_at=at, failure_code="account_closed"
        )
        yield _bank_movement(calendar, at, told=told, kind=MovementKind.PAYOUT_FAILURE)
        calendar.at_provider[told.currency] += told.amount_minor


def _bank_movement(
    calendar: Calendar, at: datetime, /, *, told: PayoutNotice, kind: MovementKind
) -> Movement:
    sign = -1 if kind is MovementKind.PAYOUT else 1
    return Movement(
        provider=PROVIDER,
        reference=calendar.ref("txn"),
        kind=kind,
        amount_minor=sign * told.amount_minor,
        fee_minor=0,
        currency=told.currency,
        occurred_at=at,
        payment_ref=None,
        subject_ref=told.reference,
        account_id=None,
    )
