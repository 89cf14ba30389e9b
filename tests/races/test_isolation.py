"""T06: no invariant of money rests on the isolation level: the same races at all three.

PostgreSQL 18.4 lets write skew through at SERIALIZABLE where a row was only seen by INSERT … ON
CONFLICT DO NOTHING; the control shows whether this server still does.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import OperationalError, connection, connections, transaction
from psycopg import IsolationLevel
from pytest_django import DjangoDbBlocker

from accounts.frontdesk.idempotency import answer_once
from audit.errors import Refusal
from audit.typeids import uuid7
from tests import factories
from tests.bank.service_door import keyed_request
from tests.books import assert_books_hold, stands_at
from tests.conftest import STAGE
from tests.factories import Cast
from tests.races.test_overdraft import AT_ONCE, EACH_MINOR, HELD_MINOR, WANTED, at_once
from transactions.api.transfers import CREATE
from transactions.errors import InsufficientFunds
from transactions.models import Transfer
from transactions.services.transfers import request_transfer

pytestmark = pytest.mark.role("api")
LEVELS = [
    IsolationLevel.READ_COMMITTED,
    IsolationLevel.REPEATABLE_READ,
    IsolationLevel.SERIALIZABLE,
]
ROUNDS_FULL = 50
PATIENCE_SECONDS = 60
SERIALIZATION_FAILURE = "40001"
MAKE = "CREATE TABLE on_duty (name text PRIMARY KEY)"
SEE = {
    "select": "SELECT FROM on_duty WHERE name = %s",
    "on conflict": "INSERT INTO on_duty VALUES (%s) ON CONFLICT DO NOTHING",
}


@pytest.fixture(scope="module")
def cast(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Cast]:
    """A partner whose transactions really commit."""
    with django_db_blocker.unblock():
        STAGE.enter("api")
        yield factories.cast()
        STAGE.reclone()


@contextmanager
def every_transaction_at(level: IsolationLevel) -> Iterator[None]:
    """Let every connection that is opened meanwhile work at one isolation level."""
    options = connections["default"].settings_dict["OPTIONS"]
    connection.close()
    options["isolation_level"] = level
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SHOW transaction_isolation")
            assert cursor.fetchone() == (level.name.lower().replace("_", " "),)
        yield
    finally:
        del options["isolation_level"]
        connection.close()


def until_serialized(act: Callable[[], str]) -> str:
    """Act again as long as the database asks for it, as whoever uses these levels must."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return act()
        except OperationalError as error:
            is_asked_again = getattr(error.__cause__, "sqlstate", "") == SERIALIZATION_FAILURE
            if not is_asked_again or time.monotonic() > end:
                raise


def overdraw(cast: Cast) -> None:
    """Let fifty withdraw ten each from an account that holds a hundred: ten succeed."""
    purse = factories.account(cast.portfolio, holding_minor=HELD_MINOR)
    orders = [
        factories.order(purse, amount_minor=EACH_MINOR, to=cast.taker if number % 2 else None)
        for number in range(AT_ONCE)
    ]

    def withdraw(number: int) -> str:
        try:
            request_transfer(actor=cast.actor, order=orders[number], origin=factories.origin())
        except InsufficientFunds as refused:
            return refused.code
        return "done"

    said = at_once(lambda number: until_serialized(lambda: withdraw(number)))
    assert said == {"done": WANTED, "insufficient_funds": AT_ONCE - WANTED}
    posted, reserved = stands_at(purse.pk)
    assert posted == reserved


def stampede(cast: Cast) -> Counter[str]:
    """Let fifty send one key at once: one is done, whatever the others hear."""
    key, before = uuid7().hex, Transfer.objects.count()
    order = factories.order(cast.giver, amount_minor=1, to=cast.taker)

    def send(_: int) -> str:
        try:
            response = answer_once(
                keyed_request(CREATE.path, key=key, body={"amount_minor": 1}),
                actor=cast.actor,
                route=CREATE,
                act=lambda call: request_transfer(
                    actor=cast.actor, order=order, origin=call.origin, **call.once
                ),
            )
        except Refusal as refused:
            return refused.code
        return "replayed" if "Idempotent-Replayed" in response else "done"

    said = at_once(lambda number: until_serialized(lambda: send(number)))
    assert said["done"] == 1
    assert Transfer.objects.count() == before + 1
    return said


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.name.lower())
def test_t06_short_neither_overdraft_nor_double_at_any_level(
    cast: Cast, level: IsolationLevel
) -> None:
    with every_transaction_at(level):
        overdraw(cast)
        stampede(cast)
    assert_books_hold()


@pytest.mark.full
@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.name.lower())
def test_t06_neither_overdraft_nor_double_fifty_times_at_any_level(
    cast: Cast, level: IsolationLevel
) -> None:
    said: Counter[str] = Counter()
    with every_transaction_at(level):
        for _ in range(ROUNDS_FULL):
            overdraw(cast)
            said += stampede(cast)
    print(  # noqa: T201 - what the proof shows
        f"T06 {level.name}: {ROUNDS_FULL} rounds, {WANTED} of {AT_ONCE} in each;"
        f" one key {AT_ONCE} times at once: {dict(said)}"
    )
    assert_books_hold()


def test_t06_control_serializable_sees_by_select_what_on_conflict_may_not_show(cast: Cast) -> None:
    """What the distrust is for: both see the other on duty and leave; one must be told no."""
    left = {how: both_leave(SEE[how]) for how in SEE}
    assert left["select"] == 1, "not even a plain SELECT is serializable: the schedule is wrong"
    assert left["on conflict"] in {1, 2}
    state = "still present" if left["on conflict"] == 2 else "fixed"
    print(f"T06: write skew past ON CONFLICT DO NOTHING is {state} here")  # noqa: T201 - the proof


def both_leave(see: str) -> int:
    """Run the schedule at SERIALIZABLE; return how many of the two left."""
    names = ("ann", "bob")
    with STAGE.migrator() as owner:
        owner.execute("DROP TABLE IF EXISTS on_duty")
        owner.execute(MAKE)
        owner.execute("INSERT INTO on_duty VALUES ('ann'), ('bob')")
        lines = [STAGE.migrator() for _ in names]
        for line, other in zip(lines, reversed(names), strict=True):
            line.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
            line.execute(see, [other])
        gone = sum(_leaves(line, name=name) for line, name in zip(lines, names, strict=True))
        owner.execute("DROP TABLE on_duty")
    return gone


def _leaves(line: psycopg.Connection, *, name: str) -> bool:
    """Go off duty and commit, unless the database says no."""
    try:
        line.execute("DELETE FROM on_duty WHERE name = %s", [name])
        line.execute("COMMIT")
    except psycopg.errors.SerializationFailure:
        return False
    finally:
        line.close()
    return True
