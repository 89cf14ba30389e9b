"""What must always be true of the books and of the witness, each as one set-based query.

`manage.py ledger_check` and beat run them; `register` lets an app above ours add its own. Every
query returns one text a violation: where it is and what is wrong.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

from transactions.selectors.invariants_of_books import BOOKS
from transactions.selectors.invariants_of_clocks import CLOCKS
from transactions.selectors.invariants_of_finance import FINANCE
from transactions.selectors.invariants_of_holds import HOLDS
from transactions.selectors.invariants_of_limits import LIMITS
from transactions.selectors.invariants_of_witness import WITNESS

SHOWN_MAX: Final = 20
# Whole tables are joined in memory, on both sides at once, and may take longer than a request.
ROOM: Final = (
    "SET LOCAL work_mem = '96MB'; SET LOCAL hash_mem_multiplier = 4; SET LOCAL jit = off;"
    " SET LOCAL max_parallel_workers_per_gather = 2; SET LOCAL parallel_tuple_cost = 0;"
    " SET LOCAL statement_timeout = '100s'"
)
# Planned to be read to the end, as it is when all holds: a bare LIMIT would look rows up singly.
FIRST: Final = (
    f"WITH wrong AS MATERIALIZED ({{}}) SELECT * FROM wrong ORDER BY 1 LIMIT {SHOWN_MAX}"  # noqa: S608
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """One promise: `name` as in L1, the `promise` in words, the query that finds breaches."""

    name: str
    promise: str
    sql: str


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
    "L10": "no bank statement is matched yet, so nothing says what of a clearing account is old",
    "L12": "no letter is delivered yet: partners fetch them from /v1/events",
}


def register(name: str, *, promise: str, sql: str) -> None:
    """Add an invariant; one that is there already is replaced, and what was not yet now is."""
    NOT_YET.pop(name, None)
    INVARIANTS[:] = [each for each in INVARIANTS if each.promise != promise]
    INVARIANTS.append(Invariant(name=name, promise=promise, sql=sql))


def findings() -> Iterator[Finding]:
    """Check one invariant after the other; of those broken, name the first violations."""
    for invariant in INVARIANTS:
        began = time.monotonic_ns()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(ROOM)
            cursor.execute(FIRST.format(invariant.sql))
            rows = tuple(str(text) for (text,) in cursor.fetchall())
        yield Finding(
            invariant=invariant,
            violations=rows,
            milliseconds=(time.monotonic_ns() - began) // 1_000_000,
        )


def violations() -> list[str]:
    """Return every broken invariant's violations, as `L3 …: …`; empty when all holds."""
    return [
        f"{found.invariant.name} {found.invariant.promise}: {each}"
        for found in findings()
        for each in found.violations
    ]


for _name, _promise, _sql in (*BOOKS, *CLOCKS, *FINANCE, *HOLDS, *LIMITS, *WITNESS):
    register(_name, promise=_promise, sql=_sql)
