"""The Test Bank's counter: who is served, which forms are sent back, one payment a key."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config.sandbox.doubles import testbank
from integrations.providers.base import Accepted
from tests.doubles import TOKEN, BankProcess
from tests.integrations.testbank.conftest import IBAN, order_to


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer wrong", "Bearer sandbox-token\xe9"])
def test_the_counter_serves_only_those_who_hold_the_token(token: str, bank: BankProcess) -> None:
    headers = {"Authorization": token, "Idempotency-Key": "k"}
    for method, form in (("GET", None), ("POST", {})):
        assert bank.call(method, "/payments?reference=x", form=form, headers=headers)[0] == 401


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount_minor", "1"),
        ("amount_minor", 1.0),
        ("amount_minor", True),
        ("amount_minor", 0),
        ("amount_minor", 2**63),
        ("currency", "eur"),
        ("reference", ""),
        ("destination", {"name": "Jane"}),
        ("destination", {"name": "Jane", "iban": "nonsense"}),
        ("surprise", 1),
    ],
)
def test_a_malformed_order_is_sent_back(field: str, value: object, bank: BankProcess) -> None:
    form = {
        "reference": "r",
        "amount_minor": 1,
        "currency": "EUR",
        "destination": {"name": "Jane Doe", "iban": IBAN},
        field: value,
    }
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "malformed"}
    status, told = bank.call("POST", "/payments", form=form, headers=headers)
    assert (status, told["code"]) == (400, "invalid_request")


def test_the_bank_is_ready_and_knows_no_other_page(bank: BankProcess) -> None:
    assert bank.call("GET", "/health/ready") == (200, {"status": "ready"})
    assert bank.call("GET", "/nowhere")[0] == 404
    assert bank.call("POST", "/nowhere", form={})[0] == 404
    assert bank.call("POST", "/_control/advance", form=b"{")[0] == 400
    assert bank.call("POST", "/_control/behaviour", form={"lies": ["TRUTH"]})[0] == 400
    assert bank.call("POST", "/_control/behaviour", form={"lies": [], "pace": {"x": 1}})[0] == 400


def test_the_same_key_sixteen_times_at_once_is_one_payment(bank: BankProcess) -> None:
    order = order_to("Jane Doe")
    with ThreadPoolExecutor(max_workers=16) as crowd:
        answers = set(crowd.map(lambda _: bank.client.pay(order), range(16)))
    assert len(answers) == 1
    assert isinstance(answers.pop(), Accepted)
    assert bank.times_moved(order.reference) == 1


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({}, "is in use by another bank"),
        ({"TESTBANK_TOKEN": ""}, "TESTBANK_TOKEN is missing"),
        ({"TESTBANK_STATE": ""}, "TESTBANK_STATE is missing"),
        ({"TESTBANK_CALLBACK_SECRET": "whsec_a-b_c"}, "should be whsec_ and standard base64"),
    ],
)
def test_a_bank_that_cannot_open_says_why_in_one_line(
    changed: dict[str, str], complaint: str, bank: BankProcess, tmp_path: Path
) -> None:
    state = str(tmp_path / "memory") if changed else str(bank.state)
    with pytest.raises(SystemExit, match=complaint) as stopped:
        testbank.main(["--port", "0"], environment=bank.environment(state) | changed)
    assert "\n" not in str(stopped.value)
