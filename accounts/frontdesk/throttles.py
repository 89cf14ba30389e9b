"""How often somebody may knock: one atomic counter, and the policies as one line each."""

import logging
import math
import time
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from threading import Lock
from typing import Final

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from accounts.frontdesk.errors import RateLimited

log = logging.getLogger(__name__)

# How long a caller waits for the counter, and how long it is left alone where it did not answer.
PATIENCE_SECONDS: Final = 0.25
REST_SECONDS: Final = 5.0
WRITES_WINDOW_SECONDS: Final = 10
# Into how many lots a client's writes are shared out among the processes.
LOTS: Final = 100

# When this process may ask each counter again, by the monotonic clock.
_rests_until: Final[dict[str, float]] = {}
# The window that somebody's last lot is of, and what this process has left of it.
_lots: Final[dict[tuple[str, str], tuple[int, int]]] = {}
_one_at_a_time: Final = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most `calls_max` in each window of `window_seconds`, counted for each name apart.

    A process counts `lot` of them at once and asks again when it has none left: fewer
    questions, never more calls, and a few less where several processes share them out.
    """

    name: str
    calls_max: int
    window_seconds: int
    lot: int = 1


TOKENS_OF_A_CLIENT: Final = Rate(name="token-client", calls_max=30, window_seconds=60)
TOKENS_FROM_AN_ADDRESS: Final = Rate(name="token-address", calls_max=300, window_seconds=60)


def writes_of_a_client() -> Rate:
    """Return how often a client may change something: so many a second, looked at ten by ten."""
    calls = settings.WRITES_PER_SECOND * WRITES_WINDOW_SECONDS
    return Rate(
        name="write-client",
        calls_max=calls,
        window_seconds=WRITES_WINDOW_SECONDS,
        lot=max(1, calls // LOTS),
    )


def spend(rate: Rate, *, who: str) -> None:
    """Count one call of `who`, or refuse with RateLimited.

    The count is one INCRBY, so parallel calls cannot pass together; the window is
    part of the name, so a count cannot outlive it. Without Redis nobody is
    stopped: these rates spare us work, and secrets of 256 bits are not guessed.
    """
    window, elapsed = divmod(int(time.time()), rate.window_seconds)
    if _had_one(rate, who=who, window=window):
        return
    name = f"rate:{rate.name}:{window}:{sha256(who.encode()).hexdigest()}"
    counted = _counted(name, by=rate.lot, lasts_seconds=2 * rate.window_seconds)
    good = rate.calls_max - (counted - rate.lot)
    if good < 1:
        raise RateLimited(retry_after_seconds=rate.window_seconds - elapsed)
    _keep(min(good, rate.lot) - 1, rate=rate, who=who, window=window)


def _had_one(rate: Rate, *, who: str, window: int) -> bool:
    """Take a call of a lot that was counted before, if there is one."""
    with _one_at_a_time:
        of, left = _lots.get((rate.name, who), (window, 0))
        if of != window or left < 1:
            return False
        _lots[rate.name, who] = (window, left - 1)
    return True


def _keep(calls: int, *, rate: Rate, who: str, window: int) -> None:
    """Keep what is left of a lot, beside what another thread left of its own."""
    if calls < 1:
        return
    with _one_at_a_time:
        of, left = _lots.get((rate.name, who), (window, 0))
        _lots[rate.name, who] = (window, calls + (left if of == window else 0))


def _counted(name: str, *, by: int, lasts_seconds: int) -> int:
    """Count more under a name, in one round trip; return how many it is now, 0 without Redis."""
    url: str = settings.CACHES["default"]["LOCATION"]
    if time.monotonic() < _rests_until.get(url, -math.inf):
        return 0
    try:
        with _counter(url).pipeline(transaction=False) as line:
            line.incrby(name, by)
            line.expire(name, lasts_seconds)
            calls, _ = line.execute()
    except RedisError as error:
        _rests_until[url] = time.monotonic() + REST_SECONDS
        log.warning("rate counter unreachable: %s", type(error).__name__)
        return 0
    return int(calls)


@cache
def _counter(url: str) -> Redis:
    """Return a client that asks once: a caller must not wait for a counter to come back."""
    return Redis.from_url(
        url,
        socket_timeout=PATIENCE_SECONDS,
        socket_connect_timeout=PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
