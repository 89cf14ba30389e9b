"""How often somebody may knock: one atomic counter, and the policies as one line each."""

import logging
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from django.core.cache import cache
from redis.exceptions import RedisError

from accounts.frontdesk.errors import RateLimited

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most `calls_max` in each window of `window_seconds`, counted for each name apart."""

    name: str
    calls_max: int
    window_seconds: int


TOKENS_OF_A_CLIENT: Final = Rate(name="token-client", calls_max=30, window_seconds=60)
TOKENS_FROM_AN_ADDRESS: Final = Rate(name="token-address", calls_max=300, window_seconds=60)


def spend(rate: Rate, *, who: str) -> None:
    """Count one call of `who`, or refuse with RateLimited.

    The count is one INCR, so parallel calls cannot pass together; the window is
    part of the name, so a count cannot outlive it. Without Redis nobody is
    stopped: these rates spare us work, and secrets of 256 bits are not guessed.
    """
    window, elapsed = divmod(int(time.time()), rate.window_seconds)
    name = f"rate:{rate.name}:{window}:{sha256(who.encode()).hexdigest()}"
    try:
        cache.add(name, 0, timeout=2 * rate.window_seconds)
        calls = cache.incr(name)
    except (RedisError, ValueError):
        log.warning("rate counter unreachable")
        return
    if calls > rate.calls_max:
        raise RateLimited(retry_after_seconds=rate.window_seconds - elapsed)
