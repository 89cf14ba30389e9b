"""Balance transactions: the only statement of Stripe's that becomes a journal."""

from dataclasses import dataclass
from enum import Enum
from typing import Final
from uuid import UUID

from audit.typeids import parse_typeid
from integrations.providers.base import Lookup
from integrations.providers.stripe.currencies import iso_minor
from integrations.providers.stripe.reading import AMOUNT_MINOR_MAX, Node
from transactions.meanings import Movement, MovementKind

SLUG: Final = "stripe"
ACCOUNT_KEY: Final = "countersign_account"
ACCOUNT_PREFIX: Final = "acc"


class Sign(Enum):
    """Which way money may go for a kind of movement; the value is the sign itself."""

    IN = 1
    OUT = -1
    EITHER = 0


@dataclass(frozen=True, slots=True)
class Expected:
    """What a balance transaction must look like to be taken for one of `kind`."""

    kind: MovementKind
    types: frozenset[str]
    sign: Sign


CHARGE: Final = Expected(MovementKind.CHARGE, frozenset({"charge", "payment"}), Sign.IN)
CHARGE_RETURN: Final = Expected(
    MovementKind.ADJUSTMENT,
    frozenset({"payment_failure_refund", "payment_reversal", "adjustment"}),
    Sign.OUT,
)
REFUND: Final = Expected(MovementKind.REFUND, frozenset({"refund", "payment_refund"}), Sign.OUT)
REFUND_RETURN: Final = Expected(
    MovementKind.ADJUSTMENT, frozenset({"refund_failure", "payment_refund", "adjustment"}), Sign.IN
)
DISPUTE: Final = Expected(
    MovementKind.DISPUTE, frozenset({"adjustment", "payment_reversal"}), Sign.OUT
)
DISPUTE_REVERSAL: Final = Expected(
    MovementKind.DISPUTE_REVERSAL, frozenset({"adjustment"}), Sign.IN
)
PAYOUT: Final = Expected(MovementKind.PAYOUT, frozenset({"payout"}), Sign.EITHER)
PAYOUT_RETURN: Final = Expected(
    MovementKind.PAYOUT_FAILURE, frozenset({"payout_failure", "payout_cancel"}), Sign.EITHER
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a movement was caused by: Stripe's object, its charge, and our account behind it."""

    ref: str
    payment_ref: str | None
    account_id: UUID | None


def balance_transaction(ref: str, *, lookup: Lookup) -> Node:
    """Return the balance transaction `ref`, fetched from Stripe."""
    found = Node(lookup.fetch(kind="balance_transaction", ref=ref), f"balance_transaction[{ref}]")
    found.at("object").one_of("balance_transaction")
    if found.at("id").ref("txn") != ref:
        found.at("id").refuse(ref)
    return found


def told_or_asked(named: Node, *, lookup: Lookup) -> Node:
    """Return the balance transaction that an answer of Stripe's names, fetched if only named.

    Never for what a callback says: only an answer's own spelling of it can be believed.
    """
    ref = named.ref("txn")
    if not isinstance(named.value, dict):
        return balance_transaction(ref, lookup=lookup)
    found = Node(named.value, f"balance_transaction[{ref}]")
    found.at("object").one_of("balance_transaction")
    return found


def movement_of(ref: str, *, expected: Expected, subject: Subject, lookup: Lookup) -> Movement:
    """Return the movement that balance transaction `ref` states, looked up at Stripe."""
    return read_movement(
        balance_transaction(ref, lookup=lookup), expected=expected, subject=subject
    )


def read_movement(found: Node, *, expected: Expected, subject: Subject) -> Movement:
    """Return the movement stated by `found`, which must be of the expected kind and subject."""
    found.at("type").one_of(*sorted(expected.types))
    if found.at("source").ref(subject.ref.split("_", 1)[0]) != subject.ref:
        found.at("source").refuse(f"{subject.ref}, whose movement this is")
    currency = found.at("currency").currency()
    gross, fee, net = (
        iso_minor(found.at(name), currency=currency, least=-AMOUNT_MINOR_MAX)
        for name in ("amount", "fee", "net")
    )
    if gross - fee != net:
        found.at("net").refuse("the amount less the fee")
    _check_sign(found.at("amount"), gross=gross, sign=expected.sign)
    return Movement(
        provider=SLUG,
        reference=found.at("id").ref("txn"),
        kind=expected.kind,
        amount_minor=gross,
        fee_minor=fee,
        currency=currency.upper(),
        occurred_at=found.at("created").instant(),
        payment_ref=subject.payment_ref,
        subject_ref=subject.ref,
        account_id=subject.account_id,
    )


def account_named(metadata: Node) -> UUID | None:
    """Return our account named in an object's metadata; None when absent or malformed."""
    if metadata.is_absent:
        return None
    named = metadata.at(ACCOUNT_KEY).value
    if not isinstance(named, str):
        return None
    try:
        return parse_typeid(ACCOUNT_PREFIX, named)
    except ValueError:
        return None


def _check_sign(amount: Node, *, gross: int, sign: Sign) -> None:
    """Refuse a movement of nothing, or one that goes the wrong way."""
    if not gross:
        amount.refuse("an amount that is not zero")
    if gross * sign.value < 0:
        amount.refuse("money in" if sign is Sign.IN else "money out")
