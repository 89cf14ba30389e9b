"""What each of Stripe's events means to us. Pure but for the look-ups it is handed.

The table `READINGS` is the whole of it: an event type, the object it carries, and how to read
that. A type that is not in the table is ignored, visibly.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from integrations.providers.base import Ignored, Lookup
from integrations.providers.stripe.disputes import dispute_movements, dispute_notice
from integrations.providers.stripe.payments import (
    charge_news,
    intent_meanings,
    refund_news,
)
from integrations.providers.stripe.payouts import payout_movements, payout_notice
from integrations.providers.stripe.reading import Node, strict_json
from transactions.meanings import Meaning, NotUnderstood


class Reader(Protocol):
    """Turns the object of an event into meanings, asking Stripe where money is concerned."""

    def __call__(self, subject: Node, /, *, lookup: Lookup) -> list[Meaning]:
        """Return the meanings of `subject`, in the order to apply them."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """How events of one type are read: the object they carry, and its reader."""

    carries: str
    reader: Reader


_CHARGE: Final = Reading("charge", charge_news)
_INTENT: Final = Reading("payment_intent", intent_meanings)
_REFUND: Final = Reading("refund", refund_news)
_DISPUTE: Final = Reading("dispute", dispute_notice)
_DISPUTE_MONEY: Final = Reading("dispute", dispute_movements)
_PAYOUT: Final = Reading("payout", payout_notice)
_PAYOUT_MONEY: Final = Reading("payout", payout_movements)

READINGS: Final[dict[str, Reading]] = {
    "charge.captured": _CHARGE,
    "charge.expired": _CHARGE,
    "charge.failed": _CHARGE,
    "charge.pending": _CHARGE,
    "charge.refunded": _CHARGE,
    "charge.succeeded": _CHARGE,
    "charge.updated": _CHARGE,
    "charge.refund.updated": _REFUND,
    "refund.created": _REFUND,
    "refund.failed": _REFUND,
    "refund.updated": _REFUND,
    "payment_intent.amount_capturable_updated": _INTENT,
    "payment_intent.canceled": _INTENT,
    "payment_intent.created": _INTENT,
    "payment_intent.partially_funded": _INTENT,
    "payment_intent.payment_failed": _INTENT,
    "payment_intent.processing": _INTENT,
    "payment_intent.requires_action": _INTENT,
    "payment_intent.succeeded": _INTENT,
    "charge.dispute.closed": _DISPUTE,
    "charge.dispute.created": _DISPUTE,
    "charge.dispute.updated": _DISPUTE,
    "charge.dispute.funds_reinstated": _DISPUTE_MONEY,
    "charge.dispute.funds_withdrawn": _DISPUTE_MONEY,
    "payout.created": _PAYOUT,
    "payout.updated": _PAYOUT,
    "payout.canceled": _PAYOUT_MONEY,
    "payout.failed": _PAYOUT_MONEY,
    "payout.paid": _PAYOUT_MONEY,
}


def read_event(body: bytes, *, lookup: Lookup) -> list[Meaning]:
    """Return what an authentic `body` means, in the order to apply it.

    Raises NotUnderstood naming the path, Ignored for a type outside the table, or what `lookup`
    raises.
    """
    event = Node(strict_json(body))
    event_type = event_type_of(event)
    reading = READINGS.get(event_type)
    if reading is None:
        raise Ignored(f"{event_type}: a type we take no interest in")
    event.at("object").one_of("event")
    event.at("id").ref("evt")
    event.at("created").instant()
    event.at("livemode").flag()
    if not event.at("account").is_absent:
        raise NotUnderstood("$.account: want none, as connected accounts are not served")
    subject = event.at("data", "object")
    subject.at("object").one_of(reading.carries)
    return reading.reader(subject, lookup=lookup)


def identity_of(body: bytes) -> tuple[str, str]:
    """Return the id and type of the event in `body`; NotUnderstood if it has no sane ones."""
    event = Node(strict_json(body))
    return event.at("id").ref("evt"), event_type_of(event)


def event_type_of(event: Node) -> str:
    """Return the event's type, such as `charge.dispute.created`."""
    return event.at("type").dotted()
