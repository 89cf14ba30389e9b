"""Payouts from our Stripe balance to our bank: how one stands, what left and what came back."""

from typing import Final

from integrations.providers.base import Lookup
from integrations.providers.stripe import balance
from integrations.providers.stripe.balance import SLUG, Subject, account_named, movement_of
from integrations.providers.stripe.currencies import iso_minor
from integrations.providers.stripe.reading import AMOUNT_MINOR_MAX, Node
from transactions.meanings import Meaning, Movement, PayoutNotice, PayoutState

_STATES: Final = {
    "pending": PayoutState.PENDING,
    "in_transit": PayoutState.IN_TRANSIT,
    "paid": PayoutState.PAID,
    "failed": PayoutState.FAILED,
    "canceled": PayoutState.CANCELLED,
}
_RETURNED: Final = frozenset({PayoutState.FAILED, PayoutState.CANCELLED})


def payout_notice(payout: Node, *, lookup: Lookup) -> list[Meaning]:
    """Read a payout's news. Moves nothing."""
    del lookup
    return [_notice(payout)]


def payout_movements(payout: Node, *, lookup: Lookup) -> list[Meaning]:
    """Read the end of a payout: its movement and, where it failed, even after paid, its return."""
    notice = _notice(payout)
    subject = Subject(
        ref=notice.reference, payment_ref=None, account_id=account_named(payout.at("metadata"))
    )
    left = movement_of(
        payout.at("balance_transaction").ref("txn"),
        expected=balance.PAYOUT,
        subject=subject,
        lookup=lookup,
    )
    if notice.state not in _RETURNED:
        return [left, notice]
    return [left, _return(payout, left=left, subject=subject, lookup=lookup), notice]


def _return(payout: Node, *, left: Movement, subject: Subject, lookup: Lookup) -> Movement:
    """Return the movement that undoes `left`; refuse one that does not."""
    ref = payout.at("failure_balance_transaction")
    back = movement_of(
        ref.ref("txn"), expected=balance.PAYOUT_RETURN, subject=subject, lookup=lookup
    )
    if (back.amount_minor, back.currency) != (-left.amount_minor, left.currency):
        ref.refuse("a balance transaction that undoes the payout's")
    return back


def _notice(payout: Node) -> PayoutNotice:
    currency = payout.at("currency").currency()
    return PayoutNotice(
        provider=SLUG,
        reference=payout.at("id").ref("po"),
        state=_STATES[payout.at("status").one_of(*_STATES)],
        amount_minor=iso_minor(payout.at("amount"), currency=currency, least=-AMOUNT_MINOR_MAX),
        currency=currency.upper(),
        arrival_at=payout.at("arrival_date").instant(),
        occurred_at=payout.at("created").instant(),
        failure_code=payout.at("failure_code").word_or_none(),
    )
