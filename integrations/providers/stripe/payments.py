"""Charges, their intents and their refunds: how a payment stands and what it moved.

Whatever the news, the charge is fetched again and read whole, so that copies, late ones and
shuffled ones all read the same.
"""

from collections.abc import Iterator
from typing import Final

from integrations.providers.base import Lookup, NotYet
from integrations.providers.stripe import balance
from integrations.providers.stripe.balance import (
    SLUG,
    Subject,
    account_named,
    movement_of,
    read_movement,
    told_or_asked,
)
from integrations.providers.stripe.currencies import iso_minor
from integrations.providers.stripe.reading import Node
from transactions.meanings import Meaning, Movement, PaymentNotice, PaymentState

CHARGE_PREFIXES: Final = ("ch", "py")
REFUND_PREFIXES: Final = ("re", "pyr")
REFUNDS_MAX: Final = 10  # what Stripe lists inside a charge; more of them are quarantined

_INTENT_STATES: Final = {
    "requires_payment_method": PaymentState.PENDING,
    "requires_confirmation": PaymentState.PENDING,
    "requires_action": PaymentState.REQUIRES_ACTION,
    "processing": PaymentState.PROCESSING,
    "requires_capture": PaymentState.AUTHORISED,
    "canceled": PaymentState.CANCELLED,
}
_REFUND_STATES: Final = ("pending", "requires_action", "succeeded", "failed", "canceled")
_REFUND_VOID: Final = frozenset({"failed", "canceled"})


def intent_meanings(intent: Node, *, lookup: Lookup) -> list[Meaning]:
    """Read an intent: through its charge once it has one, else as it says itself."""
    status = intent.at("status").one_of(*_INTENT_STATES, "succeeded")
    ref = intent.at("id").ref("pi")
    currency = _check_amount(intent)
    charge = _charge_of_intent(intent, must=status == "succeeded")
    if charge is not None:
        return charge_meanings(charge, lookup=lookup)
    error = intent.at("last_payment_error")
    return [
        PaymentNotice(
            provider=SLUG,
            reference=ref,
            intent_ref=ref,
            state=_INTENT_STATES[status],
            amount_minor=iso_minor(intent.at("amount"), currency=currency),
            refunded_minor=0,
            currency=currency.upper(),
            occurred_at=intent.at("created").instant(),
            account_id=account_named(intent.at("metadata")),
            failure_code=None if error.is_absent else error.at("code").word_or_none(),
        )
    ]


def charge_news(charge: Node, *, lookup: Lookup) -> list[Meaning]:
    """Read a charge's news: its form is checked, and the charge fetched as it is now."""
    currency = _check_amount(charge)
    iso_minor(charge.at("amount_refunded"), currency=currency)
    return charge_meanings(charge.at("id").ref(*CHARGE_PREFIXES), lookup=lookup)


def refund_news(refund: Node, *, lookup: Lookup) -> list[Meaning]:
    """Read a refund's news through its charge."""
    refund.at("id").ref(*REFUND_PREFIXES)
    refund.at("status").one_of(*_REFUND_STATES)
    _check_amount(refund)
    return charge_meanings(refund.at("charge").ref(*CHARGE_PREFIXES), lookup=lookup)


def charge_meanings(ref: str, *, lookup: Lookup) -> list[Meaning]:
    """Return how charge `ref` stands and every movement of it and of its refunds."""
    charge = fetch_charge(ref, lookup=lookup)
    notice = _notice(charge)
    return [notice, *_movements(charge, notice=notice, lookup=lookup)]


def fetch_charge(ref: str, *, lookup: Lookup) -> Node:
    """Return charge `ref` as Stripe has it now, refunds included."""
    charge = Node(lookup.fetch(kind="charge", ref=ref), f"charge[{ref}]")
    charge.at("object").one_of("charge")
    if charge.at("id").ref(*CHARGE_PREFIXES) != ref:
        charge.at("id").refuse(ref)
    return charge


def _check_amount(subject: Node) -> str:
    """Refuse an object without a sane amount and creation; return its currency."""
    currency = subject.at("currency").currency()
    iso_minor(subject.at("amount"), currency=currency)
    subject.at("created").instant()
    return currency


def _charge_of_intent(intent: Node, *, must: bool) -> str | None:
    """Return the intent's latest charge; before API version 2022-11-15 it leads a list."""
    latest = intent.at("latest_charge")
    if latest.is_absent and not intent.at("charges").is_absent:
        listed = intent.at("charges", "data").items(most=REFUNDS_MAX)
        latest = next(listed, latest)
    return latest.ref(*CHARGE_PREFIXES) if must else latest.ref_or_none(*CHARGE_PREFIXES)


def _notice(charge: Node) -> PaymentNotice:
    currency = charge.at("currency").currency()
    amount = iso_minor(charge.at("amount"), currency=currency)
    refunded = iso_minor(charge.at("amount_refunded"), currency=currency)
    if refunded > amount:
        charge.at("amount_refunded").refuse("at most the amount")
    return PaymentNotice(
        provider=SLUG,
        reference=charge.at("id").ref(*CHARGE_PREFIXES),
        intent_ref=charge.at("payment_intent").ref_or_none("pi"),
        state=_state(charge, is_refunded=refunded == amount),
        amount_minor=amount,
        refunded_minor=refunded,
        currency=currency.upper(),
        occurred_at=charge.at("created").instant(),
        account_id=account_named(charge.at("metadata")),
        failure_code=charge.at("failure_code").word_or_none(),
    )


def _state(charge: Node, *, is_refunded: bool) -> PaymentState:
    """Return the state of a charge; one refunded before it was captured was cancelled."""
    match charge.at("status").one_of("succeeded", "pending", "failed"):
        case "pending":
            return PaymentState.PROCESSING
        case "failed":
            return PaymentState.FAILED
        case _ if charge.at("captured").flag():
            return PaymentState.SUCCEEDED
        case _:
            return PaymentState.CANCELLED if is_refunded else PaymentState.AUTHORISED


def _movements(charge: Node, *, notice: PaymentNotice, lookup: Lookup) -> Iterator[Movement]:
    """Yield the charge's own movement, its return if it failed later, then its refunds'."""
    subject = Subject(
        ref=notice.reference, payment_ref=notice.reference, account_id=notice.account_id
    )
    own = charge.at("balance_transaction")
    if not own.is_absent:
        found = told_or_asked(own, lookup=lookup)
        yield read_movement(found, expected=balance.CHARGE, subject=subject)
    elif notice.state is PaymentState.SUCCEEDED:
        raise NotYet(f"{notice.reference} has no balance transaction yet")
    returned = charge.at("failure_balance_transaction").ref_or_none("txn")
    if returned is not None:
        yield movement_of(returned, expected=balance.CHARGE_RETURN, subject=subject, lookup=lookup)
    if notice.refunded_minor or _lists_refunds(charge):
        yield from _refund_movements(charge, notice=notice, lookup=lookup)


def _lists_refunds(charge: Node) -> bool:
    """Say whether a charge with nothing refunded lists refunds all the same: failed ones."""
    listed = charge.at("refunds")
    return not (listed.is_absent or listed.at("data").is_absent)


def _refund_movements(
    charge: Node, *, notice: PaymentNotice, lookup: Lookup
) -> Iterator[Movement]:
    """Yield what each refund moved, oldest first; together they are the cumulative amount."""
    listed = charge.at("refunds")
    if listed.at("has_more").flag():
        listed.refuse(f"at most {REFUNDS_MAX} refunds")
    refunds = list(listed.at("data").items(most=REFUNDS_MAX))
    _check_sum(refunds, charge=charge)
    for refund in reversed(refunds):
        subject = Subject(
            ref=refund.at("id").ref(*REFUND_PREFIXES),
            payment_ref=notice.reference,
            account_id=notice.account_id,
        )
        for name, expected in (
            ("balance_transaction", balance.REFUND),
            ("failure_balance_transaction", balance.REFUND_RETURN),
        ):
            moved = refund.at(name).ref_or_none("txn")
            if moved is not None:
                yield movement_of(moved, expected=expected, subject=subject, lookup=lookup)
            elif name == "balance_transaction" and _owes_movement(refund, state=notice.state):
                raise NotYet(f"{subject.ref} has no balance transaction yet")


def _owes_movement(refund: Node, *, state: PaymentState) -> bool:
    """Say whether a refund must have moved money: done, on a charge that was captured."""
    done = refund.at("status").one_of(*_REFUND_STATES) == "succeeded"
    return done and state is PaymentState.SUCCEEDED


def _check_sum(refunds: list[Node], *, charge: Node) -> None:
    """Refuse a list of refunds that does not add up to the cumulative amount.

    A refund still under way may or may not be counted by Stripe; a done one always is.
    """
    done = under_way = 0
    for refund in refunds:
        status = refund.at("status").one_of(*_REFUND_STATES)
        amount = refund.at("amount").whole()
        done += amount if status == "succeeded" else 0
        under_way += amount if status not in _REFUND_VOID and status != "succeeded" else 0
    total = charge.at("amount_refunded")
    if not done <= total.whole() <= done + under_way:
        total.refuse("the sum of the refunds")
