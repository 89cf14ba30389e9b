"""How long does the database take to say how an account stood at an instant of a long past?

Asked at random instants on both clocks of accounts with a long past (POSTINGS says how much in
all) and of a system account that keeps no balance. The figure is the server's own: planning and
execution of the very statements that the selector sends, the best of three tries. Rider: the
answer is the plain sum of the postings.
"""

import json
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final
from uuid import UUID

import psycopg
from django.core.management import call_command
from django.db import connection

from benchmarks._databases import migrator_url, work_as
from benchmarks._loader import POSTINGS, Past, past
from benchmarks._table import ride, say

SELECTOR: Final = "transactions.selectors.clocks"
ASKED: Final = 400
CHECKED: Final = 12
TRIES: Final = 3  # the best of them: the rest is what the neighbours did
LATE: Final = 0.99
MILLISECONDS_MAX: Final = 5.0
CLOCKS: Final = {"occurred": "p.occurred_at", "recorded": "j.recorded_at"}
PLAIN: Final = """
    SELECT coalesce(sum(p.amount_minor), 0) FROM transactions_posting AS p
    INNER JOIN transactions_journal AS j ON j.id = p.journal_id
    WHERE p.account_id = %s AND {clock} <= %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """How did an account stand at an instant, by a clock?"""

    account_id: UUID
    at: datetime
    clock: str

    @classmethod
    def draw(cls, behind: Past) -> "Question":
        """Draw an account, the system account every tenth time, an instant and a clock."""
        ids = [account.pk for account in random.sample(behind.house.accounts, 9)]
        return cls(
            account_id=random.choice([*ids, behind.system.pk]),
            at=behind.begins_at + random.random() * (behind.ends_at - behind.begins_at),
            clock=random.choice(list(CLOCKS)),
        )

    def ask(self) -> int:
        """Return the balance: the one place that knows who is asked."""
        selector: Any = import_module(SELECTOR)
        clock = selector.Clock(self.clock)
        return int(selector.balance_at(self.account_id, at=self.at, clock=clock))

    def milliseconds(self) -> float:
        """Return what the server needs for all statements of the answer, undisturbed."""
        sent: list[tuple[str, Any]] = []

        def listen(execute: Callable[..., Any], *call: Any) -> Any:
            sent.append((call[0], call[1]))
            return execute(*call)

        with connection.execute_wrapper(listen):
            self.ask()
        tries = (sum(_explained(*each) for each in sent) for _ in range(TRIES))
        return min(tries)


def main() -> bool:
    """Measure, print, and say whether the bar is met; without the selector it is not."""
    if find_spec(SELECTOR) is None:
        print(f"\nBalance as of T: not asked, for there is no {SELECTOR} yet")
        return False
    behind = past()
    work_as("cs_migrator", database=behind.grown)
    call_command("ledger_roll_up", "--anew")
    work_as("cs_api", database=behind.grown)
    questions = [Question.draw(behind) for _ in range(ASKED)]
    took = sorted(question.milliseconds() for question in questions)
    print(f"\nBalance as of T after {POSTINGS:,} postings, {ASKED} questions, at the database")
    print(f"  median {statistics.median(took):.2f} ms, most {took[-1]:.2f} ms")
    is_fast = say("99 of 100 within ms", value=took[int(ASKED * LATE)], most=MILLISECONDS_MAX)
    wrong = _wrong(questions[:CHECKED], database=behind.grown)
    return ride(wrong) and is_fast


def _explained(statement: str, values: Any, /) -> float:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", values)
        (found,) = cursor.fetchone()
    plan = (json.loads(found) if isinstance(found, str) else found)[0]
    return float(plan["Planning Time"]) + float(plan["Execution Time"])


def _wrong(questions: Sequence[Question], *, database: str) -> list[str]:
    """Compare answers with the plain sum of the postings until then."""
    wrong = []
    with psycopg.connect(migrator_url(database=database)) as server:
        for asked in questions:
            query = PLAIN.format(clock=CLOCKS[asked.clock])
            (summed,) = server.execute(query, [asked.account_id, asked.at]).fetchone() or (None,)
            if asked.ask() != summed:
                wrong.append(f"{asked} is {summed} by its postings")
    return wrong
