"""T05: an account with 100 units, fifty withdrawals of ten at once: ten succeed, whoever looks."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from accounts.models import Account
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.conftest import STAGE
from tests.factories import Cast
from transactions.errors import InsufficientFunds
from transactions.models import Balance
from transactions.orders import TransferOrder
from transactions.services.transfers import request_transfer

pytestmark = pytest.mark.role("api")
HELD_MINOR = 100
EACH_MINOR = 10
AT_ONCE = 50
WANTED = HELD_MINOR // EACH_MINOR
ROUNDS_FULL = 50
SECONDS_MAX = 60


@pytest.fixture(scope="module")
def cast(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Cast]:
    """A partner whose transactions really commit."""
    with django_db_blocker.unblock():
        STAGE.enter("api")
        yield factories.cast()
        STAGE.reclone()


@dataclass
class Watch:
    """Somebody who reads a balance all the time and remembers the least they ever saw."""

    account: Account
    reads: int = 0
    least_minor: int = HELD_MINOR
    is_over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Read until told that it is over, and once more."""
        while True:
            is_last = self.is_over.is_set()
            balance = Balance.objects.get(pk=self.account.pk)
            self.reads += 1
            self.least_minor = min(self.least_minor, balance.posted_minor, balance.available_minor)
            if is_last:
                break
        connection.close()


def at_once(act: Callable[[int], str]) -> Counter[str]:
    """Run `act` in many threads that start together; return what they said and how often."""
    together = threading.Barrier(AT_ONCE)

    def run(number: int) -> str:
        connection.ensure_connection()
        together.wait(timeout=SECONDS_MAX)
        try:
            return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return Counter(pool.map(run, range(AT_ONCE)))


def withdraw_at_once(cast: Cast) -> Watch:
    """Run one round on a fresh account: transfers and payouts by turns, all for the same money."""
    purse = factories.account(cast.portfolio, holding_minor=HELD_MINOR)
    orders = [_order(purse, cast=cast, number=number) for number in range(AT_ONCE)]

    def withdraw(number: int) -> str:
        try:
            request_transfer(actor=cast.actor, order=orders[number], origin=factories.origin())
        except InsufficientFunds as refused:
            return refused.code
        return "done"

    watch = Watch(purse)
    watcher = threading.Thread(target=watch.look)
    watcher.start()
    try:
        said = at_once(withdraw)
    finally:
        watch.is_over.set()
        watcher.join()
    assert said == {"done": WANTED, "insufficient_funds": AT_ONCE - WANTED}
    assert watch.least_minor == 0
    posted, reserved = stands_at(purse.pk)
    assert posted == reserved
    return watch


def _order(purse: Account, *, cast: Cast, number: int) -> TransferOrder:
    to = cast.taker if number % 2 else None
    return factories.order(purse, amount_minor=EACH_MINOR, to=to)


def test_t05_short_ten_of_fifty_succeed_and_nobody_sees_less_than_nothing(cast: Cast) -> None:
    watch = withdraw_at_once(cast)
    assert watch.reads > 1
    assert_books_hold()


@pytest.mark.full
def test_t05_ten_of_fifty_succeed_fifty_times(cast: Cast) -> None:
    reads = sum(withdraw_at_once(cast).reads for _ in range(ROUNDS_FULL))
    print(  # noqa: T201 - what the proof shows
        f"T05: {ROUNDS_FULL} rounds, {WANTED} of {AT_ONCE} succeeded in each,"
        f" {reads} reads, none below zero"
    )
    assert_books_hold()


def test_t05_control_check_then_write_overdraws(cast: Cast) -> None:
    """What the defence is for: look, then take, as one would write it without thinking."""
    with STAGE.as_role("migrator"), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE naive_purse (held bigint)")
        cursor.execute("INSERT INTO naive_purse VALUES (%s)", [HELD_MINOR])
        cursor.execute("GRANT SELECT, UPDATE ON naive_purse TO cs_api")
    looked = threading.Barrier(AT_ONCE)

    def withdraw(_: int) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT held FROM naive_purse")
            (held,) = cursor.fetchone()
            looked.wait(timeout=SECONDS_MAX)
            if held < EACH_MINOR:
                return "insufficient_funds"
            cursor.execute("UPDATE naive_purse SET held = held - %s", [EACH_MINOR])
            return "done"

    assert at_once(withdraw)["done"] > WANTED
    with connection.cursor() as cursor:
        cursor.execute("SELECT held FROM naive_purse")
        assert cursor.fetchone()[0] < 0
