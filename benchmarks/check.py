"""How long does `ledger_check` take for a million postings, and which check takes how much of it?

The books are loaded below the commands (`benchmarks/_growth.py`); the checks run as the worker,
as beat runs them. Rounds, medians. Peer: reading the same tables once and counting their rows, in
the same rounds, since seconds say little on a machine that others use. Then transfers are made by
commands, and what changed since is checked as beat does between two checks of everything, after
the first thousand and after all ten, where a look that grows with their square shows, and again
with new statistics for the planner. That is told and has no bar. Not met where the bar is missed
or anything is found.
`POSTINGS=20000 make bench ARGS=check` asks the same of smaller books.
"""

import os
import statistics
import time
from collections import defaultdict

from django.db import connection

from benchmarks._databases import work_as
from benchmarks._growth import TABLES, grow
from benchmarks._house import House, build
from benchmarks.batch import post_batch
from transactions.models import Posting
from transactions.selectors.changes import Watermark, watermark
from transactions.selectors.invariants import findings
from transactions.services.rolling import roll_up, start_over

POSTINGS = int(os.environ.get("POSTINGS", "1000000"))
ACCOUNTS = 64
CHANGES = (1_000, 10_000)
BATCH = 1_000
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECONDS_A_MILLION_MAX = 5.0


def read_once() -> float:
    """Read every table that grows with the books once; return the seconds it took."""
    began = time.monotonic()
    with connection.cursor() as cursor:
        for table in (*TABLES, "transactions_historicaltransfer", "transactions_historicalhold"):
            cursor.execute(f"SELECT count(t.*) FROM {table} AS t")
            cursor.fetchone()
    return time.monotonic() - began


def main() -> bool:
    """Fill the books, check them, print each check's share, and say whether the bar is met."""
    house = build(accounts=ACCOUNTS)
    grow(house, postings=POSTINGS)
    work_as("cs_worker")
    taken: dict[str, list[int]] = defaultdict(list)
    broken, peers = 0, []
    for _ in range(ROUNDS):
        peers.append(read_once())
        for found in findings():
            taken[f"{found.invariant.name:<4}{found.invariant.promise}"].append(found.milliseconds)
            broken += len(found.violations)
    millions = Posting.objects.count() / 1_000_000
    print(
        f"\nledger_check over {millions:.2f} million postings: ms a million, medians of {ROUNDS}"
    )
    for name, values in sorted(taken.items(), key=lambda item: -statistics.median(item[1])):
        print(f"{statistics.median(values) / millions:>9,.0f}  {name}")
    rounds = [sum(values) / 1000 / millions for values in zip(*taken.values(), strict=True)]
    seconds = statistics.median(rounds)
    print(f"{seconds:>9.2f}  seconds a million; bar {SECONDS_A_MILLION_MAX}; violations {broken}")
    ratio = statistics.median(
        took / (peer / millions) for took, peer in zip(rounds, peers, strict=True)
    )
    print(f"{ratio:>9.1f}  times reading the tables once")
    print(f"{os.getloadavg()[0]:>9.1f}  load")
    in_changes = check_changes(house)
    return seconds <= SECONDS_A_MILLION_MAX and not broken and not in_changes


def check_changes(house: House) -> int:
    """Let transfers be made, check what changed since, and tell; return what is broken."""
    work_as("cs_migrator")
    start_over()  # what was copied came all at once
    for _ in range(2):
        roll_up()
    since = watermark()
    pair, made, broken = (house.accounts[0], house.accounts[1]), 0, 0
    for many in CHANGES:
        work_as("cs_api")
        while made < many:
            made += post_batch(house, [pair] * BATCH)
        broken += look_at_changes(since, what=f"{made:,} transfers")
    work_as("cs_migrator")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return broken + look_at_changes(since, what="the same, with new statistics")


def look_at_changes(since: Watermark, *, what: str) -> int:
    """Check once what changed, as the worker, and tell; return what is broken."""
    work_as("cs_worker")
    found = list(findings(since=since))
    broken = sum(len(each.violations) for each in found)
    took = sum(each.milliseconds for each in found)
    print(f"{took:>9,}  ms for what changed: {what}; violations {broken}")
    return broken
