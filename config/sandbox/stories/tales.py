"""The stories themselves, each a few acts of the shop and what must come of them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from config.sandbox.stories.shop import Shop
from config.sandbox.stories.telling import Delivery, Fate, Json, Seal, Telling
from config.sandbox.stories.templates import Templates
from transactions.meanings import DisputeState

LATE: Final = timedelta(days=3)
YEN: Final = 4_980

Tale = Callable[[Shop], dict[str, Fate] | None]


def plain_charge(shop: Shop) -> None:
    """A plain charge, told three ways, is booked once."""
    _sell(shop)


def partial_then_full_refund(shop: Shop) -> None:
    """A charge is refunded in part, then in full: the difference is booked each time."""
    charge = _sell(shop)
    first = charge["amount"] // 4
    for amount in (first, charge["amount"] - first):
        refund = shop.refund(charge, amount=amount)
        shop.tell("refund.created", refund)
        shop.tell("charge.refunded", charge)


def dispute_lost(shop: Shop) -> None:
    """A dispute is lost: the money and a fee stay gone."""
    dispute = _quarrel(shop)
    shop.close(dispute, state=DisputeState.LOST)
    shop.tell("charge.dispute.closed", dispute)


def dispute_won(shop: Shop) -> None:
    """A dispute is won: the money and the fee come back."""
    dispute = _quarrel(shop)
    shop.close(dispute, state=DisputeState.WON)
    shop.reinstate(dispute)
    shop.tell("charge.dispute.funds_reinstated", dispute)
    shop.tell("charge.dispute.closed", dispute)


def payout_paid(shop: Shop) -> None:
    """Stripe pays out to the bank."""
    payout = shop.payout()
    shop.tell("payout.created", payout | {"status": "pending"})
    shop.tell("payout.paid", payout)


def payout_paid_then_failed(shop: Shop) -> None:
    """A payout fails after it was paid: its money comes back."""
    payout = shop.payout()
    shop.tell("payout.paid", payout)
    shop.bounce(payout)
    shop.tell("payout.failed", payout)


def charge_without_metadata(shop: Shop) -> None:
    """Nobody knows whose the money is: it waits in suspense."""
    shop.account = None
    _sell(shop)


def duplicate_delivery(shop: Shop) -> None:
    """Every event comes three times and counts once."""
    charge = _sell(shop)
    shop.refund(charge, amount=charge["amount"] // 2)
    shop.tell("charge.refunded", charge)
    shop.deliveries = [each for each in shop.deliveries for _ in range(3)]


def shuffled_delivery(shop: Shop) -> None:
    """A charge, its refund and its dispute arrive in no order at all."""
    charge = _sell(shop)
    shop.refund(charge, amount=charge["amount"] // 5)
    shop.tell("charge.refunded", charge)
    dispute = shop.dispute(charge) | {"amount": charge["amount"] - charge["amount"] // 5}
    shop.tell("charge.dispute.created", dispute)
    shop.withdraw(dispute)
    shop.tell("charge.dispute.funds_withdrawn", dispute)
    known = shop.deliveries[-1].objects
    shop.deliveries = [
        replace(each, objects=known) for _, each in sorted(_dealt(shop), key=lambda pair: pair[0])
    ]


def late_delivery(shop: Shop) -> None:
    """The news of a charge arrives days late, after that of its refund."""
    shop.clock -= int(LATE.total_seconds())
    charge = shop.charge()
    born = shop.event("charge.succeeded", charge)
    shop.wait(seconds=86_400)
    shop.refund(charge, amount=charge["amount"])
    shop.tell("charge.refunded", charge)
    shop.post(born)


def bad_signature(shop: Shop) -> dict[str, Fate]:
    """Forged, unsigned and stale bodies are turned away at the door, and nothing is stored."""
    charge = shop.charge()
    told = [shop.tell("charge.succeeded", charge) for _ in range(3)]
    seals = (Seal.WRONG, Seal.MISSING, Seal.STALE)
    shop.deliveries = [each.sealed(seal) for each, seal in zip(told, seals, strict=True)]
    shop.booked.clear()
    shop.payments.clear()
    return {each.event_id: Fate.REFUSED for each in told}


def signed_but_not_understood(shop: Shop) -> dict[str, Fate]:
    """Genuine bodies that break Stripe's own form are kept apart for a person to read."""
    payout = shop.payout()
    split = shop.post(shop.event("payout.paid", payout | {"amount": 12.5}))
    event = shop.event("payout.paid", payout)
    body = b'{"id":"%s","type":"payout.paid","type":"payout.paid"}' % event["id"].encode()
    twice = shop.post(event, body=body)
    shop.booked.clear()
    shop.payouts.clear()
    return dict.fromkeys((split.event_id, twice.event_id), Fate.QUARANTINED)


def unknown_type(shop: Shop) -> dict[str, Fate]:
    """A type we take no interest in is stored and visibly ignored."""
    event = shop.event("payout.created", shop.payout()) | {"type": "customer.tax_id.created"}
    event["data"] = {"object": {"id": shop.ref("txi"), "object": "tax_id", "value": "DE1234"}}
    shop.booked.clear()
    shop.payouts.clear()
    return {shop.post(event).event_id: Fate.IGNORED}


def zero_decimal_currency(shop: Shop) -> None:
    """Yen have no minor unit: 4980 is ¥4,980."""
    charge = shop.charge(amount=YEN)
    shop.tell("charge.succeeded", charge)


STORIES: Final[dict[str, Tale]] = {
    tale.__name__: tale
    for tale in (
        plain_charge,
        partial_then_full_refund,
        dispute_lost,
        dispute_won,
        payout_paid,
        payout_paid_then_failed,
        charge_without_metadata,
        duplicate_delivery,
        shuffled_delivery,
        late_delivery,
        bad_signature,
        signed_but_not_understood,
        unknown_type,
        zero_decimal_currency,
    )
}


def build(
    story: str,
    *,
    seed: str,
    account: str | None,
    now: datetime,
    currency: str = "eur",
    templates: Templates | None = None,
) -> Telling:
    """Return `story` with ids, dates and amounts that follow from `seed` and `now` alone.

    `account` is the TypeID (`acc_...`) of ours to name in metadata, None to name none; `currency`
    is its currency, in lower case, except in the story of the yen.
    """
    tale = STORIES[story]
    shop = Shop(
        seed=f"{seed}/{story}",
        account=account,
        now=now,
        currency="jpy" if tale is zero_decimal_currency else currency,
        templates=templates or Templates(),
    )
    fates = tale(shop) or {}
    return Telling(
        name=story,
        title=(tale.__doc__ or story).strip(),
        deliveries=tuple(shop.deliveries),
        ending=shop.ending(**fates),
    )


def _sell(shop: Shop) -> Json:
    """Tell the three events of one sale."""
    charge = shop.charge()
    for event_type in ("payment_intent.created", "payment_intent.succeeded"):
        shop.tell(event_type, shop.intent(charge, event_type=event_type))
    shop.tell("charge.succeeded", charge)
    return charge


def _quarrel(shop: Shop) -> Json:
    """Tell a sale, a dispute about it, and the withdrawal of its money."""
    charge = _sell(shop)
    dispute = shop.dispute(charge)
    shop.tell("charge.dispute.created", dispute)
    shop.withdraw(dispute)
    shop.tell("charge.dispute.funds_withdrawn", dispute)
    return dispute


def _dealt(shop: Shop) -> list[tuple[int, Delivery]]:
    """Deal each delivery a number from the seed, to put them in another order."""
    return [(shop.draw(), each) for each in shop.deliveries]
