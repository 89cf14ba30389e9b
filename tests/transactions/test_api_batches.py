"""Batches over the partner API: asked for, followed, and got wrong."""

import time
from typing import Any

import pytest

from tests.conftest import STAGE
from tests.partners import PartnerWorld, acme, fresh_key, globex
from transactions.models import Transfer
from transactions.rounds.batches import carry_out_batches

__all__ = ["acme", "globex"]
pytestmark = pytest.mark.role("api")
PATH = "/v1/transfer-batches"
ALONE = "/v1/transfers"


def item(world: PartnerWorld, **changes: Any) -> dict[str, Any]:
    return world.internal(key=fresh_key()) | changes


def body(*items: Any, **changes: Any) -> dict[str, Any]:
    return {"atomic": False, "items": list(items)} | changes


def work() -> None:
    with STAGE.as_role("worker"):
        carry_out_batches()


def told(world: PartnerWorld) -> set[str]:
    """Return the types of the events told, once the feed's horizon has passed them."""
    found: set[str] = set()
    for _ in range(50):
        found = {event["type"] for event in world.get("/v1/events?limit=100").json()["data"]}
        if "batch.finished" in found:
            break
        time.sleep(0.1)
    return found


def test_a_batch_is_taken_in_and_followed_until_it_is_done(acme: PartnerWorld) -> None:
    answer = acme.post(PATH, body(item(acme), acme.payout(key=fresh_key()), reference="June"))
    made = answer.json()
    assert (answer.status_code, made["state"], made["pending_count"]) == (202, "accepted", 2)
    assert acme.get(answer["Location"]).json() == made
    assert [row["state"] for row in acme.get(f"{PATH}/{made['id']}/items").json()["data"]] == [
        "pending",
        "pending",
    ]
    work()
    done = acme.get(answer["Location"]).json()
    assert (done["state"], done["done_count"], done["pending_count"]) == ("finished", 2, 0)
    items = acme.get(f"{PATH}/{made['id']}/items").json()["data"]
    first = acme.get(f"{ALONE}/{items[0]['transfer']}").json()
    assert (first["state"], first["amount_minor"]) == ("settled", 100)
    assert acme.get(PATH).json()["data"][0] == done
    assert {"batch.accepted", "batch.finished", "transfer.settled"} <= told(acme)


def test_a_refused_item_shows_the_problem_it_would_have_been_alone(acme: PartnerWorld) -> None:
    rich = item(acme, amount_minor=10**12)
    made = acme.post(PATH, body(item(acme), rich)).json()
    work()
    path = f"{PATH}/{made['id']}/items"
    (no,) = acme.get(f"{path}?state=refused").json()["data"]
    del rich["key"]
    alone = acme.post(ALONE, rich).json()
    assert (no["number"], no["transfer"], no["problem"]) == (2, None, alone)
    (yes,) = acme.get(f"{path}?state=done").json()["data"]
    assert (yes["number"], yes["problem"]) == (1, None)


def test_items_come_in_pages(acme: PartnerWorld) -> None:
    made = acme.post(PATH, body(*(item(acme) for _ in range(5)))).json()
    path, numbers, cursor = f"{PATH}/{made['id']}/items?limit=2", [], ""
    while cursor is not None:
        page = acme.get(f"{path}&cursor={cursor}" if cursor else path).json()
        numbers.append([row["number"] for row in page["data"]])
        cursor = page["next_cursor"]
    assert numbers == [[1, 2], [3, 4], [5]]


def test_items_of_a_refused_atomic_batch_were_dropped(acme: PartnerWorld) -> None:
    rich = item(acme, amount_minor=10**12)
    made = acme.post(PATH, body(item(acme), rich, atomic=True)).json()
    work()
    shown = acme.get(f"{PATH}/{made['id']}").json()
    assert (shown["state"], shown["refused_item"]) == ("refused", 2)
    assert (shown["refused_code"], shown["pending_count"]) == ("insufficient_funds", 0)
    path = f"{PATH}/{made['id']}/items"
    assert [row["state"] for row in acme.get(path).json()["data"]] == ["dropped", "refused"]
    assert acme.get(f"{path}?state=pending").json()["data"] == []
    assert len(acme.get(f"{path}?state=dropped").json()["data"]) == 1


def test_a_key_is_good_once_alone_or_in_a_batch(acme: PartnerWorld) -> None:
    alone, together = acme.internal(reference="alone"), acme.internal(reference="together")
    one, two = fresh_key(), fresh_key()
    first = acme.post(ALONE, alone, key=one).json()
    made = acme.post(PATH, body(alone | {"key": one}, together | {"key": two})).json()
    work()
    items = acme.get(f"{PATH}/{made['id']}/items").json()["data"]
    assert [row["state"] for row in items] == ["replayed", "done"]
    assert items[0]["transfer"] == first["id"]

    answer = acme.post(ALONE, together, key=two)
    resource = f"{ALONE}/{items[1]['transfer']}"
    assert (answer.status_code, answer.json()["code"]) == (409, "already_processed")
    assert answer.json()["resource"] == resource
    assert acme.post(ALONE, alone, key=two).json()["code"] == "key_reused"
    (use,) = acme.get(f"/v1/idempotency-keys/{two}").json()["uses"]
    assert (use["outcome"], use["route"], use["resource"]) == ("done", ALONE, resource)


def test_a_lasting_no_in_a_batch_sticks_to_its_key(acme: PartnerWorld) -> None:
    rich, key = acme.internal(amount_minor=10**12), fresh_key()
    acme.post(PATH, body(rich | {"key": key}))
    work()
    answer = acme.post(ALONE, rich, key=key)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_processed")
    assert acme.get(f"/v1/idempotency-keys/{key}").json()["uses"][0]["outcome"] == "refused"


def test_the_same_batch_under_the_same_key_is_one_batch(acme: PartnerWorld) -> None:
    key, sent = fresh_key(), body(item(acme))
    first, again = acme.post(PATH, sent, key=key), acme.post(PATH, sent, key=key)
    assert (again.status_code, again.content) == (202, first.content)
    assert again["Idempotent-Replayed"] == "true"
    before = Transfer.objects.count()
    work()
    assert Transfer.objects.count() == before + 1


def test_whose_batch_it_is_not_finds_none(acme: PartnerWorld, globex: PartnerWorld) -> None:
    made = acme.post(PATH, body(item(acme))).json()
    for path in (f"{PATH}/{made['id']}", f"{PATH}/{made['id']}/items"):
        answer = globex.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert made["id"] not in globex.get(PATH).content.decode()


def test_somebody_elses_account_is_refused_as_if_it_did_not_exist(
    acme: PartnerWorld, globex: PartnerWorld
) -> None:
    theirs = item(acme, destination_account=globex.source.public_id)
    made = acme.post(PATH, body(theirs)).json()
    work()
    (no,) = acme.get(f"{PATH}/{made['id']}/items").json()["data"]
    assert no["problem"]["code"] == "not_found"
    assert no["problem"]["ref"] == globex.source.public_id


def test_one_partners_keys_are_not_anothers(acme: PartnerWorld, globex: PartnerWorld) -> None:
    key = fresh_key()
    for world in (acme, globex):
        made = world.post(PATH, body(world.internal(key=key))).json()
        work()
        assert world.get(f"{PATH}/{made['id']}").json()["done_count"] == 1


@pytest.mark.parametrize("scope", ["accounts:read", "transfers:read"])
def test_a_token_without_the_scope_may_not_ask(acme: PartnerWorld, scope: str) -> None:
    answer = acme.post(PATH, body(item(acme)), token=acme.token(scope))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")


def test_a_payee_is_sealed_at_intake(acme: PartnerWorld) -> None:
    made = acme.post(PATH, body(acme.payout(key=fresh_key())))
    items = acme.get(f"{PATH}/{made.json()['id']}/items")
    for answer in (made, items, acme.get("/v1/events?limit=100")):
        assert "Lovelace" not in answer.content.decode()


def test_wrong_items_are_named_by_their_place(acme: PartnerWorld) -> None:
    key = fresh_key()
    wrong = {
        "items[1].amount_minor": item(acme, amount_minor=0),
        "items[2].key": item(acme, key="short"),
        "items[3].surprise": item(acme, surprise=1),
        "items[4].metadata.a": item(acme, metadata={"a": 1}),
        "items[5].destination_account": item(acme, destination_account=acme.source.public_id),
    }
    answer = acme.post(PATH, body(item(acme), *wrong.values()))
    assert (answer.status_code, set(answer.json()["fields"])) == (400, set(wrong))
    twice = acme.post(PATH, body(item(acme, key=key), item(acme), item(acme, key=key)))
    assert twice.json()["fields"] == {"items[2].key": "is another item's key"}


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"items": []}, "items"),
        ({"items": {}}, "items"),
        ({"items": None}, "items"),
        ({"items": [1]}, "items[0]"),
        ({"atomic": 1}, "atomic"),
        ({"atomic": "true"}, "atomic"),
        ({"atomic": None}, "atomic"),
        ({"reference": "x" * 141}, "reference"),
        ({"surprise": 1}, "surprise"),
    ],
    ids=repr,
)
def test_a_wrong_field_is_named(acme: PartnerWorld, changes: Any, name: str) -> None:
    answer = acme.post(PATH, body(item(acme)) | changes)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [name])


def test_at_most_twenty_problems_are_named(acme: PartnerWorld) -> None:
    answer = acme.post(PATH, body(*(item(acme, amount_minor=0) for _ in range(50))))
    assert len(answer.json()["fields"]) == 20


def test_only_a_batch_may_be_larger_than_other_bodies(acme: PartnerWorld) -> None:
    items = [item(acme, reference="x" * 140) for _ in range(4_000)]
    assert acme.post(PATH, body(*items)).status_code == 202
    assert acme.post(ALONE, body(*items)).status_code == 413
    huge = acme.post(PATH, b"[" + b" " * 8 * 1024 * 1024 + b"]")
    assert (huge.status_code, huge.json()["bytes_max"]) == (413, 8 * 1024 * 1024)


def test_more_than_ten_thousand_items_are_too_many(acme: PartnerWorld) -> None:
    answer = acme.post(PATH, body(*([{}] * 10_001)))
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["items"])


@pytest.mark.parametrize("query", ["state=lost", "state=done&state=done", "sort=number"])
def test_a_wrong_parameter_of_the_items_is_named(acme: PartnerWorld, query: str) -> None:
    made = acme.post(PATH, body(item(acme))).json()
    answer = acme.get(f"{PATH}/{made['id']}/items?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert list(answer.json()["fields"]) == [query.partition("=")[0]]
