"""T12: every planted corruption is found by its own invariant, and a sound house shows none.

The corruptions are an administrator's: triggers and constraints are taken off first, and
everything is rolled back after the look.
"""

import re
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from pytest_django import DjangoDbBlocker

from tests import factories
from tests.books import assert_books_hold
from tests.conftest import STAGE
from tests.planted import PLANTED
from tests.planted.scene import lift_the_defences, play
from transactions.selectors.changes import (
    IN_OTHER_WORDS,
    LATER,
    OF_MONEY,
    OF_ROWS,
    Watermark,
    watermark,
)
from transactions.selectors.glances import GLANCES, vouched
from transactions.selectors.invariants import (
    INVARIANTS,
    NOT_YET,
    ROOM,
    Invariant,
    ask,
    findings,
    violations,
)
from transactions.services.rolling import roll_up
from transactions.states import TransferState

pytestmark = pytest.mark.role("migrator")

# What each corruption broke, planted once: in everything, and in what changed in the scene.
SEEN: dict[str, tuple[set[Invariant], set[Invariant]]] = {}


@pytest.fixture(scope="module")
def scene(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    """A house where everything has happened once; the ids that corruptions speak of."""
    with django_db_blocker.unblock():
        STAGE.enter("migrator")
        factories.payout(factories.cast(), state=TransferState.RETURNED)
        for _ in range(2):  # the first sets a mark, the second finds all before it done
            roll_up()
        BEFORE.append(watermark())
        yield play()
        STAGE.reclone()


# Where the scene began.
BEFORE: list[Watermark] = []


def test_a_sound_house_breaks_nothing(scene: dict[str, str]) -> None:
    assert scene
    assert_books_hold()


def test_a_sound_house_is_vouched_for_at_a_glance(scene: dict[str, str]) -> None:
    assert scene
    promises = {promise for glance in GLANCES for promise in glance.promises}
    assert promises <= {each.promise for each in INVARIANTS}
    assert set(vouched()) == promises


def test_whatever_reads_a_great_table_may_use_more_than_one_core(scene: dict[str, str]) -> None:
    """One function that may not run beside others would keep all of its query on one core."""
    assert scene
    great = re.compile(r"(FROM|JOIN) (transactions_(posting|journal|transfer|hold)|audit_\w+)\b")
    asked = {glance.promises[0]: glance.drawn() for glance in GLANCES}
    asked |= {
        each.promise: each.everything for each in INVARIANTS if great.search(each.everything)
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ROOM)
        cursor.execute(
            "SET LOCAL parallel_setup_cost = 0; SET LOCAL min_parallel_table_scan_size = 0"
        )
        alone = {
            promise for promise, sql in asked.items() if "Gather" not in _plan(cursor, sql=sql)
        }
    assert alone == set()


def _plan(cursor: CursorWrapper, *, sql: str) -> str:
    cursor.execute(f"EXPLAIN {sql}")
    return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize("what", PLANTED)
def test_t12_a_planted_corruption_is_found(scene: dict[str, str], what: str) -> None:
    _, wanted = PLANTED[what]
    found, in_changes = _broken_by(scene, what=what)
    assert {invariant.name for invariant in found} == wanted
    assert in_changes == {invariant for invariant in found if invariant.promise not in LATER}


def _broken_by(scene: dict[str, str], *, what: str) -> tuple[set[Invariant], set[Invariant]]:
    """Plant a corruption, check, take it back; return the invariants that saw it, both ways."""
    if what not in SEEN:
        with transaction.atomic(), connection.cursor() as cursor:
            lift_the_defences()
            cursor.execute(PLANTED[what][0].format(**scene))
            assert cursor.rowcount, "nothing was planted"
            broken = {found.invariant for found in findings() if found.violations}
            again = {each for each in broken if each.changes and _is_seen_in_changes(each)}
            SEEN[what] = broken, again
            transaction.set_rollback(True)
    return SEEN[what]


def _is_seen_in_changes(invariant: Invariant) -> bool:
    return bool(ask(invariant, since=BEFORE[0]).violations)


def test_every_invariant_was_seen_broken(scene: dict[str, str]) -> None:
    """No invariant is there only for show: each is broken by a corruption above."""
    broken = set().union(*(_broken_by(scene, what=what)[0] for what in PLANTED))
    assert {each.promise for each in INVARIANTS} - {each.promise for each in broken} == set()


def test_what_changed_is_asked_every_promise_that_is_not_of_all_time() -> None:
    promises = {each.promise: each for each in INVARIANTS}
    assert set(promises) >= OF_MONEY | OF_ROWS | set(IN_OTHER_WORDS) | LATER
    assert {name for name, each in promises.items() if not each.changes} == LATER


def test_what_changed_is_sound_where_everything_is(scene: dict[str, str]) -> None:
    assert scene
    assert not [found for found in findings(since=BEFORE[0]) if found.violations]


def test_every_promise_of_the_house_is_checked_or_said_to_be_not_yet() -> None:
    kept = {each.name for each in INVARIANTS}
    assert kept | set(NOT_YET) == {f"L{number}" for number in range(1, 13)}
    assert not kept & set(NOT_YET)


def test_ledger_check_ends_with_one_when_something_is_broken(scene: dict[str, str]) -> None:
    said = StringIO()
    call_command("ledger_check", stdout=said)
    assert "All invariants hold." in said.getvalue()
    with transaction.atomic(), connection.cursor() as cursor:
        lift_the_defences()
        cursor.execute(PLANTED["a balance is raised"][0].format(**scene))
        said = StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("ledger_check", stdout=said)
        transaction.set_rollback(True)
    assert ended.value.code == 1
    assert scene["giver"] in said.getvalue()
    assert "1 broken" in said.getvalue()


@pytest.mark.role("worker")
def test_beat_may_check_the_books(scene: dict[str, str]) -> None:
    assert scene
    assert violations() == []
