"""T11: the answer to COMMIT is lost; asked again with the same key, the one answer comes."""

import json
import time
from collections.abc import Iterator

import pytest
from django.db import connection

from tests.books import assert_books_hold
from tests.faults.commit_eater import CommitEater
from tests.partners import PartnerWorld, acme, fresh_key
from tests.processes import ApiProcess, Reply, api_process
from transactions.models import Transfer

__all__ = ["acme"]
pytestmark = pytest.mark.role("api")
PATH = "/v1/transfers"
TRIES_MAX = 40


@pytest.fixture(scope="module")
def eater(acme: PartnerWorld) -> Iterator[CommitEater]:
    """The proxy between the API process and its database."""
    del acme
    at = connection.settings_dict
    with CommitEater(at["HOST"], port=int(at["PORT"])) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def process(eater: CommitEater) -> Iterator[ApiProcess]:
    """An API process that reaches its database through the proxy only."""
    with api_process(database_port=eater.port) as running:
        yield running


def test_t11_short_a_lost_commit_is_resolved_to_the_original(
    acme: PartnerWorld, eater: CommitEater, process: ApiProcess
) -> None:
    print(f"T11 short: {lose_commits(acme, eater=eater, process=process, rounds=5)}")  # noqa: T201 - what the proof shows


@pytest.mark.full
def test_t11_two_hundred_lost_commits_are_resolved_to_the_original(
    acme: PartnerWorld, eater: CommitEater, process: ApiProcess
) -> None:
    said = lose_commits(acme, eater=eater, process=process, rounds=200)
    print(f"T11: {said}")  # noqa: T201 - what the proof shows
    assert said == {"answer": 200, "request": 200}


def test_t11_control_a_retry_under_a_new_key_pays_twice(
    acme: PartnerWorld, eater: CommitEater, process: ApiProcess
) -> None:
    """What the key is for: without it, a lost answer and a retry are two transfers."""
    before = Transfer.objects.count()
    eater.lose = "answer"
    assert send(acme, process=process, key=fresh_key()).status == 503
    assert until_answered(acme, process=process, key=fresh_key()).status == 201
    assert Transfer.objects.count() == before + 2


def lose_commits(
    world: PartnerWorld, *, eater: CommitEater, process: ApiProcess, rounds: int
) -> dict[str, int]:
    """Lose `rounds` commits each way; return how many retries resolved as they should."""
    resolved = {"answer": 0, "request": 0}
    for lost in ["answer", "request"] * rounds:
        key, before, eaten = fresh_key(), Transfer.objects.count(), eater.eaten
        eater.lose = lost
        first = send(world, process=process, key=key)
        assert (first.status, json.loads(first.body).get("code")) == (503, "unavailable")
        assert eater.eaten == eaten + 1
        again = until_answered(world, process=process, key=key)
        assert again.status == 201
        is_replay = "idempotent-replayed" in {name.lower() for name in again.headers}
        assert is_replay is (lost == "answer")
        assert Transfer.objects.count() == before + 1
        third = send(world, process=process, key=key)
        assert (third.status, third.body) == (201, again.body)
        resolved[lost] += 1
    assert_books_hold()
    return resolved


def until_answered(world: PartnerWorld, *, process: ApiProcess, key: str) -> Reply:
    """Retry while told to, as a partner would."""
    for _ in range(TRIES_MAX):
        reply = send(world, process=process, key=key)
        if reply.status != 503 and b"key_in_flight" not in reply.body:
            return reply
        time.sleep(0.05)
    raise AssertionError("never answered")


def send(world: PartnerWorld, *, process: ApiProcess, key: str) -> Reply:
    """Ask for the same transfer under `key`."""
    headers = {
        "Authorization": f"Bearer {world.token()}",
        "Idempotency-Key": key,
        "Content-Type": "application/json",
    }
    body = json.dumps(world.internal(amount_minor=1)).encode()
    return process.send("POST", PATH, headers=headers, body=body)
