"""Callback in, money posted: how many a second for long, and how late?

News of sales at Stripe through the real callbacks door (granian, signature, sealed box, commit)
and the real worker and beat, which ask the double of Stripe before they believe anything. A flood
is timed until the last one is posted; the lag is measured while they come at four fifths of that
rate. One in twenty comes twice. Peer: C, Celery's no-op tasks.
"""

import math
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

import psycopg

from benchmarks._celery import end, noop_worker, our_worker
from benchmarks._databases import migrator_url
from benchmarks._house import House, build
from benchmarks._riders import Rider
from benchmarks._servers import Server, ours
from benchmarks._stripe import PRICE_MINOR, Stripe, stripe
from benchmarks._table import SECONDS, Bar, interleave, judge, say, show
from benchmarks._wire import Answer, after, bombard

CONNECTIONS: Final = 8
FLOOD: Final = max(100, int(SECONDS * 400))
TWICE_EVERY: Final = 20
PACE: Final = 0.8
LAG_MILLISECONDS_MAX: Final = 500.0
PATIENCE_SECONDS: Final = 180.0
POLL_SECONDS: Final = 0.02
OURS, NOOP = "callback to posted", "C: Celery, no-op tasks"
BARS: Final = (Bar(row=OURS, peer=NOOP, least=1.0),)

OPEN: Final = "SELECT count(*) FROM integrations_callback WHERE state = 'received'"
LAGS: Final = """
    SELECT extract(EPOCH FROM processed_at - received_at) * 1000 FROM integrations_callback
    WHERE event_id = ANY(%s)
"""
UNEQUAL: Final = """
    SELECT (SELECT count(*) FROM integrations_callback
            WHERE event_id = ANY(%(events)s) AND state = 'processed'),
        (SELECT count(*) FROM transactions_journal
         WHERE book_id = %(book)s AND origin LIKE 'stripe:txn%%')
"""


class Inbox:
    """The door and whoever works behind it: what was told, and what became of it."""

    def __init__(self, door: Server, *, shop: Stripe, house: House) -> None:
        """Note how the books stand."""
        self._door, self._shop, self._house = door, shop, house
        self._rider = Rider.mount([house.book_id])
        self._server = psycopg.connect(migrator_url(), autocommit=True)
        self._events: list[str] = []
        self._bad: list[str] = []
        self.lags: list[float] = []

    def ask(self) -> float:
        """Tell a flood of news, then as much at a pace; return how many a second were posted."""
        rate, _ = self._tell()
        _, lag = self._tell(pace=PACE * rate)
        self.lags.append(lag)
        return rate

    def survive(self, doomed: "subprocess.Popen[bytes]") -> None:
        """Kill one of two workers in the middle of a flood; the other has to finish it."""
        self._tell(heed=after(FLOOD // 2, partial(end, doomed)))

    def wrong(self) -> list[str]:
        """Return what was lost, doubled or is wrong in the books after all of it."""
        told = len(self._events)
        values = {"events": self._events, "book": self._house.book_id}
        done, journals = self._server.execute(UNEQUAL, values).fetchone() or (0, 0)
        unequal = [f"{told} events were told, {done} processed, {journals} posted"]
        moved = told * PRICE_MINOR
        return [
            *self._bad,
            *(unequal if {done, journals} != {told} else []),
            *self._rider.wrong(moved_minor=moved),
        ]

    def _tell(
        self, *, pace: float = math.inf, heed: Callable[[Answer], None] = lambda _: None
    ) -> tuple[float, float]:
        """Tell fresh news; return how many a second were posted and the 99th lag in ms."""
        news = self._shop.sell(self._house.accounts, number=FLOOD)
        told = [*news, *news[::TWICE_EVERY]]
        started = time.perf_counter()
        load = bombard(
            self._door.port,
            connections=CONNECTIONS,
            requests=_paced([self._shop.post(each) for each in told], a_second=pace),
            heed=heed,
        )
        self._bad += load.bad
        self._events += [each.event_id for each in news]
        self._await_empty()
        rate = len(news) / (time.perf_counter() - started)
        lags = self._server.execute(LAGS, [[each.event_id for each in news]]).fetchall()
        return rate, statistics.quantiles([float(lag or 0) for (lag,) in lags], n=100)[98]

    def _await_empty(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._server.execute(OPEN).fetchone() != (0,):
            if time.monotonic() > deadline:
                raise SystemExit("the inbox does not empty")
            time.sleep(POLL_SECONDS)


def main() -> bool:
    """Measure, print, and say whether every bar is met."""
    house = build()
    with stripe() as shop, ours("callbacks") as door, noop_worker() as c:
        inbox = Inbox(door, shop=shop, house=house)
        with our_worker(**shop.environment):
            found = interleave({OURS: inbox.ask, NOOP: c.rate})
        with our_worker(**shop.environment), our_worker(**shop.environment) as doomed:
            inbox.survive(doomed)
        wrong = inbox.wrong()
    show("Callback in, money posted", found, peers=(NOOP,))
    lag = statistics.median(inbox.lags)
    is_prompt = say("lag of 99 of 100, ms", value=lag, most=LAG_MILLISECONDS_MAX)
    return judge(found, BARS, wrong=wrong) and is_prompt


def _paced(requests: Sequence[bytes], *, a_second: float) -> Iterator[bytes]:
    """Yield the requests no faster than so many a second."""
    started = time.perf_counter()
    for number, request in enumerate(requests):
        time.sleep(max(0.0, started + number / a_second - time.perf_counter()))
        yield request
