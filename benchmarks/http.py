"""`POST /v1/transfers` over HTTP: how many a second, and how evenly?

The real api process, its settings and login, on granian; every POST has a bearer token and a key
of its own. Peers on the same server with as many workers and threads: V (a plain Django view with
one INSERT), D (REST framework, token in the database, serializer, plain ORM, audit and key rows).
"""

import random
import statistics
from functools import partial
from typing import Final

from benchmarks._api import Api, kill_and_repeat
from benchmarks._house import build
from benchmarks._peers import drf_view, plain_view
from benchmarks._servers import ours
from benchmarks._table import Bar, interleave, judge, say, show

CONNECTIONS: Final = 16
POST, REPLAY = "POST /v1/transfers", "a key used before"
PLAIN, DRF = "V: plain view, one INSERT", "D: REST framework and ORM"
BARS: Final = (
    Bar(row=POST, peer=PLAIN, least=0.25),
    Bar(row=POST, peer=DRF, least=3.0),
    Bar(row=REPLAY, peer=POST, least=1.0),
)
SPREAD_MAX: Final = 5.0


def main() -> bool:
    """Measure, print, and say whether every bar is met."""
    random.seed()
    house = build()
    with ours("api") as server, plain_view() as v, drf_view() as d:
        api = Api(server, house=house, connections=CONNECTIONS)
        found = interleave(
            {
                POST: api.post,
                REPLAY: api.replay,
                PLAIN: partial(v.load, connections=CONNECTIONS),
                DRF: partial(d.load, connections=CONNECTIONS),
            }
        )
        wrong = [*api.wrong(), *v.bad, *d.bad]
    show(f"POST over HTTP, {CONNECTIONS} connections, 2 workers", found, peers=(PLAIN, DRF))
    middle, late = (
        statistics.median(load.percentile(at) for load in api.loads) for at in (0.5, 0.99)
    )
    print(f"{POST}: p50 {middle * 1000:.1f} ms, p99 {late * 1000:.1f} ms")
    is_even = say("p99 / p50", value=late / middle, most=SPREAD_MAX)
    wrong += kill_and_repeat(house, connections=CONNECTIONS)
    return judge(found, BARS, wrong=wrong) and is_even
