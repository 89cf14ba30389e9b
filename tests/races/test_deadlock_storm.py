"""T07: many clients, few accounts, money in every direction at once: they wait, never deadlock."""

import multiprocessing
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from django.db import OperationalError, connection, connections, transaction
from pytest_django import DjangoDbBlocker

from accounts.models import Account
from tests import factories
from tests.books import assert_books_hold
from tests.conftest import STAGE
from tests.factories import Cast
from transactions.errors import InsufficientFunds
from transactions.services.transfers import request_transfer

pytestmark = pytest.mark.role("api")
ACCOUNTS = 8
THREADS = 8
HELD_MINOR = 1_000
SLOWEST_SECONDS = 1.0
TOGETHER_SECONDS_MAX = 60
COUNTED = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
Act = Callable[[random.Random], str]


@pytest.fixture(scope="module")
def cast(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Cast]:
    """A partner whose transactions really commit."""
    with django_db_blocker.unblock():
        STAGE.enter("api")
        yield factories.cast()
        STAGE.reclone()


@dataclass(frozen=True)
class Storm:
    """What all clients heard, and how long each act took, in order."""

    said: Counter[str]
    seconds: list[float] = field(repr=False)

    @property
    def p99_seconds(self) -> float:
        """Return how long all but one in a hundred took at most."""
        return self.seconds[int(len(self.seconds) * 0.99)]

    def __str__(self) -> str:
        """Show counts and the slow end."""
        return f"{dict(self.said)}, p99 {self.p99_seconds:.3f} s, slowest {self.seconds[-1]:.3f} s"


def storm(act: Act, *, processes: int, seconds: float) -> Storm:
    """Let eight clients in each of so many processes act as fast as they can, all at once."""
    fork = multiprocessing.get_context("fork")
    together, said = fork.Barrier(processes * THREADS), fork.SimpleQueue()
    connections.close_all()

    def run(number: int) -> None:
        with ThreadPoolExecutor(max_workers=THREADS) as pool:
            numbers = range(number * THREADS, (number + 1) * THREADS)
            heard = [pool.submit(client, each) for each in numbers]
        said.put([each for client_heard in heard for each in client_heard.result()])

    def client(number: int) -> list[tuple[str, float]]:
        dice, heard = random.Random(number), []  # noqa: S311 - the same storm in every run
        connection.ensure_connection()
        together.wait(timeout=TOGETHER_SECONDS_MAX)
        end = time.monotonic() + seconds
        while (began := time.monotonic()) < end:
            heard.append((act(dice), time.monotonic() - began))
        connection.close()
        return heard

    working = [fork.Process(target=run, args=(number,)) for number in range(processes)]
    for process in working:
        process.start()
    heard = [each for _ in working for each in said.get()]
    for process in working:
        process.join(timeout=TOGETHER_SECONDS_MAX)
    return Storm(Counter(word for word, _ in heard), sorted(took for _, took in heard))


def pay_each_other(cast: Cast) -> Act:
    """Return an act that moves a little money between two of the few accounts, either way."""
    purses = [factories.account(cast.portfolio, holding_minor=HELD_MINOR) for _ in range(ACCOUNTS)]

    def pay(dice: random.Random) -> str:
        giver, taker = dice.sample(purses, k=2)
        order = factories.order(giver, amount_minor=dice.randint(1, 5), to=taker)
        return _said(
            lambda: request_transfer(actor=cast.actor, order=order, origin=factories.origin())
        )

    return pay


def _said(act: Callable[[], object]) -> str:
    """Return how an act ended; a deadlock is one of its ends."""
    try:
        act()
    except InsufficientFunds as refused:
        return refused.code
    except OperationalError as error:
        state: str = getattr(error.__cause__, "sqlstate", None) or str(error)
        return {"40P01": "deadlock", "55P03": "lock timeout"}.get(state, state)
    return "done"


def deadlocks_counted() -> int:
    """Return how many deadlocks PostgreSQL has broken in this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(COUNTED)
        return int(cursor.fetchone()[0])


def test_t07_short_transfers_in_every_direction_never_deadlock(cast: Cast) -> None:
    before = deadlocks_counted()
    found = storm(pay_each_other(cast), processes=2, seconds=2.0)
    assert set(found.said) <= {"done", "insufficient_funds"}, found
    assert found.said["done"] > 2 * THREADS
    assert deadlocks_counted() == before
    assert_books_hold()


@pytest.mark.full
def test_t07_thirty_two_clients_on_eight_accounts_never_deadlock(cast: Cast) -> None:
    before = deadlocks_counted()
    found = storm(pay_each_other(cast), processes=4, seconds=30.0)
    print(f"T07: {found}, deadlocks {deadlocks_counted() - before}")  # noqa: T201 - the proof
    assert set(found.said) <= {"done", "insufficient_funds"}, found
    assert deadlocks_counted() == before
    assert found.p99_seconds <= SLOWEST_SECONDS
    assert_books_hold()


def test_t07_control_locking_in_the_order_of_the_request_deadlocks(cast: Cast) -> None:
    """What the order is for: two who take giver first and taker second, crosswise."""
    giver, taker = sorted((cast.giver, cast.taker), key=lambda account: account.pk)
    both_hold_one = threading.Barrier(2)

    def pay(first: Account, second: Account) -> str:
        def in_order_of_request() -> None:
            with transaction.atomic():
                _lock(first)
                both_hold_one.wait(timeout=TOGETHER_SECONDS_MAX)
                _lock(second)

        try:
            return _said(in_order_of_request)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=2) as pool:
        there, back = pool.submit(pay, giver, taker), pool.submit(pay, taker, giver)
        assert sorted([there.result(), back.result()]) == ["deadlock", "done"]


def _lock(account: Account) -> None:
    """Lock one balance alone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM ledger_stand(%s)", [[account.pk]])
