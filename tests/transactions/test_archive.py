"""A closed month is put away and taken back, and the books are right all the while."""

import re
from datetime import date, timedelta
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from accounts.roles import Role
from config.sandbox.months import month_ago
from tests import factories
from tests.aging import LESS_OLD, OLD, World, company_of_three_months
from tests.books import assert_books_hold
from tests.conftest import STAGE
from tests.desk import seat
from tests.months import attach, begin, detach, unguarded
from transactions.errors import AlreadyBooked
from transactions.errors.archive import InstantArchived, JournalArchived
from transactions.models import (
    ArchivedMonth,
    JournalOrigin,
    LedgerAccount,
    Posting,
    Transfer,
)
from transactions.models import Movement as Cell
from transactions.papers import PAPERS
from transactions.selectors.changes import watermark
from transactions.selectors.clocks import balance_at
from transactions.selectors.invariants import findings
from transactions.selectors.statements import statement_of
from transactions.services.movements import book_movement
from transactions.services.reversals import reverse_transfer
from transactions.services.rolling import roll_up, start_over
from transactions.statements import Period, Statement
from transactions.states import Clock, TransferState

pytestmark = [pytest.mark.role("migrator"), pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world(transactional_db: None) -> World:
    """A company that moved money in three months, the two former ones closed."""
    return company_of_three_months()


def cells_now() -> list[tuple[object, ...]]:
    """Return what is rolled up, but for how far apart the ids in a cell lie."""
    names = ("account_id", "clock", "grain", "begins_at", "amount_minor", "postings", "is_cut")
    return list(Cell.objects.values_list(*names))


def address() -> str:
    return urlsplit(STAGE.address)._replace(path=f"/{STAGE.name}").geturl()


def tables_of(schema: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND relkind = 'r' AND relname LIKE %s",
            [schema, f"%_y{OLD:%Ym%m}"],
        )
        return {name for (name,) in cursor.fetchall()}


def test_a_month_that_was_put_away_leaves_every_balance_as_it_was(world: World) -> None:
    assert_books_hold()
    before = {key: balance_at(key, clock=clock) for key in world.accounts for clock in Clock}
    at = [begin(LESS_OLD), begin(LESS_OLD) + timedelta(days=12), timezone.now()]
    told = {
        (key, each, clock): balance_at(key, at=each, clock=clock)
        for key in world.accounts
        for each in at
        for clock in Clock
    }
    assert "put away" in detach(OLD)
    assert_books_hold()
    assert {key: balance_at(key, clock=c) for key in world.accounts for c in Clock} == before
    assert told == {
        (key, each, clock): balance_at(key, at=each, clock=clock) for key, each, clock in told
    }
    assert not Posting.objects.filter(occurred_at__lt=begin(LESS_OLD)).exists()
    parents = {"transactions_journal", "transactions_posting"}
    assert tables_of("archive") == {f"{parent}_y{OLD:%Ym%m}" for parent in parents}


def test_the_clocks_answer_from_the_line_on_and_say_so_before(world: World) -> None:
    giver = world.company.giver.pk
    detach(OLD)
    row = ArchivedMonth.objects.get()
    assert row.recorded_until == row.occurred_until == begin(LESS_OLD)
    for clock in Clock:
        assert balance_at(giver, at=begin(LESS_OLD), clock=clock) > 0
        with pytest.raises(InstantArchived) as refused:
            balance_at(giver, at=begin(LESS_OLD) - timedelta(seconds=1), clock=clock)
        assert refused.value.facts() == {
            "clock": clock.value,
            "answered_from": begin(LESS_OLD).isoformat(),
        }


def statement(world: World, *, since: date, clock: Clock = Clock.RECORDED) -> Statement:
    account = LedgerAccount.objects.get(pk=world.company.giver.pk)
    period = Period(since=begin(since), until=begin(month_ago(1)), clock=clock)
    return statement_of(account, period=period)


def test_a_statement_opens_with_what_was_put_away_and_never_before_it(world: World) -> None:
    before = {clock: statement(world, since=LESS_OLD, clock=clock) for clock in Clock}
    detach(OLD)
    for clock in Clock:
        assert statement(world, since=LESS_OLD, clock=clock) == before[clock]
        assert [line.amount_minor for line in before[clock].lines] == [-2_000]
        with pytest.raises(InstantArchived):
            statement(world, since=OLD, clock=clock)


def test_a_month_that_is_taken_back_reads_byte_for_byte_as_before(world: World) -> None:
    def papers() -> list[bytes]:
        return [
            PAPERS[form].print(statement(world, since=OLD, clock=clock))
            for form in PAPERS
            for clock in Clock
        ]

    before, cells = papers(), set(cells_now())
    detach(OLD)
    detach(LESS_OLD)
    assert_books_hold()
    assert "back in the books" in attach(LESS_OLD)
    attach(OLD)
    assert papers() == before
    assert set(cells_now()) == cells
    assert tables_of("archive") == set()
    assert_books_hold()
    detach(OLD)
    assert_books_hold()


def test_what_goes_on_after_a_month_left_is_right(world: World) -> None:
    giver, began = world.company.giver.pk, watermark()
    detach(OLD)
    stood = balance_at(giver)
    factories.internal(world.company, amount_minor=500)
    factories.payout(world.company, state=TransferState.RETURNED)
    with STAGE.as_role("worker"):
        assert [each.violations for each in findings(since=began) if each.violations] == []
        roll_up()
    assert balance_at(giver) == stood - 500
    start_over()
    assert balance_at(giver) == stood - 500
    assert_books_hold()


def test_a_journal_that_was_put_away_is_undone_only_once_it_is_back(world: World) -> None:
    detach(OLD)
    speaker = factories.speaker(world.company.partner)

    def undo() -> Transfer:
        return reverse_transfer(
            actor=speaker, transfer_id=world.old.pk, origin=factories.origin(), reason="Wrong"
        )

    with STAGE.as_role("api"), pytest.raises(JournalArchived):
        undo()
    assert Transfer.objects.get(pk=world.old.pk).state == TransferState.SETTLED
    attach(OLD)
    with STAGE.as_role("api"):
        assert undo().state == TransferState.REVERSED
    assert_books_hold()


def test_what_was_booked_once_is_known_for_good(world: World) -> None:
    origin = JournalOrigin.objects.get(origin=world.charge.origin)
    detach(OLD)
    assert not Posting.objects.filter(journal_id=origin.journal_id).exists()
    with STAGE.as_role("worker"), pytest.raises(AlreadyBooked):
        book_movement(actor=factories.provider(), movement=world.charge)
    assert_books_hold()


def test_a_line_written_after_the_border_goes_with_its_journal(world: World) -> None:
    """The journal before midnight, its lines after: a month is a month of journals."""
    late = begin(LESS_OLD) + timedelta(milliseconds=3)
    with connection.cursor() as cursor, unguarded("transactions_posting"):
        cursor.execute(
            "UPDATE transactions_posting SET id = (left(audit_uuid_floor(%s)::text, 13)"
            " || right(id::text, 23))::uuid WHERE journal_id = ("
            "SELECT max(journal_id::text)::uuid FROM transactions_posting WHERE id < %s)",
            [late, world.less_old.pk],
        )
        assert cursor.rowcount == 2
    start_over()
    assert_books_hold()
    before = [balance_at(key, clock=clock) for key in world.accounts for clock in Clock]
    lines = statement(world, since=LESS_OLD)
    for act, month in ((detach, OLD), (detach, LESS_OLD), (attach, LESS_OLD)):
        act(month)
        assert [balance_at(key, clock=c) for key in world.accounts for c in Clock] == before
        start_over()
        assert_books_hold()
    assert statement(world, since=LESS_OLD) == lines


def test_who_asked_before_a_month_left_is_told_to_ask_again(world: World) -> None:
    """The catalogue is always of now, what was counted of then: the two are never mixed."""
    ask = "SELECT balance_minor FROM ledger_stand_before(ARRAY[%s], 'recorded', %s)"
    about = [world.company.giver.pk, begin(OLD) + timedelta(days=12)]
    with psycopg.connect(address(), autocommit=True) as server, server.transaction():
        server.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        server.execute("SELECT 1 FROM transactions_rollup")
        detach(OLD)
        with pytest.raises(psycopg.errors.SerializationFailure), server.transaction():
            server.execute(ask, about)


def test_the_month_end_page_tells_where_a_month_is_and_what_to_do(world: World) -> None:
    book = str(world.company.partner.book_id)

    def page(month: date) -> str:
        with STAGE.as_role("admin"):
            shown = auditor.open("month_end", book=book, month=f"{month:%Y-%m}", clock="recorded")
        return str(shown.content.decode())

    with STAGE.as_role("admin"):
        auditor = seat(Role.AUDITOR)
    assert f"manage.py months detach {OLD:%Y-%m}" in page(OLD)
    assert "Months are put away from the oldest on" in page(LESS_OLD)
    sums = re.findall(r'<td class="cs-money">([^<]+)</td>', page(OLD))
    detach(OLD)
    away = page(OLD)
    assert f"manage.py months attach {OLD:%Y-%m}" in away
    assert "Archived" in away
    assert re.findall(r'<td class="cs-money">([^<]+)</td>', away)[:3] == sums[:3]
    assert f"manage.py months detach {LESS_OLD:%Y-%m}" in page(LESS_OLD)
    assert "Not settled yet" in page(month_ago(1)) or "Settled, not closed" in page(month_ago(1))


def test_pages_and_the_api_say_that_an_instant_was_put_away(world: World) -> None:
    account, book = world.company.giver.pk, str(world.company.partner.book_id)
    detach(OLD)
    said = f"The books answer from {begin(LESS_OLD):%-d %B %Y} on"
    day = f"{OLD:%Y-%m-%d}"
    with STAGE.as_role("admin"):
        auditor = seat(Role.AUDITOR)
        asked = {"since": day, "until": f"{LESS_OLD:%Y-%m-%d}", "clock": "recorded"}
        assert said in auditor.open("statement", account, **asked).content.decode()
        asked = {"book": book, "day": day, "clock": "occurred"}
        assert said in auditor.open("trial_balance", **asked).content.decode()
        assert "was put away" in auditor.send("trial_balance_export", **asked).content.decode()
