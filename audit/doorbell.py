"""Ringing for a worker when a transaction has committed.

A bell carries nothing and may be lost: the worker walks by every few seconds
anyway, so Redis can be wiped and nothing else is. One that rings already is
not rung again: whoever answers it looks afterwards, and sees what committed before.
Where it is known to look only some time after it answered, a bell stands for all
that is rung meanwhile, and Redis is not even asked.
"""

import logging
import math
import time
from functools import cache
from typing import Final

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from redis import Redis, RedisError

log = logging.getLogger(__name__)

# A bell that nobody answers is rung anew after so long.
RINGS_SECONDS: Final = 5
PATIENCE_SECONDS: Final = 0.5

# When this process last saw each bell ring, by the monotonic clock, as it began to look.
_rang_at: Final[dict[str, float]] = {}


def ring(task: str, *, gathers_seconds: float = 0.0) -> None:
    """Ask for `task` once the transaction under way commits; at once if there is none.

    `gathers_seconds` says how long the task waits, once it has answered, before it looks.
    """
    transaction.on_commit(lambda: _send(task, gathers_seconds=gathers_seconds))


def answer(task: str) -> None:
    """Let the bell for `task` be rung again. To be called before it looks for what there is to do.

    Where it cannot be, the bell falls silent by itself.
    """
    try:
        _bells(current_app.conf.broker_url).delete(_name(task))
    except RedisError as error:
        log.warning("the bell for %s was not answered: %s", task, type(error).__name__)


def _send(task: str, *, gathers_seconds: float) -> None:
    """Ring unless we just did: who answered that bell, after it rang, has not looked yet."""
    now = time.monotonic()
    if now < _rang_at.get(task, -math.inf) + gathers_seconds:
        return
    try:
        bells = _bells(current_app.conf.broker_url)
        if bells.set(_name(task), 1, nx=True, ex=RINGS_SECONDS):
            current_app.send_task(task, ignore_result=True, retry=False)
        _rang_at[task] = now
    except (OperationalError, OSError, RedisError) as error:
        log.warning("the bell for %s did not ring: %s", task, type(error).__name__)


def _name(task: str) -> str:
    return f"bell:{task}"


@cache
def _bells(url: str) -> Redis:
    return Redis.from_url(
        url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
    )
