"""One internal transfer as a command: how many a second from 4 processes?

Ours is the full feature: key, limits, freeze check, transfer, journal, letter, versions, entry
and touch, witness, durable commit. Several partners, and one partner. Peers: R (one PL/pgSQL call
with foreign keys, pgbench), K (django-hordak), O (a careful service in plain ORM), each over as
many accounts.
"""

from functools import partial
from typing import Final

from benchmarks._house import ACCOUNTS, build, build_several
from benchmarks._peers import hordak, plain_orm, raw
from benchmarks._table import SECONDS, Bar, interleave, judge, show
from benchmarks._transfers import Runs, kill_and_repeat

PROCESSES: Final = 4
SEVERAL, ONE = "request_transfer, 8 partners", "request_transfer, 1 partner"
RAW, HORDAK, ORM = "R: PL/pgSQL, pgbench", "K: django-hordak", "O: plain ORM"
BARS: Final = tuple(
    Bar(row=row, peer=peer, least=least)
    for row in (SEVERAL, ONE)
    for peer, least in ((RAW, 0.28), (HORDAK, 1.3), (ORM, 3.0))
)


def main() -> bool:
    """Measure, print, and say whether every bar is met."""
    several, one = Runs(build_several(houses=8)), Runs([build()])
    with (
        raw(accounts=ACCOUNTS) as r,
        hordak(accounts=ACCOUNTS) as k,
        plain_orm(accounts=ACCOUNTS) as o,
    ):
        found = interleave(
            {
                SEVERAL: partial(several.race, processes=PROCESSES),
                ONE: partial(one.race, processes=PROCESSES),
                RAW: partial(r.single, clients=PROCESSES, seconds=SECONDS),
                HORDAK: partial(k.race, processes=PROCESSES, seconds=SECONDS),
                ORM: partial(o.race, processes=PROCESSES, seconds=SECONDS),
            }
        )
        wrong = [*r.wrong(), *k.wrong(), *o.wrong()]
    show(f"One transfer, {PROCESSES} processes", found, peers=(RAW, HORDAK, ORM))
    wrong += [*several.wrong(), *one.wrong(), *kill_and_repeat(one.houses[0])]
    return judge(found, BARS, wrong=wrong)
