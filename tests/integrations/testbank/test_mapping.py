"""What the Test Bank's words mean, and which words are refused."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integrations.providers.base import Ignored, NotYet
from integrations.providers.testbank import mapping
from integrations.providers.testbank.inbound import BankInbound
from transactions.meanings import NotUnderstood, TransferNotice, TransferState

SAMPLES = Path(mapping.__file__).parent / "samples"
CALLBACKS = sorted(SAMPLES.glob("payment_*.json"))


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_bytes())
    return found


class Asked:
    """A bank that says one thing when asked."""

    def __init__(self, answer: dict[str, Any]) -> None:
        """Say `answer`."""
        self.answer = answer
        self.asked_for: list[tuple[str, str]] = []

    def fetch(self, *, kind: str, ref: str) -> dict[str, Any]:
        """Remember the question."""
        self.asked_for.append((kind, ref))
        return self.answer


@pytest.mark.parametrize("path", CALLBACKS, ids=lambda path: path.stem)
def test_every_sample_is_understood(path: Path) -> None:
    notice = mapping.notice_of_callback(path.read_bytes())
    assert path.stem == f"payment_{notice.state}"
    assert notice == TransferNotice(
        provider="testbank",
        reference="trf_01h455vb4pex5vsknk084sn02q",
        provider_ref="pay_4b1f0c9ad2e94f6c8f0f5d1f1c0a7e21",
        state=notice.state,
        amount_minor=1250,
        currency="EUR",
        reason=notice.reason,
        occurred_at=notice.occurred_at,
    )
    assert (notice.reason is not None) == (notice.state in mapping.WITH_A_REASON)
    assert notice.occurred_at.utcoffset() is not None


def test_all_four_states_have_a_sample() -> None:
    assert {path.stem for path in CALLBACKS} == {f"payment_{state}" for state in TransferState}


def test_an_instant_is_the_banks_own() -> None:
    notice = mapping.notice_of_look_up(sample("look_up_settled"))
    assert notice.occurred_at == datetime(2026, 3, 2, 10, 15, 0, 301_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None),
        ("id", "evt 1"),
        ("type", "settled!"),
        ("payment_id", 7),
        ("payment_id", "pay_" + "x" * 61),
        ("reference", None),
        ("reference", "acc_01h455vb4pex5vsknk084sn02q"),
        ("reference", "trf_01H455VB4PEX5VSKNK084SN02Q"),
        ("amount_minor", "1250"),
        ("amount_minor", 1250.0),
        ("amount_minor", True),
        ("amount_minor", 0),
        ("amount_minor", -1),
        ("amount_minor", 2**63),
        ("currency", "eur"),
        ("currency", "EURO"),
        ("reason", "because"),
        ("occurred_at", 1614265330),
        ("occurred_at", "2026-03-02"),
        ("occurred_at", "2026-03-02T10:15:00"),
        ("occurred_at", "2026-13-02T10:15:00Z"),
        ("occurred_at", "2026-03-02T10:15:00Z\n"),
    ],
)
def test_a_field_of_the_wrong_form_is_named_and_its_value_is_not(
    field: str, value: object
) -> None:
    body = json.dumps(sample("payment_settled") | {field: value}).encode()
    with pytest.raises(NotUnderstood) as refused:
        mapping.notice_of_callback(body)
    assert refused.value.reason.startswith(f"$.{field}: want")
    assert not isinstance(value, str) or value not in refused.value.reason


@pytest.mark.parametrize("state", ["failed", "returned"])
def test_a_failure_or_a_return_without_a_reason_is_not_understood(state: str) -> None:
    body = json.dumps(sample(f"payment_{state}") | {"reason": None}).encode()
    with pytest.raises(NotUnderstood):
        mapping.notice_of_callback(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[1]",
        b'{"amount_minor": NaN}',
        b'{"a": 1, "a": 2}',
        b"\xff",
        b"[" * 60_000,
        b" " * 70_000,
        b'{"n": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_not_one_plain_object_is_not_understood(body: bytes) -> None:
    with pytest.raises(NotUnderstood):
        mapping.notice_of_callback(body)


def test_an_unknown_type_is_ignored_visibly() -> None:
    body = json.dumps(sample("payment_settled") | {"type": "statement.ready"}).encode()
    with pytest.raises(Ignored, match=r"statement\.ready"):
        mapping.notice_of_callback(body)


def test_unknown_fields_are_tolerated() -> None:
    body = json.dumps(sample("payment_settled") | {"news": {"of": "tomorrow"}}).encode()
    assert mapping.notice_of_callback(body).state is TransferState.SETTLED


@pytest.mark.parametrize(
    ("told", "asked", "outcome"),
    [
        ("accepted", "accepted", None),
        ("accepted", "settled", None),
        ("accepted", "failed", None),
        ("accepted", "returned", None),
        ("settled", "accepted", NotYet),
        ("settled", "settled", None),
        ("settled", "failed", NotUnderstood),
        ("settled", "returned", None),
        ("failed", "accepted", NotYet),
        ("failed", "settled", NotUnderstood),
        ("failed", "failed", None),
        ("failed", "returned", NotUnderstood),
        ("returned", "accepted", NotYet),
        ("returned", "settled", NotYet),
        ("returned", "failed", NotUnderstood),
        ("returned", "returned", None),
    ],
)
def test_what_is_told_counts_once_the_bank_confirms_it(
    told: str, asked: str, outcome: type[Exception] | None
) -> None:
    callback = json.dumps(sample(f"payment_{told}")).encode()
    event = sample(f"payment_{asked}")
    lookup = Asked(event | {"status": asked})
    if outcome is not None:
        with pytest.raises(outcome):
            BankInbound().meanings(body=callback, lookup=lookup)
    else:
        (notice,) = BankInbound().meanings(body=callback, lookup=lookup)
        assert notice == mapping.notice_of_callback(callback)
    assert lookup.asked_for == [("payment", event["reference"])]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount_minor", 1251),
        ("currency", "USD"),
        ("payment_id", "pay_other"),
        ("reference", "trf_01h455vb4pex5vsknk084sn02r"),
    ],
)
def test_a_callback_that_the_bank_contradicts_is_not_understood(field: str, value: object) -> None:
    callback = json.dumps(sample("payment_settled")).encode()
    lookup = Asked(sample("look_up_settled") | {field: value})
    with pytest.raises(NotUnderstood, match="otherwise when asked"):
        BankInbound().meanings(body=callback, lookup=lookup)


def test_an_answer_that_makes_no_sense_is_asked_for_again() -> None:
    callback = json.dumps(sample("payment_settled")).encode()
    with pytest.raises(NotYet):
        BankInbound().meanings(body=callback, lookup=Asked({"status": "lost"}))
