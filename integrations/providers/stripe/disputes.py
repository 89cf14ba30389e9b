"""Disputes: how one stands, and what it took and gave back."""

from typing import Final

from integrations.providers.base import Lookup
from integrations.providers.stripe import balance
from integrations.providers.stripe.balance import SLUG, Subject, balance_transaction, read_movement
from integrations.providers.stripe.currencies import iso_minor
from integrations.providers.stripe.payments import CHARGE_PREFIXES, charge_meanings
from integrations.providers.stripe.reading import Node
from transactions.meanings import DisputeNotice, DisputeState, Meaning, Movement, PaymentNotice

DISPUTE_PREFIXES: Final = ("dp", "du", "pdp")
TRANSACTIONS_MAX: Final = 10

_STATES: Final = {
    "warning_needs_response": DisputeState.WARNING_NEEDS_RESPONSE,
    "warning_under_review": DisputeState.WARNING_UNDER_REVIEW,
    "warning_closed": DisputeState.WARNING_CLOSED,
    "prevented": DisputeState.WARNING_CLOSED,
    "needs_response": DisputeState.NEEDS_RESPONSE,
    "under_review": DisputeState.UNDER_REVIEW,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
}


def dispute_notice(dispute: Node, *, lookup: Lookup) -> list[Meaning]:
    """Read a dispute's news: its charge as it stands, then the dispute. Moves nothing of it."""
    notice = _notice(dispute)
    return [*charge_meanings(notice.payment_ref, lookup=lookup), notice]


def dispute_movements(dispute: Node, *, lookup: Lookup) -> list[Meaning]:
    """Read news of a dispute's money: also every balance transaction it names, looked up."""
    told = dispute_notice(dispute, lookup=lookup)
    listed = dispute.at("balance_transactions")
    refs = [node.ref("txn") for node in listed.items(most=TRANSACTIONS_MAX)]
    if not refs:
        listed.refuse("at least one balance transaction")
    payment = next(each for each in told if isinstance(each, PaymentNotice))
    subject = Subject(
        ref=dispute.at("id").ref(*DISPUTE_PREFIXES),
        payment_ref=payment.reference,
        account_id=payment.account_id,
    )
    moved = [_movement(ref, subject=subject, lookup=lookup) for ref in refs]
    return [*told, *sorted(moved, key=lambda each: (each.occurred_at, each.amount_minor))]


def _movement(ref: str, *, subject: Subject, lookup: Lookup) -> Movement:
    """Return what one balance transaction of a dispute moved: taken below zero, given above."""
    found = balance_transaction(ref, lookup=lookup)
    amount = found.at("amount").value
    is_taken = isinstance(amount, int) and amount < 0
    expected = balance.DISPUTE if is_taken else balance.DISPUTE_REVERSAL
    return read_movement(found, expected=expected, subject=subject)


def _notice(dispute: Node) -> DisputeNotice:
    currency = dispute.at("currency").currency()
    return DisputeNotice(
        provider=SLUG,
        reference=dispute.at("id").ref(*DISPUTE_PREFIXES),
        payment_ref=dispute.at("charge").ref(*CHARGE_PREFIXES),
        state=_STATES[dispute.at("status").one_of(*_STATES)],
        amount_minor=iso_minor(dispute.at("amount"), currency=currency),
        currency=currency.upper(),
        reason=dispute.at("reason").word(),
        occurred_at=dispute.at("created").instant(),
    )
