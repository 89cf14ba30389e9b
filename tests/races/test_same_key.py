"""T09: one key, many at once, two processes: one execution, and nobody hears anything else."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from pytest_django import DjangoDbBlocker

from accounts.frontdesk import idempotency
from audit.calls import Call
from tests.books import assert_books_hold
from tests.conftest import STAGE
from tests.partners import PartnerWorld, acme, committed_world, fresh_key
from tests.processes import ApiProcess, Reply, api_process
from transactions.models import Transfer

__all__ = ["acme"]
pytestmark = pytest.mark.role("api")
PATH = "/v1/transfers"
AT_ONCE = 100
CONTROL_AT_ONCE = 6


@pytest.fixture(scope="module")
def processes(acme: PartnerWorld) -> Iterator[tuple[ApiProcess, ApiProcess]]:
    """Two API processes that know nothing of each other."""
    del acme
    with api_process() as one, api_process() as two:
        yield one, two


def test_t09_short_a_hundred_at_once_under_one_key(
    acme: PartnerWorld, processes: tuple[ApiProcess, ApiProcess]
) -> None:
    said = stampede(acme, processes=processes)
    print(f"T09 short: {dict(said)}")  # noqa: T201 - what the proof shows


@pytest.mark.full
def test_t09_a_hundred_at_once_under_one_key_fifty_times(
    acme: PartnerWorld, processes: tuple[ApiProcess, ApiProcess]
) -> None:
    said: Counter[str] = Counter()
    for _ in range(50):
        said += stampede(acme, processes=processes)
    print(f"T09: 50 keys, {sum(said.values())} requests: {dict(said)}")  # noqa: T201 - what the proof shows
    assert said["done"] == 50


def test_t09_control_without_lock_and_row_it_happens_several_times(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the defence is for: check, then act, as one would write it without thinking."""
    with committed_world(django_db_blocker, role="api") as world:
        with STAGE.as_role("migrator"), connections["default"].cursor() as cursor:
            cursor.execute(
                "ALTER TABLE accounts_idempotencykey DROP CONSTRAINT idempotency_key_once"
            )
        together = threading.Barrier(CONTROL_AT_ONCE)
        look_up = """CASE WHEN EXISTS (
            SELECT FROM accounts_idempotencykey WHERE scope = %s AND key_hash = %s
        ) THEN 'used' ELSE 'free' END"""
        is_answered = idempotency.KeyedCall.is_answered

        def look_together(call: idempotency.KeyedCall, found: str) -> bool:
            together.wait(timeout=20)
            return is_answered(call, found)

        look = property(lambda call: Call(sql=look_up, values=(call.scope, call.key_hash)))
        monkeypatch.setattr(idempotency.KeyedCall, "claim", look)
        monkeypatch.setattr(idempotency.KeyedCall, "is_answered", look_together)
        monkeypatch.setattr(idempotency.KeyedCall, "origin", property(lambda _: fresh_key()))
        key, token = fresh_key(), world.token()
        before = Transfer.objects.count()
        in_threads(CONTROL_AT_ONCE, lambda _: ask(world, key=key, token=token))
        assert Transfer.objects.count() - before == CONTROL_AT_ONCE


def stampede(world: PartnerWorld, *, processes: tuple[ApiProcess, ApiProcess]) -> Counter[str]:
    """Send one request a hundred times at once and count what was said."""
    headers = {
        "Authorization": f"Bearer {world.token()}",
        "Idempotency-Key": fresh_key(),
        "Content-Type": "application/json",
    }
    body = json.dumps(world.internal(amount_minor=1)).encode()
    before = Transfer.objects.count()
    start = threading.Barrier(AT_ONCE)

    def one(number: int) -> Reply:
        start.wait(timeout=20)
        return processes[number % 2].send("POST", PATH, headers=headers, body=body)

    replies = in_threads(AT_ONCE, one)
    said = Counter(spoken(reply) for reply in replies)
    assert set(said) <= {"done", "replayed", "key_in_flight"}, said
    assert said["done"] == 1
    assert Transfer.objects.count() == before + 1
    assert len({reply.body for reply in replies if reply.status == 201}) == 1
    assert_books_hold()
    return said


def spoken(reply: Reply) -> str:
    if reply.status == 201:
        return "replayed" if "Idempotent-Replayed" in named(reply) else "done"
    code = json.loads(reply.body).get("code")
    return str(code) if reply.status == 409 else f"{reply.status} {code}"


def named(reply: Reply) -> set[str]:
    return {name.title() for name in reply.headers}


def ask(world: PartnerWorld, *, key: str, token: str) -> Any:
    try:
        return Client(raise_request_exception=False).post(
            PATH,
            json.dumps(world.internal(amount_minor=1)),
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": key},
        )
    finally:
        connections.close_all()


def in_threads(count: int, act: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(act, range(count)))
