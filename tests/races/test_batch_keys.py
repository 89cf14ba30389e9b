"""I17: one key, asked for alone and in batches at once: it happens once, whoever comes first."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections
from pytest_django import DjangoDbBlocker

from tests.books import assert_books_hold
from tests.conftest import STAGE
from tests.partners import PartnerWorld, acme, committed_world, fresh_key
from transactions.models import BatchItem, Transfer
from transactions.rounds.batches import carry_out_batches
from transactions.services import items

__all__ = ["acme"]
pytestmark = pytest.mark.role("api")
PATH = "/v1/transfer-batches"
ALONE = "/v1/transfers"
ROUNDS = 3


def at_once(*acts: Callable[[], None]) -> None:
    """Run all of `acts` in threads that start together."""
    together = threading.Barrier(len(acts))

    def run(act: Callable[[], None]) -> None:
        connection.ensure_connection()
        together.wait(timeout=20)
        try:
            act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        list(pool.map(run, acts))


def carried_out() -> None:
    carry_out_batches()


def until_done() -> None:
    """Walk by as the worker does, until no item waits."""
    for _ in range(20):
        if not BatchItem.objects.filter(outcome="").exists():
            return
        carry_out_batches()
    raise AssertionError("a batch was never finished")


def one_race(world: PartnerWorld) -> list[Transfer]:
    """Ask for one transfer alone and in two batches, all at once; return what was made."""
    key, sent = fresh_key(), world.internal(amount_minor=1, reference=fresh_key())
    for _ in range(2):
        assert world.post(PATH, batch_of(sent | {"key": key})).status_code == 202
    token = world.token()

    def alone() -> None:
        world.post(ALONE, sent, key=key, token=token)

    with STAGE.as_role("migrator"):
        at_once(alone, carried_out, carried_out)
        until_done()
    return list(Transfer.objects.filter(reference=sent["reference"]))


def batch_of(*sent: dict[str, object]) -> dict[str, object]:
    return {"atomic": False, "items": list(sent)}


def test_i17_a_key_asked_for_three_ways_at_once_happens_once(acme: PartnerWorld) -> None:
    for _ in range(ROUNDS):
        (made,) = one_race(acme)
        shown = BatchItem.objects.filter(reference=made.reference)
        assert {row.transfer_id for row in shown} == {made.pk}
        assert sorted(row.outcome for row in shown) in (
            ["done", "replayed"],
            ["replayed", "replayed"],
        )
    assert_books_hold()


def test_i17_control_without_the_unique_rules_it_happens_more_than_once(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the rules are for: both look first, both see a free key, and both pay."""
    with committed_world(django_db_blocker, role="api") as world:
        with STAGE.as_role("migrator"), connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE accounts_idempotencykey DROP CONSTRAINT idempotency_key_once;"
                "ALTER TABLE transactions_transfer DROP CONSTRAINT transfer_origin_once"
            )
        monkeypatch.setattr(items, "kept_keys", lambda *_, **__: {})
        key, sent = fresh_key(), world.internal(amount_minor=1, reference=fresh_key())
        for _ in range(2):
            world.post(PATH, batch_of(sent | {"key": key}))
        with STAGE.as_role("migrator"):
            at_once(carried_out, carried_out)
            until_done()
        assert Transfer.objects.filter(reference=sent["reference"]).count() == 2
