"""What must always be true of the books and of the witness, each as one set-based query.

`manage.py ledger_check` and beat run them; `register` lets an app above ours add its own. Every
query returns one text a violation: where it is and what is wrong.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

from transactions.selectors.changes import Watermark, of_changes
from transactions.selectors.glances import vouched
from transactions.selectors.invariants_of_books import BOOKS
from transactions.selectors.invariants_of_clocks import CLOCKS
from transactions.selectors.invariants_of_fees import FEES
from transactions.selectors.invariants_of_finance import FINANCE
from transactions.selectors.invariants_of_holds import HOLDS
from transactions.selectors.invariants_of_limits import LIMITS
from transactions.selectors.invariants_of_witness import WITNESS

SHOWN_MAX: Final = 20
# Whole tables are joined in memory, by two cores, and may take longer than a request. Groups are
# hashed and not sorted; and whoever needs a page reads it, for to ask another process costs more.
ROOM: Final = "".join(
    f"SET LOCAL {setting};"
    for setting in (
        "work_mem = '96MB'",
        "hash_mem_multiplier = 4",
        "jit = off",
        "max_parallel_workers_per_gather = 1",
        "parallel_tuple_cost = 0",
        "enable_sort = off",
        "effective_io_concurrency = 0",
        "statement_timeout = '600s'",
    )
)
# Planned to be read to the end, as it is when all holds: a bare LIMIT would look rows up singly.
FIRST: Final = f"wrong AS MATERIALIZED ({{}}) SELECT * FROM wrong ORDER BY 1 LIMIT {SHOWN_MAX}"  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """One promise: `name` as in L1, the `promise` in words, the query that finds breaches.

    `changes` finds those in what changed since a watermark, in the part of the books that `part`
    cuts out; empty where it is about all time, and asked of everything only.
    """

    name: str
    promise: str
    everything: str
    part: str
    changes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found, and how long it looked. At most `SHOWN_MAX` violations are named."""

    invariant: Invariant
    violations: tuple[str, ...]
    milliseconds: int


INVARIANTS: Final[list[Invariant]] = []
# Promises whose subject is not built, and why: `register` takes a name off when somebody keeps it.
NOT_YET: Final[dict[str, str]] = {
    "L7": "nothing is sealed yet: there are no leaves and no checkpoints to compare with",
    "L10": "no bank statement is matched yet, so nothing says what of a clearing account is old,"
    " and there is no list of exceptions signed by two",
    "L12": "no letter is delivered yet: partners fetch them from /v1/events",
}


def register(name: str, *, promise: str, sql: str) -> None:
    """Add an invariant; one that is there already is replaced, and what was not yet now is."""
    NOT_YET.pop(name, None)
    INVARIANTS[:] = [each for each in INVARIANTS if each.promise != promise]
    part, changes = of_changes(promise, sql=sql)
    invariant = Invariant(
        name=name,
        promise=promise,
        everything=f"WITH {FIRST.format(sql)}",
        part=part,
        changes=changes,
    )
    INVARIANTS.append(invariant)


def findings(*, since: Watermark | None = None) -> Iterator[Finding]:
    """Check one invariant after the other; of those broken, name the first violations.

    With `since`, in what changed since that watermark. Without, in everything: what a
    glance vouches for is then not asked again, one by one.
    """
    if since:
        yield from _in_changes(since)
        return
    kept = _at_a_glance()
    for invariant in INVARIANTS:
        if invariant.promise in kept:
            took = kept[invariant.promise]
            yield Finding(invariant=invariant, violations=(), milliseconds=took)
        else:
            yield ask(invariant)


def ask(invariant: Invariant, *, since: Watermark | None = None) -> Finding:
    """Ask an invariant's own query, of everything or of what changed since a watermark."""
    if since:
        (found,) = _asked_together([invariant], since=since)
        return found
    rows, took = _read(invariant.everything)
    violations = tuple(str(text) for (text,) in rows)
    return Finding(invariant=invariant, violations=violations, milliseconds=took)


def _in_changes(since: Watermark) -> Iterator[Finding]:
    """Ask of what changed: to cut a part out takes longer than to look through it."""
    of_part: dict[str, list[Invariant]] = {}
    for invariant in INVARIANTS:
        if invariant.changes:
            of_part.setdefault(invariant.part, []).append(invariant)
    for invariants in of_part.values():
        yield from _asked_together(invariants, since=since)


def _asked_together(invariants: Sequence[Invariant], *, since: Watermark) -> Iterator[Finding]:
    """Ask invariants of one part in one statement; each is told an equal share of its time."""
    part = invariants[0].part
    steps = [part] if part else []
    steps += [
        f"wrong_{number} AS MATERIALIZED ({each.changes})"
        for number, each in enumerate(invariants)
    ]
    firsts = [
        f"(SELECT {number}, w.* FROM wrong_{number} AS w ORDER BY 2 LIMIT {SHOWN_MAX})"  # noqa: S608
        for number in range(len(invariants))
    ]
    rows, took = _read(since.since(f"WITH {', '.join(steps)} {' UNION ALL '.join(firsts)}"))
    for number, invariant in enumerate(invariants):
        violations = tuple(str(text) for which, text in rows if which == number)
        share = took // len(invariants)
        yield Finding(invariant=invariant, violations=violations, milliseconds=share)


def _read(query: str) -> tuple[Sequence[tuple[Any, ...]], int]:
    """Return what a query finds, and how many milliseconds it took."""
    began = time.monotonic_ns()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ROOM)
        cursor.execute(query)
        rows = cursor.fetchall()
    return rows, (time.monotonic_ns() - began) // 1_000_000


def _at_a_glance() -> Mapping[str, int]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ROOM)
        return vouched()


def violations() -> list[str]:
    """Return every broken invariant's violations, as `L3 …: …`; empty when all holds."""
    return [
        f"{found.invariant.name} {found.invariant.promise}: {each}"
        for found in findings()
        for each in found.violations
    ]


for _name, _promise, _sql in (*BOOKS, *CLOCKS, *FEES, *FINANCE, *HOLDS, *LIMITS, *WITNESS):
    register(_name, promise=_promise, sql=_sql)
