"""T16 for Stripe: fixed vectors, several secrets, and every malformed header refused."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integrations.providers.base import UNREADABLE, Forged, Genuine
from integrations.providers.stripe.inbound import StripeInbound
from integrations.providers.stripe.signature import (
    BODY_BYTES_MAX,
    forgery,
    sign,
    signature_header,
)

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "vectors.json").read_text())[
    "vectors"
]
BODY = b'{"id":"evt_1","object":"event","type":"charge.succeeded"}'
AT = 1_700_000_000
NOW = datetime.fromtimestamp(AT, tz=UTC)
SECRET = "whsec_test_secret"
GOOD = sign(BODY, instant=str(AT), secret=SECRET)


def verdict(
    header: str | None, *, secrets: tuple[str, ...] = (SECRET,), body: bytes = BODY
) -> Any:
    headers = {} if header is None else {"Stripe-Signature": header}
    return StripeInbound().verify(headers=headers, body=body, secrets=secrets, now=NOW)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_t16_fixed_vectors_are_judged_as_their_source_says(vector: dict[str, Any]) -> None:
    found = forgery(
        headers={"stripe-signature": vector["header"]},
        body=vector["body"].encode(),
        secrets=[vector["secret"]],
        now=datetime.fromtimestamp(vector["now"], tz=UTC),
    )
    assert (found is None) is vector["is_valid"], found


def test_a_genuine_event_is_named_by_its_own_id_and_type() -> None:
    expected = Genuine(event_id="evt_1", event_type="charge.succeeded")
    assert verdict(f"t={AT},v1={GOOD}") == expected
    assert verdict(f"t={AT},v1={'0' * 64},v1={GOOD},v0=old,v2=new") == expected


def test_either_secret_is_good_during_a_rotation_and_only_the_new_one_after() -> None:
    old, new = "whsec_old", "whsec_new"
    for used in (old, new):
        header = signature_header(BODY, at=AT, secret=used)
        assert isinstance(verdict(header, secrets=(new, old)), Genuine)
    header = signature_header(BODY, at=AT, secret=old)
    assert isinstance(verdict(header, secrets=(new,)), Forged)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        ",",
        "t=,v1=",
        f"v1={GOOD}",
        f"t={AT}",
        f"t={AT};v1={GOOD}",
        f"t={AT},,v1={GOOD}",
        f"t={AT}, v1={GOOD}",
        f" t={AT},v1={GOOD}",
        f"t={AT},t={AT},v1={GOOD}",
        f"t={AT},v1={GOOD},t=1",
        f"t=+{AT},v1={GOOD}",
        f"t=0{AT},v1={GOOD}",
        f"t={AT}.0,v1={GOOD}",
        f"t=-{AT},v1={GOOD}",
        f"t={10**40},v1={GOOD}",
        "t=\u0661\u0667,v1=" + GOOD,
        f"t={AT},v1={GOOD.upper()}",
        f"t={AT},v1={GOOD[:-1]}",
        f"t={AT},v1={GOOD}0",
        f"t={AT},v1=",
        f"t={AT},v1={GOOD}\n",
        f"t={AT},v1={GOOD}\u00e9",
        f"t={AT},v1=\ud800{GOOD}",
        f"t={AT},v0={GOOD}",
        f"t={AT}," + ",".join(["v1=" + "0" * 64] * 17),
        f"t={AT},v1={GOOD}" + ",a=" + "b" * 5_000,
    ],
)
def test_a_malformed_header_is_forged(header: str | None) -> None:
    assert isinstance(verdict(header), Forged)


def test_a_header_given_twice_in_two_spellings_is_forged() -> None:
    good = f"t={AT},v1={GOOD}"
    headers = {"Stripe-Signature": good, "stripe-signature": good}
    found = StripeInbound().verify(headers=headers, body=BODY, secrets=[SECRET], now=NOW)
    assert isinstance(found, Forged)


@pytest.mark.parametrize("secrets", [(), ("",)])
def test_without_a_secret_nothing_is_genuine(secrets: tuple[str, ...]) -> None:
    header = signature_header(BODY, at=AT, secret="")
    assert isinstance(verdict(header, secrets=secrets), Forged)


def test_a_body_over_the_limit_is_forged_however_well_signed() -> None:
    body = b" " * (BODY_BYTES_MAX + 1)
    header = signature_header(body, at=AT, secret=SECRET)
    assert isinstance(verdict(header, body=body), Forged)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"evt_1"',
        b'{"id":"evt_1"}',
        b'{"id":1,"type":"charge.succeeded"}',
        b'{"id":"evt_1","id":"evt_2","type":"charge.succeeded"}',
        b'{"id":"evt_\\u0000","type":"charge.succeeded"}',
        b'{"id":"evt_' + b"x" * 200 + b'","type":"charge.succeeded"}',
        b'{"id":"evt_1","type":"<script>"}',
        b'{"id":"evt_1","type":"' + b"a" * 101 + b'"}',
        b"[" * 100_000,
        b'{"id":"evt_1","type":"a","n":' + b"9" * 5_000 + b"}",
        b'{"id":"evt_1","type":"a","n":NaN}',
    ],
)
def test_an_authentic_body_without_a_sane_identity_is_kept_under_its_hash(body: bytes) -> None:
    found = verdict(signature_header(body, at=AT, secret=SECRET), body=body)
    assert isinstance(found, Genuine)
    assert found.event_type == UNREADABLE
    assert found.event_id.startswith("sha256:")
    assert len(found.event_id) == len("sha256:") + 64
