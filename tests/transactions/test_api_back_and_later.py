"""Transfers over the partner API that go back, and those that wait for their time."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.partners import PartnerWorld, acme, fresh_key, globex

__all__ = ["acme", "globex"]
pytestmark = pytest.mark.role("api")
PATH = "/v1/transfers"


def stands(world: PartnerWorld) -> tuple[int, int]:
    found = world.get(f"/v1/accounts/{world.source.public_id}").json()
    return found["posted_minor"], found["pending_minor"]


def test_a_transfer_may_be_asked_for_later_and_called_off(acme: PartnerWorld) -> None:
    at = (timezone.now() + timedelta(days=30)).replace(microsecond=0)
    before = stands(acme)
    answer = acme.post(PATH, acme.payout(execute_at=at.isoformat()))
    made = answer.json()
    assert (answer.status_code, made["state"]) == (201, "scheduled")
    assert datetime.fromisoformat(made["execute_at"]) == at
    assert stands(acme) == before
    off = acme.post(f"{PATH}/{made['id']}/cancel")
    assert (off.status_code, off.json()["state"]) == (200, "cancelled")


@pytest.mark.parametrize(
    "at", ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "now", 5, None]
)
def test_a_time_that_is_none_is_named(acme: PartnerWorld, at: Any) -> None:
    answer = acme.post(PATH, acme.internal(execute_at=at))
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["execute_at"])


def test_a_transfer_goes_back_in_part_and_then_whole(acme: PartnerWorld) -> None:
    before = stands(acme)
    made = acme.post(PATH, acme.internal(amount_minor=500)).json()
    reverse, key = f"{PATH}/{made['id']}/reverse", fresh_key()
    part = acme.post(reverse, {"amount_minor": 200, "reason": "one bottle broke"}, key=key)
    assert (part.status_code, part.json()["state"], part.json()["reversed_minor"]) == (
        200,
        "settled",
        200,
    )
    again = acme.post(reverse, {"reason": "one bottle broke", "amount_minor": 200}, key=key)
    assert (again.content, again["Idempotent-Replayed"]) == (part.content, "true")
    over = acme.post(reverse, {"amount_minor": 301, "reason": "more"})
    assert (over.status_code, over.json()["code"]) == (409, "reversal_exceeded")
    assert over.json()["remaining_minor"] == 300
    whole = acme.post(reverse, {"reason": "the rest too"}).json()
    assert (whole["state"], whole["reversed_minor"]) == ("reversed", 500)
    assert acme.get(f"{PATH}/{made['id']}").json() == whole
    assert stands(acme) == before


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": "x", "amount_minor": 0}, "amount_minor"),
        ({"reason": "x", "amount_minor": "1"}, "amount_minor"),
    ],
)
def test_a_wrong_reversal_is_named(acme: PartnerWorld, body: dict[str, Any], name: str) -> None:
    made = acme.post(PATH, acme.internal()).json()
    answer = acme.post(f"{PATH}/{made['id']}/reverse", body)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [name])


def test_a_payout_is_not_reversed(acme: PartnerWorld) -> None:
    made = acme.post(PATH, acme.payout()).json()
    answer = acme.post(f"{PATH}/{made['id']}/reverse", {"reason": "x"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_reversible")


def test_another_partner_reverses_nothing(acme: PartnerWorld, globex: PartnerWorld) -> None:
    made = acme.post(PATH, acme.internal()).json()
    answer = globex.post(f"{PATH}/{made['id']}/reverse", {"reason": "x"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    unscoped = acme.post(
        f"{PATH}/{made['id']}/reverse", {"reason": "x"}, token=acme.token("transfers:read")
    )
    assert (unscoped.status_code, unscoped.json()["code"]) == (403, "not_permitted")
