"""T08, first half: what a key is, what makes two requests one (I1 to I8)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts.frontdesk.idempotency import key_of
from accounts.models import Letter
from audit.errors import Invalid
from tests.accounts.key_holders import executed, somebody_else_holding
from tests.partners import PartnerWorld, acme, fresh_key, globex

__all__ = ["acme", "globex"]
pytestmark = pytest.mark.role("api")
PATH = "/v1/transfers"


# I1: every call that changes something needs a key.
@pytest.mark.parametrize("path", [PATH, f"{PATH}/trf_00000000000000000000000000/cancel"])
def test_i1_no_key_is_refused_and_nothing_happens(acme: PartnerWorld, path: str) -> None:
    before = executed()
    answer = acme.post(path, acme.internal() if path == PATH else None, key=None)
    assert (answer.status_code, answer.json()["code"]) == (400, "key_required")
    assert executed() == before


# I2: what a key is.
@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("a" * 16, "a" * 16),
        ("b" * 255, "b" * 255),
        ("!#$%&'()*+,-./:;<=>?@[]^_`{|}~", "!#$%&'()*+,-./:;<=>?@[]^_`{|}~"),
        (f'"{"c" * 16}"', "c" * 16),
        (f'"{"d" * 255}"', "d" * 255),
        (r'"with-\"quotes\"-inside"', 'with-"quotes"-inside'),
        (r'"with-\\-a-backslash"', "with-\\-a-backslash"),
    ],
)
def test_i2_a_key_is_16_to_255_visible_characters_bare_or_quoted(text: str, key: str) -> None:
    assert key_of(text) == key


@pytest.mark.parametrize(
    "text",
    [
        "a" * 15,
        "a" * 256,
        f'"{"a" * 15}"',
        f'"{"a" * 256}"',
        "with a space in it",
        '"with a space in it"',
        '"never closed at all',
        '"two""strings-in-one"',
        '"a-parameter-behind";x=1',
        "umlaut-äöü-not-ascii",
        "tab\tinside-the-key-here",
        "nul\x00inside-the-key-here",
        r'"bad-\escape-in-quotes"',
    ],
)
def test_i2_anything_else_is_refused_naming_the_header(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        key_of(text)
    assert list(refusal.value.fields) == ["Idempotency-Key"]


def test_i2_quoted_and_bare_are_the_same_key(acme: PartnerWorld) -> None:
    key = fresh_key()
    first = acme.post(PATH, acme.internal(), key=key)
    second = acme.post(PATH, acme.internal(), key=f'"{key}"')
    assert second.content == first.content
    assert second["Idempotent-Replayed"] == "true"


def test_i2_only_the_hash_of_a_key_is_stored(acme: PartnerWorld) -> None:
    key = fresh_key()
    acme.post(PATH, acme.internal(), key=key)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(k)::text FROM accounts_idempotencykey AS k")
        stored = "".join(row[0] for row in cursor.fetchall())
    assert key not in stored
    assert key.encode().hex() not in stored


# I3: the scope of a key.
def test_i3_another_partner_may_use_the_same_key(acme: PartnerWorld, globex: PartnerWorld) -> None:
    key = fresh_key()
    mine, theirs = (world.post(PATH, world.internal(), key=key) for world in (acme, globex))
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["id"] != theirs.json()["id"]
    assert "Idempotent-Replayed" not in theirs


def test_i3_another_route_may_use_the_same_key(acme: PartnerWorld) -> None:
    key = fresh_key()
    made = acme.post(PATH, acme.payout(), key=key)
    called_off = acme.post(f"{PATH}/{made.json()['id']}/cancel", key=key)
    assert (called_off.status_code, called_off.json()["state"]) == (200, "cancelled")


# I4: what makes two requests the same.
@pytest.mark.parametrize(
    "spell",
    [
        lambda body: json.dumps(body, indent=4).encode(),
        lambda body: json.dumps(dict(reversed(body.items()))).encode(),
        lambda body: json.dumps(body, separators=(",", ":")).encode(),
        lambda body: json.dumps(body, ensure_ascii=True).encode(),
        lambda body: b" \r\n\t" + json.dumps(body).encode() + b"\n",
    ],
    ids=["indented", "other order", "tight", "escaped", "white space round it"],
)
def test_i4_another_spelling_of_the_same_json_is_the_same_request(
    acme: PartnerWorld, spell: Callable[[dict[str, Any]], bytes]
) -> None:
    key, body = fresh_key(), acme.internal(reference="Käse", metadata={"b": "2", "a": "1"})
    first = acme.post(PATH, json.dumps(body, ensure_ascii=False).encode(), key=key)
    second = acme.post(PATH, spell(body), key=key)
    assert (first.status_code, second.content) == (201, first.content)


def test_i4_another_charset_parameter_is_the_same_request(acme: PartnerWorld) -> None:
    key = fresh_key()
    first = acme.post(PATH, acme.internal(), key=key)
    kind = "application/json; charset=utf-8"
    second = acme.post(PATH, acme.internal(), key=key, content_type=kind)
    assert second.content == first.content


# I5: the same key for another request.
@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 101},
        {"reference": "another"},
        {"reference": ""},
        {"metadata": {}},
        {"metadata": {"a": "1"}},
        {"metadata": {"a": "b "}},
    ],
    ids=str,
)
def test_i5_another_payload_is_refused_and_the_first_not_revealed(
    acme: PartnerWorld, changes: dict[str, Any]
) -> None:
    key = fresh_key()
    first = acme.post(PATH, acme.internal(metadata={"a": "b"}), key=key)
    before = executed()
    other = acme.post(PATH, acme.internal(**({"metadata": {"a": "b"}} | changes)), key=key)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert set(other.json()) == {"type", "title", "status", "code", "retryable"}
    assert first.json()["id"] not in other.content.decode()
    assert executed() == before


def test_i5_numbers_beyond_a_double_do_not_share_a_fingerprint(acme: PartnerWorld) -> None:
    key = fresh_key()
    first = acme.post(PATH, acme.internal(amount_minor=9007199254740992), key=key)
    other = acme.post(PATH, acme.internal(amount_minor=9007199254740993), key=key)
    assert (first.json()["code"], other.json()["code"]) == ("insufficient_funds", "key_reused")


def test_i5_the_same_key_on_another_transfer_is_another_request(acme: PartnerWorld) -> None:
    key = fresh_key()
    one, two = (acme.post(PATH, acme.payout()).json()["id"] for _ in range(2))
    assert acme.post(f"{PATH}/{one}/cancel", key=key).status_code == 200
    assert acme.post(f"{PATH}/{two}/cancel", key=key).json()["code"] == "key_reused"
    assert acme.get(f"{PATH}/{two}").json()["state"] == "accepted"


# I6: in flight.
def test_i6_a_key_in_flight_is_a_conflict_with_retry_after(acme: PartnerWorld) -> None:
    key = fresh_key()
    before = executed()
    with somebody_else_holding(acme, key=key):
        answer = acme.post(PATH, acme.internal(), key=key)
        assert (answer.status_code, answer.json()["code"]) == (409, "key_in_flight")
        assert answer.json()["retryable"] is True
        assert int(answer["Retry-After"]) >= 1
        state = acme.get(f"/v1/idempotency-keys/{key}").json()
        assert state == {"state": "in_flight", "uses": []}
    assert executed() == before
    assert acme.post(PATH, acme.internal(), key=key).status_code == 201


# I7: replay.
@pytest.mark.parametrize("kind", ["internal", "payout"])
def test_i7_a_replay_is_byte_identical_and_marked(acme: PartnerWorld, kind: str) -> None:
    key = fresh_key()
    body = getattr(acme, kind)(reference="Ünïcode ✓", metadata={"a": "b"})
    first = acme.post(PATH, body, key=key)
    before = (executed(), Letter.objects.count())
    for _ in range(3):
        again = acme.post(PATH, body, key=key)
        assert (again.status_code, again.content) == (201, first.content)
        assert again["Idempotent-Replayed"] == "true"
        assert again["Content-Type"] == first["Content-Type"]
        assert again["Location"] == first["Location"]
    assert "Idempotent-Replayed" not in first
    assert (executed(), Letter.objects.count()) == before


def test_i7_a_replay_tells_the_first_answer_though_the_thing_has_moved_on(
    acme: PartnerWorld,
) -> None:
    key = fresh_key()
    first = acme.post(PATH, acme.payout(), key=key)
    acme.post(f"{PATH}/{first.json()['id']}/cancel")
    assert acme.post(PATH, acme.payout(), key=key).content == first.content


# I8: what is not stored.
@pytest.mark.parametrize(
    ("case", "status"),
    [
        ("no token", 401),
        ("bad token", 401),
        ("no scope", 403),
        ("bad amount", 400),
        ("unknown account", 404),
        ("wrong currency", 400),
        ("wrong type", 415),
    ],
)
def test_i8_failures_before_the_act_leave_the_key_free(
    acme: PartnerWorld, case: str, status: int
) -> None:
    key = fresh_key()
    options: dict[str, dict[str, Any]] = {
        "no token": {"token": None, "headers": {"Authorization": ""}},
        "bad token": {"token": "nonsense"},
        "no scope": {"token": acme.token("accounts:read")},
        "wrong type": {"content_type": "text/plain"},
    }
    changes: dict[str, dict[str, Any]] = {
        "bad amount": {"amount_minor": 0},
        "unknown account": {"source_account": "acc_00000000000000000000000000"},
        "wrong currency": {"currency": "USD"},
    }
    body = acme.internal(**changes.get(case, {}))
    answer = acme.post(PATH, body, key=key, **options.get(case, {}))
    assert answer.status_code == status
    assert acme.get(f"/v1/idempotency-keys/{key}").status_code == 404
    assert acme.post(PATH, acme.internal(), key=key).status_code == 201
