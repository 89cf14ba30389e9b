"""Moving a month: in which order, by whom, in the log, and past nothing that was bent."""

import threading
import time
from urllib.parse import urlsplit

import psycopg
import pytest
from django.core.management import CommandError
from django.db import DatabaseError, connection, connections, transaction
from django.db.models import F
from django.utils import timezone

from accounts.roles import Role
from audit.models import Entry
from audit.typeids import uuid7
from config.grants import differences
from config.sandbox.months import month_ago
from tests import factories
from tests.aging import LESS_OLD, OLD, World, age, company_of_three_months, settle
from tests.books import assert_books_hold
from tests.conftest import STAGE
from tests.months import attach, begin, detach, unguarded
from transactions.models import (
    ArchivedBalance,
    ArchivedMonth,
    ClosedBalance,
    LedgerAccount,
    Transfer,
)
from transactions.selectors.invariants import violations
from transactions.services.months import close_month
from transactions.services.movements import book_movement

pytestmark = [pytest.mark.role("migrator"), pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world(transactional_db: None) -> World:
    """A company that moved money in three months, the two former ones closed."""
    return company_of_three_months()


def address() -> str:
    return urlsplit(STAGE.address)._replace(path=f"/{STAGE.name}").geturl()


def broken() -> str:
    return "\n".join(violations())


def test_the_act_is_in_the_log_with_who_and_why_and_what_it_left(world: World) -> None:
    detach(OLD)
    entry = Entry.objects.get(action="month.detached")
    row = ArchivedMonth.objects.get()
    assert entry.target_ref == f"month:{OLD:%Y-%m}"
    assert entry.actor_ref == "system:owner"
    assert b"Disk is full" in bytes(entry.body)
    assert row.digest.encode() in bytes(entry.body)
    assert row.history.count() == 1
    assert row.accounts == ArchivedBalance.objects.count() > 2
    attach(OLD)
    assert Entry.objects.filter(action="month.attached", target_ref=entry.target_ref).exists()
    assert row.history.count() == 2


def test_only_the_oldest_closed_month_leaves_and_the_last_two_stay(world: World) -> None:
    assert world.old.settled_at
    with pytest.raises(CommandError, match=rf"month_out_of_order.*next_month={OLD:%Y-%m}"):
        detach(LESS_OLD)
    detach(OLD)
    with pytest.raises(CommandError, match="month_out_of_order"):
        detach(OLD)
    detach(LESS_OLD)
    with pytest.raises(CommandError, match="month_not_closed"):
        detach(month_ago(1))
    with STAGE.as_role("admin"):
        close_month(actor=factories.officer(Role.FINANCE_OPERATOR), month=month_ago(1))
    assert_books_hold()
    with pytest.raises(CommandError, match=r"month_still_needed.*it is the last month"):
        detach(month_ago(1))
    with pytest.raises(CommandError, match=rf"month_out_of_order.*next_month={LESS_OLD:%Y-%m}"):
        attach(OLD)


def test_a_month_with_money_that_is_nobodys_stays(transactional_db: None) -> None:
    since = timezone.now()
    factories.house()
    book_movement(actor=factories.provider(), movement=factories.charge(None))
    age(OLD, since=since)
    settle()
    with STAGE.as_role("admin"):
        close_month(actor=factories.officer(Role.FINANCE_OPERATOR), month=OLD)
    with pytest.raises(CommandError, match=r"month_still_needed.*1 items in suspense"):
        detach(OLD)
    assert not ArchivedBalance.objects.exists()


def test_a_month_whose_snapshot_is_wrong_neither_leaves_nor_comes_back(world: World) -> None:
    kept = ClosedBalance.objects.filter(month=OLD, account_id=world.company.giver.pk)
    with unguarded("transactions_closedbalance"):
        kept.update(balance_minor=F("balance_minor") + 1)
    with pytest.raises(CommandError, match="snapshot_differs"):
        detach(OLD)
    with unguarded("transactions_closedbalance"):
        kept.update(balance_minor=F("balance_minor") - 1)
    detach(OLD)
    with connection.cursor() as cursor:
        part = f"archive.transactions_posting_y{OLD:%Ym%m}"
        cursor.execute(f"ALTER TABLE {part} DISABLE TRIGGER USER")
        cursor.execute(f"DELETE FROM {part} WHERE account_id = %s", [world.company.giver.pk])
    with pytest.raises(CommandError, match="snapshot_differs"):
        attach(OLD)
    assert ArchivedMonth.objects.get().is_away
    assert "its rows are not those that left" in broken()


OTHERWISE = {
    "uuid": "gen_random_uuid()",
    "int8": "coalesce({0}, 0) + 1",
    "varchar": "overlay({0} PLACING '?' FROM 1)",
    "timestamptz": "{0} + interval '1 microsecond'",
}
COLUMNS = """
SELECT format('%I.%I', n.nspname, c.relname), a.attname, t.typname
FROM pg_attribute AS a
INNER JOIN pg_class AS c ON c.oid = a.attrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_type AS t ON t.oid = a.atttypid
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r'
    AND (n.nspname = 'archive' OR c.relname = 'transactions_journalorigin')
"""


def changes_of_rows() -> list[tuple[str, str]]:
    """Return each table with what of one row in it can be made otherwise: each column, and all."""
    floor = "(SELECT before FROM ledger_archived())"
    one = "(SELECT min(ctid) FROM {0} WHERE {1} < {2})"
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        columns = cursor.fetchall()
    acts = []
    for table, column, kind in columns:
        key = "id" if table.startswith("archive.") else "journal_id"
        where = f"WHERE ctid = {one.format(table, key, floor)}"
        acts.append(
            (table, f"UPDATE {table} SET {column} = {OTHERWISE[kind].format(column)} {where}")
        )
        acts.append((table, f"DELETE FROM {table} {where}"))
    return sorted(set(acts))


def test_a_row_of_which_anything_was_changed_while_it_was_away_is_found(world: World) -> None:
    """Nothing of it need show in a sum: a subject, an instant, a transaction's number."""
    assert world.old.settled_at
    detach(OLD)
    acts = changes_of_rows()
    assert len(acts) > 20
    missed = []
    for table, act in acts:
        with transaction.atomic(), connection.cursor() as cursor:
            with unguarded(table):
                cursor.execute(act)
                assert cursor.rowcount == 1
            if "its rows are not those that left" not in broken():
                missed.append(act)
            transaction.set_rollback(True)
    assert missed == []
    assert_books_hold()


def test_a_month_in_the_archive_of_which_a_subject_was_changed_stays_there(world: World) -> None:
    assert world.old.settled_at
    detach(OLD)
    part = f"archive.transactions_journal_y{OLD:%Ym%m}"

    def rename(old: str, new: str) -> None:
        with connection.cursor() as cursor, unguarded(part):
            cursor.execute(
                f"UPDATE {part} SET subject_ref = replace(subject_ref, %s, %s)", [old, new]
            )

    rename("transfer:", "transfers:")
    with pytest.raises(CommandError, match="snapshot_differs"):
        attach(OLD)
    rename("transfers:", "transfer:")
    attach(OLD)
    assert_books_hold()


def test_a_transfer_that_only_says_it_settled_long_ago_is_looked_at(world: World) -> None:
    detach(OLD)
    forged = Transfer.objects.get(pk=world.new.pk)
    forged.pk, forged.origin, forged.settled_at = uuid7(), "forged", begin(OLD)
    with unguarded("transactions_transfer"):
        forged.save(force_insert=True)
    assert f"transfer {forged.pk} is settled and has 0 journals" in "\n".join(violations())


@pytest.mark.parametrize("keeps_balance", [True, False])
def test_a_balance_that_was_bent_where_it_is_brought_forward_is_found(
    world: World, *, keeps_balance: bool
) -> None:
    detach(OLD)
    assert_books_hold()
    ids = LedgerAccount.objects.filter(keeps_balance=keeps_balance).values("pk")
    bent = ArchivedBalance.objects.filter(account_id__in=ids).first()
    assert bent
    with unguarded("transactions_archivedbalance"):
        ArchivedBalance.objects.filter(pk=bent.pk).update(balance_minor=F("balance_minor") + 1)
    assert world.old.settled_at
    found = broken()
    assert "are not those it left with" in found
    assert "L2 all of a book sums to zero" in found
    assert (f"account {bent.account_id} stands at" in found) is keeps_balance


def test_only_the_auditor_reads_what_was_put_away_and_nobody_at_runtime_moves_it(
    world: World,
) -> None:
    assert world.old.settled_at
    detach(OLD)
    part = f"archive.transactions_posting_y{OLD:%Ym%m}"
    acts = [
        f"DELETE FROM {part}",
        "INSERT INTO transactions_archivedbalance SELECT * FROM transactions_archivedbalance",
        "UPDATE transactions_archivedmonth SET is_away = false",
        f"SELECT ledger_make_ready('{LESS_OLD}')",
        f"SELECT ledger_detach('{LESS_OLD}')",
        f"SELECT ledger_attach('{OLD}')",
        f"SELECT ledger_roll_month('{OLD}', 1)",
        f"ALTER TABLE {part} SET SCHEMA public",
    ]
    for login in ("admin", "api", "callbacks", "worker", "sealer", "auditor"):
        with STAGE.as_role(login), connection.cursor() as cursor:
            for act in acts if login == "auditor" else [f"SELECT FROM {part}", *acts]:
                with pytest.raises(DatabaseError, match=r"permission denied|must be owner"):
                    cursor.execute(act)
    with STAGE.as_role("auditor"), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {part}")
        assert cursor.fetchone()[0] == ArchivedMonth.objects.get().postings
    with STAGE.as_role("migrator"):
        assert differences() == []
        attach(OLD)
        assert differences() == []


def test_nobody_who_writes_waits_for_a_month_that_waits_for_a_reader(world: World) -> None:
    longest, stop = 0.0, threading.Event()

    def let_go() -> None:
        stop.wait(2)
        reader.rollback()

    def move_aside() -> None:
        detach(OLD)
        connections.close_all()

    with psycopg.connect(address(), autocommit=False) as reader:
        reader.execute("SELECT count(*) FROM transactions_posting")
        leaver = threading.Thread(target=let_go)
        leaver.start()
        mover = threading.Thread(target=move_aside)
        mover.start()
        while mover.is_alive():
            began = time.monotonic()
            factories.internal(world.company, amount_minor=1)
            longest = max(longest, time.monotonic() - began)
        leaver.join()
    assert ArchivedMonth.objects.get().is_away
    assert longest < 1
    assert_books_hold()
