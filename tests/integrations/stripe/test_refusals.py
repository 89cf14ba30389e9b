"""What is not in Stripe's own form is refused, by the path where it is not."""

from typing import Any

import pytest

from tests.integrations.stripe.cast import Json, read, sample
from transactions.meanings import NotUnderstood

BIG = "x" * 5_000


def changed(event_type: str, path: str, value: object) -> Json:
    """Return our sample of `event_type` with `path` set to `value`."""
    event = sample(event_type)
    *steps, last = path.split(".")
    inside: Any = event
    for step in steps:
        inside = inside[step]
    inside[last] = value
    return event


MONEY = "data.object.amount"
STATUS = "data.object.status"


@pytest.mark.parametrize(
    ("event_type", "path", "value"),
    [
        ("payout.paid", "object", "event2"),
        ("payout.paid", "id", "evt"),
        ("payout.paid", "created", "1767225600"),
        ("payout.paid", "created", -1),
        ("payout.paid", "created", 10**12),
        ("payout.paid", "livemode", "no"),
        ("payout.paid", "livemode", 0),
        ("payout.paid", "data", []),
        ("payout.paid", "data.object", None),
        ("payout.paid", "data.object.object", "charge"),
        ("payout.paid", "data.object.id", "ch_1"),
        ("payout.paid", "data.object.id", "po_" + BIG),
        ("payout.paid", MONEY, 12.5),
        ("payout.paid", MONEY, 12.0),
        ("payout.paid", MONEY, "12"),
        ("payout.paid", MONEY, True),
        ("payout.paid", MONEY, None),
        ("payout.paid", MONEY, 10**15 + 1),
        ("charge.succeeded", MONEY, -1),
        ("charge.succeeded", "data.object.amount_refunded", "0"),
        ("payout.paid", "data.object.currency", "EUR"),
        ("payout.paid", "data.object.currency", "euro"),
        ("payout.paid", "data.object.currency", "e\u20ac1"),
        ("payout.paid", "data.object.currency", 978),
        ("payout.paid", STATUS, "settled"),
        ("payout.paid", STATUS, ["paid"]),
        ("payout.paid", "data.object.metadata", "acc"),
        ("payout.paid", "data.object.arrival_date", None),
        ("payout.paid", "data.object.balance_transaction", "../charges"),
        ("payout.paid", "data.object.failure_code", "Robert'); DROP TABLE"),
        ("payout.failed", "data.object.failure_balance_transaction", None),
        ("charge.dispute.created", "data.object.charge", None),
        ("charge.dispute.created", "data.object.reason", BIG),
        ("charge.dispute.funds_withdrawn", "data.object.balance_transactions", []),
        ("charge.dispute.funds_withdrawn", "data.object.balance_transactions", ["txn_1"] * 11),
        ("refund.created", "data.object.charge", "pi_1"),
        ("payment_intent.succeeded", "data.object.latest_charge", None),
        ("payment_intent.created", STATUS, "unheard_of"),
    ],
)
def test_a_wrong_field_is_refused_by_its_path(event_type: str, path: str, value: object) -> None:
    with pytest.raises(NotUnderstood) as refused:
        read(changed(event_type, path, value))
    assert refused.value.reason.startswith(f"$.{path}")
    assert BIG[:300] not in refused.value.reason


def test_a_connected_account_is_refused() -> None:
    with pytest.raises(NotUnderstood, match=r"^\$\.account: "):
        read(sample("charge.succeeded") | {"account": "acct_1"})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "$: not JSON in UTF-8"),
        (b"\xff", "$: not JSON in UTF-8"),
        (b"\xef\xbb\xbf{}", "$: not JSON in UTF-8"),
        (b'{"a":1e999}', "$: not JSON in UTF-8"),
        (b"[" * 50_000, "$: not JSON in UTF-8"),
        (b"[" * 40 + b"]" * 40, "$" + "[0]" * 33 + ": deeper than 32"),
        (b'{"data":{"object":{"amount":1,"amount":2}}}', "$.data.object.amount: given twice"),
        (b'{"a":[{"\\u0000":1,"\\u0000":1}]}', "$.a[0].?: given twice"),
        (b"[" + b"0," * 1_000 + b"0]", "$: more than 1000 members"),
        (b"[]", "$: want an object"),
    ],
)
def test_a_body_out_of_form_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(NotUnderstood) as refused:
        read(body)
    assert refused.value.reason == reason
