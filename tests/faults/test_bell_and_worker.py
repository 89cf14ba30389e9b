"""T13 and T15: the bell may break and workers may die; every callback still has its one effect."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest
from celery import Celery, current_app
from django.db import connection, connections
from django.utils import timezone
from kombu.exceptions import OperationalError

import config.celery
from audit.typeids import typeid
from config.sandbox.stories import Delivery, build
from integrations.models import Callback
from integrations.rounds.callbacks import drain_inbox
from integrations.states import CallbackState
from tests.books import assert_books_hold
from tests.faults.conftest import Doubles, run_in_child
from tests.faults.crew import crew_at_work
from tests.faults.scene import set_the_scene
from tests.faults.test_exactly_once import SECRET, post_all
from transactions.models import Journal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.role("worker")]

EVENTS, FULL_EVENTS = 30, 500
DONE_SECONDS_MAX, RECOVERED_SECONDS_MAX = 120.0, 60.0
ROUND_ENDS_SECONDS = 1.0
CHILDREN_KILLED, FULL_CHILDREN_KILLED = 6, 20
As = Callable[[str], AbstractContextManager[None]]


def charges(outside: Doubles, *, count: int, as_role: As) -> list[Delivery]:
    """Set the scene and return `count` callbacks, each about a charge of its own."""
    with as_role("migrator"):
        scene = set_the_scene()
    account = typeid("acc", scene.account.pk)
    told = [
        build("plain_charge", seed=f"bell-{n}", account=account, now=timezone.now()).deliveries[-1]
        for n in range(count)
    ]
    outside.stripe.knows(told)
    return told


def all_done(count: int) -> bool:
    """Say whether every callback was worked off."""
    return Callback.objects.filter(state=CallbackState.PROCESSED).count() == count


def each_once(told: list[Delivery]) -> None:
    """Insist on one journal a charge, and on books that hold."""
    origins = Counter(Journal.objects.filter(purpose="charge").values_list("origin", flat=True))
    assert set(origins.values()) == {1}
    assert len(origins) == len(told) + 1  # and the scene's own opening
    assert_books_hold()


def wait_until_done(count: int, *, seconds: float) -> float:
    """Wait until every callback was worked off; return how long it took."""
    started = time.monotonic()
    while not all_done(count):
        assert time.monotonic() - started < seconds, Counter(
            Callback.objects.values_list("state", flat=True)
        )
        time.sleep(0.2)
    return time.monotonic() - started


@contextmanager
def bell_broken() -> Iterator[None]:
    """Let the bell be a Redis that nobody runs."""
    whole = config.celery.app
    broken = Celery("broken", broker="redis://127.0.0.1:1/0", set_as_current=True)
    broken.conf.broker_transport_options = whole.conf.broker_transport_options
    try:
        with pytest.raises(OperationalError):
            current_app.send_task("integrations.drain_inbox", retry=False)
        yield
    finally:
        whole.set_current()


def test_t13_without_a_bell_intake_answers_and_the_walk_by_finishes(
    outside: Doubles, as_role: As
) -> None:
    told = charges(outside, count=EVENTS, as_role=as_role)
    with as_role("callbacks"), bell_broken():
        assert set(post_all(told)) == {200}
    drain_inbox()
    assert all_done(EVENTS)
    each_once(told)


def test_t15_children_killed_while_they_work_leave_everything_done_once(
    outside: Doubles, as_role: As
) -> None:
    told = charges(outside, count=EVENTS, as_role=as_role)
    with as_role("callbacks"):
        assert set(post_all(told)) == {200}
    chance = random.Random(15)  # noqa: S311 - the same disorder in every run
    for _ in range(CHILDREN_KILLED):
        _kill_while_working(after_seconds=chance.uniform(0.02, 0.25))
        _end_leases()
    assert run_in_child(drain_inbox) == 0
    assert all_done(EVENTS)
    each_once(told)


@pytest.mark.full
def test_t13_redis_killed_and_wiped_loses_nothing(
    outside: Doubles, as_role: As, tmp_path: Path
) -> None:
    told = charges(outside, count=FULL_EVENTS, as_role=as_role)
    answers: Counter[int] = Counter()
    with crew_at_work(tmp_path, outside=outside, secret=SECRET) as crew:
        for number, each in enumerate(told):
            if number == FULL_EVENTS // 3:
                crew.kill("redis")
                # A round that is under way finds what comes meanwhile; nobody begins another.
                wait_until_done(number, seconds=DONE_SECONDS_MAX)
                time.sleep(ROUND_ENDS_SECONDS)
            if number == 2 * FULL_EVENTS // 3:
                waiting = Callback.objects.filter(state=CallbackState.RECEIVED).count()
                crew.start_redis()
                back_at = time.monotonic()
            answers[crew.post(headers=each.headers(secret=SECRET), body=each.body)] += 1
        wait_until_done(FULL_EVENTS, seconds=DONE_SECONDS_MAX)
        took = time.monotonic() - back_at
    print(  # noqa: T201 - what the proof shows
        f"T13: {dict(answers)}, {waiting} waited when Redis came back empty, all done"
        f" {took:.1f} s later"
    )
    assert set(answers) == {200}
    assert waiting >= FULL_EVENTS // 4, "Redis was not missed"
    assert took <= DONE_SECONDS_MAX
    each_once(told)


@pytest.mark.full
def test_t15_real_children_killed_are_made_up_for(
    outside: Doubles, as_role: As, tmp_path: Path
) -> None:
    told = charges(outside, count=FULL_EVENTS, as_role=as_role)
    killed = 0
    with crew_at_work(tmp_path, outside=outside, secret=SECRET) as crew:
        for number, each in enumerate(told):
            assert crew.post(headers=each.headers(secret=SECRET), body=each.body) == 200
            if number % (FULL_EVENTS // FULL_CHILDREN_KILLED) == 0:
                for pid in crew.children_of_worker()[:1]:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                        killed += 1
        took = wait_until_done(FULL_EVENTS, seconds=RECOVERED_SECONDS_MAX)
    assert killed >= FULL_CHILDREN_KILLED // 2
    each_once(told)
    print(f"T15: {killed} children killed, all done {took:.1f} s after the last")  # noqa: T201


def _kill_while_working(*, after_seconds: float) -> None:
    """Fork a worker and kill it soon after it began."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            drain_inbox()
        finally:
            os._exit(0)
    time.sleep(after_seconds)
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _end_leases() -> None:
    """Let the dead worker's leases run out, as time would."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE integrations_callback SET due_at = now() WHERE state = 'received'")
