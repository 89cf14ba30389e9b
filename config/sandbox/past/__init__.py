"""Ninety days of a make-believe past, in order of time: the same seed and day make the same one.

Working days are busier than weekends, amounts are log-normal, and no account ever holds less than
nothing: whoever pays here has the money. Pure: what it yields is told by `config.sandbox.world`.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from config.sandbox.past.calendar import Act, Calendar, Event, Stand
from config.sandbox.past.payments import payment, provider_payout
from config.sandbox.past.transfers import transfer

__all__ = ["DAYS", "Event", "Stand", "events"]

DAYS: Final = 90
TRANSFERS_A_DAY: Final = 7.6
PAYMENTS_A_DAY: Final = 1.4
# Monday to Sunday, against the average working day.
RHYTHM: Final = (1.1, 1.0, 0.95, 1.05, 1.2, 0.45, 0.3)
PAYOUT_WEEKDAY: Final = 1
PAYOUT_HOUR: Final = 6
HOURS: Final = (0, 0, 0, 0, 0, 1, 2, 5, 9, 11, 11, 9, 8, 9, 10, 9, 8, 6, 5, 4, 3, 2, 1, 1)


def events(stands: Sequence[Stand], *, now: datetime, seed: str) -> Iterator[Event]:
    """Yield everything that happened on `DAYS` days before `now`, in order of time."""
    calendar = Calendar(stands=stands, now=now, seed=seed)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for ago in range(DAYS, 0, -1):
        day = today - timedelta(days=ago)
        busy = RHYTHM[day.weekday()]
        _plan(calendar, day=day, act=transfer, times=TRANSFERS_A_DAY * busy)
        _plan(calendar, day=day, act=payment, times=PAYMENTS_A_DAY * busy)
        if day.weekday() == PAYOUT_WEEKDAY:
            calendar.later(day + timedelta(hours=PAYOUT_HOUR), provider_payout)
        yield from calendar.until(day + timedelta(days=1))
    yield from calendar.until(now)


def _plan(calendar: Calendar, *, day: datetime, act: Act, times: float) -> None:
    """Put an act into a day, about so many times, at hours when people work."""
    for _ in range(math.floor(times + calendar.dice.random() * 1.5)):
        (hour,) = calendar.dice.choices(range(24), weights=HOURS)
        calendar.later(day + timedelta(hours=hour, seconds=calendar.dice.randrange(3600)), act)
