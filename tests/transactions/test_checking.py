"""The check of the books: what it finds is an alarm, an entry once, and gone when it is well."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from io import StringIO

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.roles import Role
from audit.models import Entry
from tests import factories
from tests.books import assert_books_hold
from tests.conftest import STAGE
from tests.desk import Desk, seat
from transactions.models import Balance, BooksCheck, Finding, Transfer
from transactions.rounds import checking
from transactions.selectors.changes import Watermark, watermark
from transactions.selectors.invariants import SHOWN_MAX, findings
from transactions.services.findings import Breach, note_check
from transactions.services.rolling import roll_up
from transactions.tasks import check_books

pytestmark = pytest.mark.role("worker")
ALARM = "The books do not hold"
MARK_IS_BEHIND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def company(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[factories.Cast]:
    """A company whose books hold."""
    with django_db_blocker.unblock():
        yield factories.cast()
        STAGE.reclone()


@pytest.fixture(scope="module")
def auditor(company: factories.Cast) -> Desk:
    """Somebody at the home page."""
    with STAGE.as_role("admin"):
        return seat(Role.AUDITOR)


def bend(company: factories.Cast, *, by: int) -> None:
    """Change a balance behind the ledger's back."""
    with STAGE.as_role("migrator"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE transactions_balance SET posted_minor = posted_minor + %s"
            " WHERE account_id = %s",
            [by, company.giver.pk],
        )


def entries(action: str) -> int:
    """Count what is on record."""
    return Entry.objects.filter(action=action).count()


def test_a_breach_is_on_record_once_while_it_lasts_and_when_it_is_gone(
    company: factories.Cast,
) -> None:
    assert check_books() == 0
    assert entries("books.violated") == 0
    bend(company, by=500)
    for _ in range(3):
        assert check_books() == 1
    finding = Finding.objects.get()
    assert (finding.invariant, finding.gone_at) == ("L3", None)
    assert str(company.giver.pk) in finding.detail
    assert entries("books.violated") == 1
    bend(company, by=-500)
    for _ in range(2):
        assert check_books() == 0
    finding.refresh_from_db()
    assert finding.gone_at is not None
    assert (entries("books.violated"), entries("books.restored")) == (1, 1)
    assert BooksCheck.objects.count() == 6
    assert_books_hold()


def test_a_breach_whose_figures_move_is_the_same_breach(company: factories.Cast) -> None:
    before = entries("books.violated")
    for by in (100, 10):
        bend(company, by=by)
        assert check_books() == 1
    assert entries("books.violated") == before + 1
    bend(company, by=-110)
    assert check_books() == 0
    bend(company, by=7)
    assert check_books() == 1
    assert entries("books.violated") == before + 2
    bend(company, by=-7)
    assert check_books() == 0


def test_what_is_not_listed_of_a_long_list_is_not_called_gone(company: factories.Cast) -> None:
    lines = [f"account {number} is off" for number in range(SHOWN_MAX + 1)]
    known = [Breach(invariant="L3", promise="of a test", detail=line) for line in lines]
    act = partial(note_check, actor=checking.EXAMINER, duration_ms=1)
    act(breaches=known[:SHOWN_MAX])
    act(breaches=known[1:], unsure=frozenset({"of a test"}))
    assert Finding.objects.filter(gone_at__isnull=True).count() == SHOWN_MAX + 1
    act(breaches=[])
    assert not Finding.objects.filter(gone_at__isnull=True).exists()


@pytest.mark.role("admin")
def test_the_home_page_alarms_and_then_says_quietly_that_all_holds(
    company: factories.Cast, auditor: Desk
) -> None:
    assert ALARM not in auditor.open("index").content.decode()
    with STAGE.as_role("worker"):
        bend(company, by=500)
        check_books()
        finding = Finding.objects.get(gone_at__isnull=True)
    shown = auditor.open("index").content.decode()
    assert ALARM in shown
    assert finding.detail in shown
    assert f"first seen {finding.first_seen_at:%-d %b %H:%M}" in shown
    assert "all hold" not in shown
    with STAGE.as_role("worker"):
        bend(company, by=-500)
        check_books()
    shown = auditor.open("index").content.decode()
    assert ALARM not in shown
    assert "Books checked less than a minute ago: all hold." in shown


@pytest.mark.role("admin")
def test_the_home_page_says_when_nobody_looks_any_more(
    company: factories.Cast, auditor: Desk
) -> None:
    with STAGE.as_role("migrator"):
        BooksCheck.objects.update(checked_at=timezone.now() - timedelta(hours=2))
    assert "That is too long ago: is the worker running?" in auditor.open("index").content.decode()


def test_between_two_looks_at_everything_only_what_changed_is_looked_at(
    company: factories.Cast,
) -> None:
    assert (check_books(), is_full()) == (0, True)
    settle()
    assert (check_books(), check_books(), is_full()) == (0, 0, False)
    with STAGE.as_role("migrator"):
        BooksCheck.objects.filter(is_full=True).update(
            checked_at=timezone.now() - timedelta(days=2)
        )
    assert (check_books(), is_full()) == (0, True)


def test_what_is_wrong_in_the_changes_is_looked_at_in_everything_until_it_is_well(
    company: factories.Cast,
) -> None:
    settle()
    assert (check_books(), check_books(), is_full()) == (0, 0, False)
    with STAGE.as_role("api"):
        factories.internal(company)
    bend(company, by=500)
    for _ in range(2):
        assert (check_books(), is_full()) == (1, True)
    bend(company, by=-500)
    assert (check_books(), is_full()) == (0, True)
    assert (check_books(), is_full()) == (0, False)


def test_what_was_bent_long_ago_is_found_as_soon_as_everything_is_cheap_to_look_at(
    company: factories.Cast,
) -> None:
    factories.pass_by(timezone.now() + MARK_IS_BEHIND)
    settle()
    assert (check_books(), check_books(), is_full()) == (0, 0, False)
    bend(company, by=500)
    for duration_ms, found in ((7_000, 0), (5_000, 1)):
        five_minutes_ago(duration_ms)
        assert check_books() == found
    bend(company, by=-500)
    assert check_books() == 0


def test_what_commits_late_is_looked_at_although_it_was_written_before_a_clean_look(
    company: factories.Cast,
) -> None:
    settle()
    with psycopg.connect(STAGE.address, dbname=STAGE.name) as late:
        late.execute("INSERT INTO transactions_journalorigin VALUES ('late', uuidv7())")
        written_at = timezone.now()
        for _ in range(3):
            roll_up()
            assert check_books() == 0
        began = watermark()
        assert began.at < written_at  # the naive mark, the time of the look, is after it
        naive = Watermark(xact=began.xact + 1_000_000, at=timezone.now())
        late.commit()
    assert violated(since=naive) == set()
    assert violated(since=began) == {"L5"}
    with STAGE.as_role("migrator"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE transactions_journalorigin DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM transactions_journalorigin WHERE origin = 'late'")
        cursor.execute("ALTER TABLE transactions_journalorigin ENABLE TRIGGER USER")
    assert check_books() == 0


def test_the_command_says_what_it_looked_at(company: factories.Cast) -> None:
    settle()
    check_books()
    check_books()
    for words, said in (((), "everything"), (("--changes",), "what changed since 20")):
        out = StringIO()
        call_command("ledger_check", *words, stdout=out)
        assert f"Looking at {said}" in out.getvalue()
        assert "All invariants hold." in out.getvalue()
    assert "later   L3" in out.getvalue()


def five_minutes_ago(duration_ms: int) -> None:
    """Let the last look at everything be as long ago as beat waits, and have taken so long."""
    with STAGE.as_role("migrator"):
        BooksCheck.objects.filter(is_full=True).update(
            checked_at=timezone.now() - timedelta(minutes=5), duration_ms=duration_ms
        )


def settle() -> None:
    """Roll up until the mark before which nothing will be recorded has moved up to now."""
    for _ in range(2):
        roll_up()


def is_full() -> bool:
    """Say whether the last look was at everything."""
    return bool(BooksCheck.objects.latest("checked_at").is_full)


def violated(*, since: Watermark) -> set[str]:
    """Return what is broken in what changed since."""
    return {found.invariant.name for found in findings(since=since) if found.violations}


def test_the_balance_was_bent_for_nothing(company: factories.Cast) -> None:
    """Every test above put it back, or the next would have found it."""
    moved_minor = Transfer.objects.get().amount_minor
    stands_minor = Balance.objects.get(pk=company.giver.pk).posted_minor
    assert stands_minor == factories.RICH_MINOR - moved_minor
