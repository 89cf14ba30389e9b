"""Holds over the partner API: placed, captured, voided, read, and got wrong every way."""

import time
from typing import Any

import pytest

from tests.partners import PartnerWorld, acme, fresh_key, globex

__all__ = ["acme", "globex"]
pytestmark = pytest.mark.role("api")
PATH = "/v1/holds"


def balance(world: PartnerWorld) -> tuple[int, int]:
    found = world.get(f"/v1/accounts/{world.source.public_id}").json()
    return found["posted_minor"], found["pending_minor"]


def test_a_hold_is_placed_captured_in_part_and_voided(acme: PartnerWorld) -> None:
    posted, pending = balance(acme)
    answer = acme.post(PATH, acme.hold(reference="room 12", metadata={"night": "1"}))
    made = answer.json()
    assert (answer.status_code, made["state"], made["remaining_minor"]) == (201, "open", 1_000)
    assert answer["Location"] == f"{PATH}/{made['id']}"
    assert balance(acme) == (posted, pending + 1_000)
    part = acme.post(f"{PATH}/{made['id']}/capture", {"amount_minor": 400})
    assert (part.status_code, part.json()["captured_minor"]) == (200, 400)
    assert balance(acme) == (posted - 400, pending + 600)
    ended = acme.post(f"{PATH}/{made['id']}/void").json()
    assert (ended["state"], ended["released_minor"], ended["remaining_minor"]) == (
        "voided",
        600,
        0,
    )
    assert balance(acme) == (posted - 400, pending)
    assert acme.get(answer["Location"]).json() == ended
    assert acme.get(f"{PATH}?limit=1").json()["data"] == [ended]
    line = acme.get(f"/v1/accounts/{acme.source.public_id}/postings?limit=1").json()["data"][0]
    assert (line["amount_minor"], line["transfer"]) == (-400, None)


def test_the_last_capture_releases_the_rest_and_the_key_answers_twice_alike(
    acme: PartnerWorld,
) -> None:
    made = acme.post(PATH, acme.hold(destination_account=acme.target.public_id)).json()
    key, body = fresh_key(), {"amount_minor": 1, "final": True}
    first = acme.post(f"{PATH}/{made['id']}/capture", body, key=key)
    again = acme.post(f"{PATH}/{made['id']}/capture", body, key=key)
    assert (first.json()["state"], first.json()["released_minor"]) == ("posted", 999)
    assert (again.content, again["Idempotent-Replayed"]) == (first.content, "true")


def test_a_capture_without_fields_takes_all_that_is_left(acme: PartnerWorld) -> None:
    made = acme.post(PATH, acme.hold()).json()
    assert acme.post(f"{PATH}/{made['id']}/capture").json()["captured_minor"] == 1_000


def test_events_tell_of_a_hold(acme: PartnerWorld) -> None:
    made = acme.post(PATH, acme.hold()).json()
    acme.post(f"{PATH}/{made['id']}/capture", {"amount_minor": 1})
    told: list[dict[str, Any]] = []
    for _ in range(100):  # whatever else the server does may hold the feed's horizon
        feed = acme.get("/v1/events?limit=100").json()["data"]
        told = [each for each in feed if each["data"].get("id") == made["id"]]
        if len(told) > 1:
            break
        time.sleep(0.05)
    assert [each["type"] for each in told] == ["hold.created", "hold.captured"]
    assert told[1]["data"]["capture"]["amount_minor"] == 1


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", PATH, "holds:write"),
        ("GET", f"{PATH}/{{id}}", "transfers:read"),
        ("POST", PATH, "holds:read"),
        ("POST", f"{PATH}/{{id}}/capture", "transfers:write"),
        ("POST", f"{PATH}/{{id}}/void", "holds:read"),
    ],
)
def test_a_token_without_the_scope_opens_nothing(
    acme: PartnerWorld, method: str, path: str, scope: str
) -> None:
    made = acme.post(PATH, acme.hold()).json()
    answer = acme.call(
        method,
        path.format(id=made["id"]),
        token=acme.token(scope),
        body=None if method == "GET" else acme.hold() if path == PATH else {},
        headers={"Idempotency-Key": fresh_key()},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")


def test_another_partners_hold_looks_like_none(acme: PartnerWorld, globex: PartnerWorld) -> None:
    made = acme.post(PATH, acme.hold()).json()
    nobody = "hld_00000000000000000000000000"
    for act in ("", "/capture", "/void"):
        for key in (made["id"], nobody, "hld_short"):
            ask = globex.post if act else globex.get
            answer = ask(f"{PATH}/{key}{act}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    theirs = globex.post(PATH, globex.hold(source_account=acme.source.public_id))
    assert theirs.status_code == 404
    to_them = globex.post(PATH, globex.hold(destination_account=acme.target.public_id))
    assert to_them.status_code == 404
    assert all(row["id"] != made["id"] for row in globex.get(PATH).json()["data"])


BAD: list[tuple[dict[str, Any], str]] = [
    ({"amount_minor": 0}, "amount_minor"),
    ({"amount_minor": 2**63}, "amount_minor"),
    ({"currency": "USD"}, "currency"),
    ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ({"expires_at": "2026-13-01T00:00:00Z"}, "expires_at"),
    ({"expires_at": "2026-01-01T00:00:00"}, "expires_at"),
    ({"expires_at": "9999-12-31T23:59:59-23:59"}, "expires_at"),
    ({"expires_at": "tomorrow"}, "expires_at"),
    ({"expires_at": 1_800_000_000}, "expires_at"),
    ({"expires_at": None}, "expires_at"),
    ({"destination_account": "trf_00000000000000000000000000"}, "destination_account"),
    ({"surprise": 1}, "surprise"),
]


@pytest.mark.parametrize(("changes", "name"), BAD, ids=lambda value: repr(value)[:40])
def test_a_wrong_field_is_named(acme: PartnerWorld, changes: dict[str, Any], name: str) -> None:
    answer = acme.post(PATH, acme.hold(**changes))
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [name])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"amount_minor": 1_001}, 409, "hold_exceeded"),
        ({"amount_minor": 0}, 400, "invalid"),
        ({"final": 1}, 400, "invalid"),
        ({"final": "true"}, 400, "invalid"),
        ({"destination_account": "acc_00000000000000000000000000"}, 400, "invalid"),
    ],
)
def test_a_wrong_capture_is_refused(
    acme: PartnerWorld, body: dict[str, Any], status: int, code: str
) -> None:
    made = acme.post(PATH, acme.hold()).json()
    answer = acme.post(f"{PATH}/{made['id']}/capture", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_every_act_wants_a_key(acme: PartnerWorld) -> None:
    made = acme.post(PATH, acme.hold()).json()
    for path, body in (
        (PATH, acme.hold()),
        *((f"{PATH}/{made['id']}/{a}", {}) for a in ("capture", "void")),
    ):
        assert acme.post(path, body, key=None).json()["code"] == "key_required"
