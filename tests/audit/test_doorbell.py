"""The doorbell: it rings once until it is answered, and nobody waits for it when it is broken."""

import time

import pytest
from celery import current_app
from redis import Redis

from audit.doorbell import answer, ring

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.role("worker")]
TASK = "audit.nobody_has_this_task"
QUEUE = "celery"


@pytest.fixture
def bells() -> Redis:
    """The Redis that the bells hang in, with ours silent."""
    found = Redis.from_url(current_app.conf.broker_url)
    found.delete(QUEUE)
    answer(TASK)
    return found


def test_a_bell_that_rings_is_not_rung_again_until_it_is_answered(bells: Redis) -> None:
    for _ in range(3):
        ring(TASK)
    assert bells.llen(QUEUE) == 1
    answer(TASK)
    ring(TASK)
    assert bells.llen(QUEUE) == 2


def test_each_bell_rings_for_itself_and_falls_silent_by_itself(bells: Redis) -> None:
    ring(TASK)
    ring(f"{TASK}_either")
    assert bells.llen(QUEUE) == 2
    assert 0 < bells.ttl(f"bell:{TASK}") <= 5
    answer(f"{TASK}_either")


def test_a_bell_that_is_looked_after_later_stands_for_all_rung_meanwhile(bells: Redis) -> None:
    task = f"{TASK}_later"
    answer(task)
    ring(task, gathers_seconds=0.3)
    answer(task)
    ring(task, gathers_seconds=0.3)
    assert bells.llen(QUEUE) == 1, "whoever answered has not looked yet"
    time.sleep(0.3)
    ring(task, gathers_seconds=0.3)
    assert bells.llen(QUEUE) == 2
    answer(task)
