"""What each of Stripe's events means, and what is refused by its path."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from audit.typeids import parse_typeid
from integrations.providers.base import Ignored, NotYet
from integrations.providers.stripe.mapping import READINGS
from tests.integrations.stripe.cast import read, sample, sample_shelf
from transactions.meanings import (
    DisputeNotice,
    DisputeState,
    Meaning,
    Movement,
    MovementKind,
    NotUnderstood,
    PaymentNotice,
    PaymentState,
    PayoutNotice,
    PayoutState,
)

ACCOUNT = parse_typeid("acc", "acc_01kdvyg3c0f3ztf70p4f4brkvm")
BORN = datetime(2026, 1, 1, tzinfo=UTC)
Gists = list[tuple[object, ...]]


def gist(meaning: Meaning) -> tuple[object, ...]:
    """Return the few words that tell a meaning from another."""
    match meaning:
        case Movement():
            return (meaning.kind.value, meaning.amount_minor, meaning.fee_minor)
        case PaymentNotice():
            return ("payment", meaning.state.value, meaning.refunded_minor)
        case DisputeNotice():
            return ("dispute_notice", meaning.state.value)
        case PayoutNotice():
            return ("payout_notice", meaning.state.value)
        case _:
            raise AssertionError(f"Stripe says nothing of the kind: {meaning}")


PLAIN: Gists = [("payment", "succeeded", 0), ("charge", 10_000, 320)]
REFUNDED: Gists = [
    ("payment", "succeeded", 10_000),
    ("charge", 10_000, 320),
    ("refund", -2_500, 0),
    ("refund", -7_500, 0),
]
DISPUTED: Gists = [("payment", "succeeded", 0), ("charge", 12_000, 380)]
TABLE: dict[str, Gists] = {
    "charge.succeeded": PLAIN,
    "charge.captured": PLAIN,
    "charge.updated": PLAIN,
    "charge.pending": [("payment", "processing", 0)],
    "charge.failed": [("payment", "failed", 0)],
    "charge.expired": [("payment", "cancelled", 6_000)],
    "charge.refunded": REFUNDED,
    "charge.refund.updated": REFUNDED,
    "refund.created": REFUNDED,
    "refund.updated": REFUNDED,
    "refund.failed": [
        ("payment", "succeeded", 0),
        ("charge", 3_000, 110),
        ("refund", -3_000, 0),
        ("adjustment", 3_000, 0),
    ],
    "payment_intent.created": [("payment", "pending", 0)],
    "payment_intent.requires_action": [("payment", "requires_action", 0)],
    "payment_intent.partially_funded": [("payment", "requires_action", 0)],
    "payment_intent.processing": [("payment", "processing", 0)],
    "payment_intent.amount_capturable_updated": [("payment", "authorised", 0)],
    "payment_intent.succeeded": PLAIN,
    "payment_intent.payment_failed": [("payment", "failed", 0)],
    "payment_intent.canceled": [("payment", "cancelled", 0)],
    "charge.dispute.created": [*DISPUTED, ("dispute_notice", "needs_response")],
    "charge.dispute.updated": [*DISPUTED, ("dispute_notice", "under_review")],
    "charge.dispute.closed": [*DISPUTED, ("dispute_notice", "won")],
    "charge.dispute.funds_withdrawn": [
        *DISPUTED,
        ("dispute_notice", "needs_response"),
        ("dispute", -12_000, 2_000),
    ],
    "charge.dispute.funds_reinstated": [
        *DISPUTED,
        ("dispute_notice", "won"),
        ("dispute", -12_000, 2_000),
        ("dispute_reversal", 12_000, -2_000),
    ],
    "payout.created": [("payout_notice", "pending")],
    "payout.updated": [("payout_notice", "in_transit")],
    "payout.paid": [("payout", -50_000, 0), ("payout_notice", "paid")],
    "payout.failed": [
        ("payout", -30_000, 0),
        ("payout_failure", 30_000, 0),
        ("payout_notice", "failed"),
    ],
    "payout.canceled": [
        ("payout", -20_000, 0),
        ("payout_failure", 20_000, 0),
        ("payout_notice", "cancelled"),
    ],
}


def test_the_table_of_meanings_covers_every_event_type_that_is_read() -> None:
    assert TABLE.keys() == READINGS.keys()


@pytest.mark.parametrize("event_type", TABLE)
def test_each_event_means_what_the_table_says(event_type: str) -> None:
    assert [gist(each) for each in read(sample(event_type))] == TABLE[event_type]


def test_a_charge_is_read_in_full() -> None:
    notice, movement = read(sample("charge.succeeded"))
    assert notice == PaymentNotice(
        provider="stripe",
        reference="ch_3SamplePlain0000000001",
        intent_ref="pi_3SamplePlain0000000001",
        state=PaymentState.SUCCEEDED,
        amount_minor=10_000,
        refunded_minor=0,
        currency="EUR",
        occurred_at=BORN,
        account_id=ACCOUNT,
        failure_code=None,
    )
    assert movement == Movement(
        provider="stripe",
        reference="txn_3SamplePlain0000000001",
        kind=MovementKind.CHARGE,
        amount_minor=10_000,
        fee_minor=320,
        currency="EUR",
        occurred_at=BORN,
        payment_ref="ch_3SamplePlain0000000001",
        subject_ref="ch_3SamplePlain0000000001",
        account_id=ACCOUNT,
    )
    assert isinstance(movement, Movement)
    assert (movement.net_minor, movement.origin) == (9_680, "stripe:txn_3SamplePlain0000000001")


def test_an_intent_without_a_charge_is_known_by_its_own_id() -> None:
    (notice,) = read(sample("payment_intent.created"))
    assert isinstance(notice, PaymentNotice)
    assert notice.reference == notice.intent_ref == "pi_3SamplePlain0000000001"


def test_a_dispute_and_a_payout_are_read_in_full() -> None:
    dispute = read(sample("charge.dispute.created"))[-1]
    assert isinstance(dispute, DisputeNotice)
    assert (dispute.reference, dispute.payment_ref) == (
        "du_1SampleDispute000000001",
        "ch_3SampleDisputed0000001",
    )
    assert (dispute.state, dispute.amount_minor, dispute.currency, dispute.reason) == (
        DisputeState.NEEDS_RESPONSE,
        12_000,
        "EUR",
        "fraudulent",
    )
    payout = read(sample("payout.failed"))[-1]
    assert isinstance(payout, PayoutNotice)
    assert (payout.state, payout.failure_code) == (PayoutState.FAILED, "account_closed")
    assert payout.arrival_at > payout.occurred_at == BORN


def test_a_type_outside_the_table_is_ignored_by_name() -> None:
    with pytest.raises(Ignored, match=r"^customer\.created: "):
        read({"id": "evt_1", "object": "event", "type": "customer.created", "data": {}})


CHARGE = "ch_3SamplePlain0000000001"
TXN = "txn_3SamplePlain0000000001"


def told(changes: dict[str, dict[str, object]], event_type: str = "charge.succeeded") -> Any:
    """Read a sample against the sample objects with `changes` made."""
    shelf = sample_shelf()
    for ref, fields in changes.items():
        shelf.objects[ref] |= fields
    return read(sample(event_type), shelf)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"type": "topup"}, "type"),
        ({"source": "ch_another"}, "source"),
        ({"source": None}, "source"),
        ({"net": 9_681}, "net"),
        ({"amount": 100.5}, "amount"),
        ({"amount": 0, "fee": 0, "net": 0}, "amount"),
        ({"amount": -10_000, "net": -10_320}, "amount"),
        ({"currency": "EUR"}, "currency"),
        ({"created": None}, "created"),
    ],
)
def test_a_balance_transaction_that_does_not_fit_is_refused(
    fields: dict[str, object], place: str
) -> None:
    with pytest.raises(NotUnderstood) as refused:
        told({TXN: fields})
    assert refused.value.reason.startswith(f"balance_transaction[{TXN}].{place}: ")


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"status": "odd"}, "status"),
        ({"captured": None}, "captured"),
        ({"amount_refunded": 10_001}, "amount_refunded"),
        ({"amount_refunded": 1}, "amount_refunded"),
        ({"refunds": None, "amount_refunded": 1}, "refunds"),
        ({"refunds": {"data": [], "has_more": True}}, "refunds"),
        ({"metadata": 3}, "metadata"),
    ],
)
def test_a_charge_that_does_not_fit_is_refused(fields: dict[str, object], place: str) -> None:
    with pytest.raises(NotUnderstood) as refused:
        told({CHARGE: fields})
    assert refused.value.reason.startswith(f"charge[{CHARGE}].{place}: ")


def test_a_captured_charge_without_its_balance_transaction_is_asked_about_again() -> None:
    with pytest.raises(NotYet):
        told({CHARGE: {"balance_transaction": None}})


def test_a_payout_whose_return_does_not_undo_it_is_refused() -> None:
    with pytest.raises(NotUnderstood, match="undoes"):
        told({"txn_1SamplePayoutReturn001": {"amount": 29_999, "net": 29_999}}, "payout.failed")


@pytest.mark.parametrize(
    "metadata",
    [None, {}, {"countersign_account": "acc_nonsense"}, {"countersign_account": 7}, {"x": "y"}],
)
def test_money_without_a_sane_account_has_none(metadata: dict[str, object] | None) -> None:
    notice, movement = told({CHARGE: {"metadata": metadata}})
    assert notice.account_id is None
    assert movement.account_id is None


@pytest.mark.parametrize(
    ("currency", "stated", "meant"),
    [
        ("jpy", 4_980, 4_980),
        ("bhd", 1_230, 1_230),
        ("huf", 10_000, 10_000),
        ("isk", 50_000, 500),
        ("ugx", 50_000, 500),
        ("mga", 500, 50_000),
    ],
)
def test_amounts_are_read_in_stripes_minor_units(currency: str, stated: int, meant: int) -> None:
    fields = {"amount": stated, "currency": currency}
    notice, movement = told({CHARGE: fields, TXN: fields | {"fee": 0, "net": stated}})
    assert notice.amount_minor == movement.amount_minor == meant
    assert movement.currency == currency.upper()


def test_a_krona_with_a_fraction_is_refused() -> None:
    with pytest.raises(NotUnderstood, match="multiple of 100"):
        told({CHARGE: {"amount": 150, "currency": "isk"}})


def test_a_settlement_in_another_currency_keeps_both() -> None:
    notice, movement = told({TXN: {"currency": "usd", "exchange_rate": 1.0875}})
    assert (notice.currency, movement.currency) == ("EUR", "USD")


def test_a_refund_still_under_way_may_or_may_not_be_counted() -> None:
    shelf = sample_shelf()
    charge = copy.deepcopy(shelf.objects["ch_3SampleRefunded0000001"])
    charge["refunds"]["data"][0]["status"] = "pending"
    for counted in (10_000, 2_500):
        charge["amount_refunded"] = counted
        shelf.objects[charge["id"]] = charge
        notice = read(sample("charge.refunded"), shelf)[0]
        assert isinstance(notice, PaymentNotice)
        assert notice.refunded_minor == counted
