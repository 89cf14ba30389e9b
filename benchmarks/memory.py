"""Does a web process grow? Its share of memory (PSS) after 100,000 requests, against 2,000.

The real api process with one worker, asked in turn for a fresh transfer, a replay, an account and
a page of transfers. REQUESTS says how many; fewer than the full number proves nothing.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks._api import Api
from benchmarks._house import build
from benchmarks._servers import ours
from benchmarks._table import ride, say

FULL: Final = 100_000
REQUESTS: Final = int(os.environ.get("REQUESTS", str(FULL)))
WARM: Final = 2_000
CONNECTIONS: Final = 8
GROWTH_MAX: Final = 1.05


def main() -> bool:
    """Measure, print, and say whether the bar is met."""
    house = build()
    with ours("api", workers=1) as server:
        api = Api(server, house=house, connections=CONNECTIONS)
        api.send(api.fresh(), number=WARM // 4)
        api.send(api.mixed(), number=WARM - WARM // 4)
        before = pss_bytes(server.process.pid)
        done = api.send(api.mixed(), number=REQUESTS)
        after = pss_bytes(server.process.pid)
        wrong = api.wrong()
    print(f"\nMemory of a web process: {before >> 10:,} kB after {WARM:,} requests,")
    print(f"  {after >> 10:,} kB after {REQUESTS:,} more at {done.rate:,.0f} a second")
    is_steady = say("after / before", value=after / before, most=GROWTH_MAX)
    if REQUESTS < FULL:
        print(f"  short   {REQUESTS:,} requests prove nothing: {FULL:,} are needed")
    return ride(wrong) and is_steady and REQUESTS >= FULL


def pss_bytes(pid: int) -> int:
    """Return the proportional share of memory of a process and all of its children."""
    return sum(_pss_bytes(each) for each in _family(pid))


def _family(pid: int, /) -> Iterator[int]:
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from _family(int(child))


def _pss_bytes(pid: int, /) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
