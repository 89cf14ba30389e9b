"""Requests for transfers that are wrong: each fault is named, and nothing is done."""

import json
from typing import Any

import pytest

from tests.partners import PartnerWorld, acme

__all__ = ["acme"]
pytestmark = pytest.mark.role("api")
PATH = "/v1/transfers"
NOBODY = "acc_00000000000000000000000000"
BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"amount_minor": "100"}, "amount_minor"),
    ({"amount_minor": 1.0}, "amount_minor"),
    ({"amount_minor": 1e2}, "amount_minor"),
    ({"amount_minor": True}, "amount_minor"),
    ({"amount_minor": None}, "amount_minor"),
    ({"amount_minor": 0}, "amount_minor"),
    ({"amount_minor": -1}, "amount_minor"),
    ({"amount_minor": 2**63}, "amount_minor"),
    ({"amount_minor": 10**40}, "amount_minor"),
    ({"amount_minor": [1]}, "amount_minor"),
    ({"amount_minor": float("nan")}, "amount_minor"),
    ({"amount_minor": float("inf")}, "amount_minor"),
    ({"currency": "XXX"}, "currency"),
    ({"currency": "eur"}, "currency"),
    ({"currency": "EURO"}, "currency"),
    ({"currency": 978}, "currency"),
    ({"currency": "USD"}, "currency"),
    ({"currency": ""}, "currency"),
    ({"kind": "magic"}, "kind"),
    ({"kind": ["internal"]}, "kind"),
    ({"kind": None}, "kind"),
    ({"source_account": "trf_00000000000000000000000000"}, "source_account"),
    ({"source_account": "acc_short"}, "source_account"),
    ({"source_account": 5}, "source_account"),
    ({"source_account": "acc_0000000000000000000000000I"}, "source_account"),
    ({"destination": {"name": "A", "iban": "DE89370400440532013000"}}, "destination"),
    ({"reference": "x" * 141}, "reference"),
    ({"reference": 5}, "reference"),
    ({"reference": "a\nb"}, "reference"),
    ({"reference": "a\x00b"}, "reference"),
    ({"reference": "\ud800"}, "reference"),
    ({"reference": "\u202e1202"}, "reference"),
    ({"metadata": {"a": "\u2066a"}}, "metadata.a"),
    ({"metadata": {"a\u200f": "a"}}, "metadata.a\\u200f"),
    ({"metadata": []}, "metadata"),
    ({"metadata": {"a": 1}}, "metadata.a"),
    ({"metadata": {"a": {"b": "c"}}}, "metadata.a"),
    ({"metadata": {"a": "x" * 256}}, "metadata.a"),
    ({"metadata": {"k" * 41: "x"}}, f"metadata.{'k' * 41}"),
    ({"metadata": {"": "x"}}, "metadata"),
    ({"metadata": {str(n): "x" for n in range(21)}}, "metadata"),
    ({"surprise": 1}, "surprise"),
    ({"Amount_minor": 1}, "Amount_minor"),
    ({"\ud800": 1}, "\\ud800"),
]


@pytest.mark.parametrize(("changes", "name"), BAD_FIELDS, ids=lambda value: repr(value)[:40])
def test_a_wrong_field_is_named(acme: PartnerWorld, changes: dict[str, Any], name: str) -> None:
    answer = acme.post(PATH, acme.internal(**changes))
    assert answer.status_code == 400, answer.content
    assert answer.json()["code"] in {"invalid", "currency_mismatch"}
    assert name in answer.json()["fields"]


@pytest.mark.parametrize(
    ("payee", "name"),
    [
        ({"name": "A", "iban": "DE89370400440532013001"}, "destination.iban"),
        ({"name": "A", "iban": "DE89 3704 0044 0532 0130 00"}, "destination.iban"),
        ({"name": "A", "iban": "de89370400440532013000"}, "destination.iban"),
        ({"name": "A", "iban": 5}, "destination.iban"),
        ({"name": "A"}, "destination.iban"),
        ({"name": "", "iban": "DE89370400440532013000"}, "destination.name"),
        ({"name": "A" * 71, "iban": "DE89370400440532013000"}, "destination.name"),
        ({"name": "A", "iban": "DE89370400440532013000", "bic": "X"}, "destination.bic"),
        ("DE89370400440532013000", "destination"),
        (None, "destination"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_wrong_payee_is_named(acme: PartnerWorld, payee: Any, name: str) -> None:
    answer = acme.post(PATH, acme.payout(destination=payee))
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [name])


@pytest.mark.parametrize(
    ("missing", "kind"),
    [
        ("kind", "internal"),
        ("source_account", "internal"),
        ("amount_minor", "internal"),
        ("currency", "internal"),
        ("destination_account", "internal"),
        ("destination", "payout"),
    ],
)
def test_a_missing_field_is_named(acme: PartnerWorld, missing: str, kind: str) -> None:
    body = getattr(acme, kind)()
    del body[missing]
    answer = acme.post(PATH, body)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [missing])


def test_several_wrong_fields_are_named_at_once(acme: PartnerWorld) -> None:
    answer = acme.post(PATH, acme.internal(amount_minor="1", currency="XXX", surprise=1))
    assert set(answer.json()["fields"]) == {"amount_minor", "currency", "surprise"}


def test_what_one_request_got_wrong_is_not_held_against_the_next(acme: PartnerWorld) -> None:
    wrong = acme.payout(amount_minor="1", destination={"name": ""}, metadata={"a": 1}, surprise=1)
    first = acme.post(PATH, wrong)
    assert acme.post(PATH, acme.payout()).status_code == 201
    assert acme.post(PATH, acme.internal()).json()["metadata"] == {}
    again = acme.post(PATH, wrong)
    assert (first.status_code, first.content) == (400, again.content)
    assert len(again.json()["fields"]) == 5


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"", "amount_minor"),
        (b"{", "body"),
        (b"[]", "body"),
        (b"null", "body"),
        (b'"text"', "body"),
        (b"\xff\xfe{}", "body"),
        (b"\xef\xbb\xbf{}", "body"),
        (b"{}{}", "body"),
        (b"{'a': 1}", "body"),
        (b'{"kind": "internal", "kind": "payout"}', "kind"),
        (b'{"metadata": {"a": "1", "a": "2"}}', "metadata.a"),
        (b'{"amount_minor": NaN}', "amount_minor"),
        (b'{"amount_minor": -Infinity}', "amount_minor"),
        (b'{"amount_minor": 01}', "body"),
        (b'{"amount_minor": ' + b"9" * 5000 + b"}", "amount_minor"),
        (b'{"metadata": ' + b"[" * 20 + b"]" * 20 + b"}", "metadata" + "[0]" * 8),
        (b"[" * 100_000, "body"),
        (b'{"a":' * 100_000, "body"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_json_that_is_not_exact_is_refused(acme: PartnerWorld, raw: bytes, name: str) -> None:
    answer = acme.post(PATH, raw, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert name in answer.json()["fields"]


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "",
    ],
)
def test_another_content_type_is_not_read(acme: PartnerWorld, kind: str) -> None:
    answer = acme.post(PATH, json.dumps(acme.internal()).encode(), content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
