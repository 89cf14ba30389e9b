"""No row changes unseen, whoever changes it and however; and what is written stays written."""

import json
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.db import Error, connection, transaction

from accounts.models import Letter, Portfolio, PortfolioUserPerm, User
from accounts.roles import Role
from audit.constraints import broken_rule
from audit.models import Entry, Touch
from audit.typeids import uuid7
from tests import factories
from tests.books import assert_books_hold
from tests.factories import committed
from transactions.models import Journal, Posting, Transfer

__all__ = ["committed"]
pytestmark = pytest.mark.usefixtures("committed")
# Forgeries stay in the log, where the oracle finds them: such a test has a database of its own.
forges = pytest.mark.django_db(transaction=True)


@pytest.fixture
def transfer() -> Transfer:
    """A transfer that is flagged by nobody."""
    return factories.internal(factories.cast())


def state_of(error: Error) -> str:
    """Return the SQLSTATE behind an error."""
    return str(getattr(error.__cause__, "sqlstate", ""))


def entry(*, row: str = "", table: str = "transactions_transfer", **more: object) -> str:
    """Return what `audit_record` takes for one entry that touches one row or none."""
    touch = {"table": table, "row": row, "before": {}, "after": {"is_flagged": True}}
    body = {
        "trace": "0" * 32,
        "command": "tests.forge",
        "action": "transfer.forged",
        "outcome": "done",
        "facts": {},
        "actor": {"ref": "staff:1", "label": "Forger", "credential": "none"},
        "target": f"transfer:{row}",
        "touches": [touch] if row else [],
        **more,
    }
    return json.dumps([{"body": json.dumps(body), "book": None}])


def record(told: str) -> None:
    """Write an entry as any process may."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_record(%s::jsonb)", [told])


def _by_queryset(transfer: Transfer) -> None:
    Transfer.objects.filter(pk=transfer.pk).update(is_flagged=True)


def _by_save(transfer: Transfer) -> None:
    transfer.is_flagged = True
    transfer.save(update_fields=["is_flagged"])


def _in_bulk(transfer: Transfer) -> None:
    transfer.is_flagged = True
    Transfer.objects.bulk_update([transfer], ["is_flagged"])


def _by_hand(transfer: Transfer) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE transactions_transfer SET is_flagged = true WHERE id = %s", [transfer.pk]
        )


WAYS: list[Callable[[Transfer], None]] = [_by_queryset, _by_save, _in_bulk, _by_hand]


@pytest.mark.parametrize("change", WAYS)
def test_a_change_without_an_entry_does_not_commit(
    transfer: Transfer, change: Callable[[Transfer], None]
) -> None:
    with pytest.raises(Error) as refused:
        change(transfer)
    assert state_of(refused.value) == "AU002"
    assert broken_rule(refused.value) == "witnessed"
    assert not Transfer.objects.get(pk=transfer.pk).is_flagged
    assert_books_hold()


def _beside(transfer: Transfer, told: str) -> None:
    """Change a transfer and write an entry in one transaction."""
    with transaction.atomic():
        _by_hand(transfer)
        record(told)


@forges
def test_an_entry_about_another_row_or_table_is_no_witness(transfer: Transfer) -> None:
    for told in (
        entry(row=str(uuid7())),
        entry(row=str(transfer.pk), table="transactions_hold"),
        entry(),
    ):
        with pytest.raises(Error) as refused:
            _beside(transfer, told)
        assert state_of(refused.value) == "AU002"


@forges
def test_an_entry_of_an_earlier_transaction_is_no_witness(transfer: Transfer) -> None:
    record(entry(row=str(transfer.pk)))
    with pytest.raises(Error) as refused:
        _by_hand(transfer)
    assert state_of(refused.value) == "AU002"


@forges
def test_an_entry_of_this_transaction_is_one(transfer: Transfer) -> None:
    _beside(transfer, entry(row=str(transfer.pk)))
    assert Transfer.objects.get(pk=transfer.pk).is_flagged


MANY = 25  # rows in a statement: more than are looked up one by one


def _flag_and_tell(*statements: list[Transfer], told: list[Transfer]) -> None:
    """Change each list's transfers in one statement, and write an entry about each of `told`."""
    with transaction.atomic():
        for transfers in statements:
            keys = [each.pk for each in transfers]
            Transfer.objects.filter(pk__in=keys).update(is_flagged=True)
        for each in told:
            record(entry(row=str(each.pk)))


@forges
@pytest.mark.parametrize("count", [2, MANY])
@pytest.mark.parametrize("missing", [0, -1])
def test_one_unseen_row_of_a_statement_undoes_all(
    transfer: Transfer, count: int, missing: int
) -> None:
    company = factories.cast()
    transfers = [transfer, *(factories.internal(company) for _ in range(count - 1))]
    seen = [each for each in transfers if each is not transfers[missing]]
    with pytest.raises(Error) as refused:
        _flag_and_tell(transfers, told=seen)
    assert state_of(refused.value) == "AU002"
    assert str(transfers[missing].pk) in str(refused.value)
    _flag_and_tell(transfers, told=transfers)
    assert Transfer.objects.filter(is_flagged=True).count() == count


@forges
def test_a_later_statement_does_not_pay_for_an_earlier_one(transfer: Transfer) -> None:
    """They share the row that says what is owed, and the later writes it over."""
    other = factories.internal(factories.cast())
    with pytest.raises(Error) as refused:
        _flag_and_tell([transfer], [other], told=[other])
    assert state_of(refused.value) == "AU002"
    assert str(transfer.pk) in str(refused.value)


@pytest.mark.role("migrator")
def test_a_row_whose_key_is_changed_on_the_way_owes_an_entry(transfer: Transfer) -> None:
    """And so does the change back: otherwise whatever was changed with it would go unseen."""
    other = uuid7()
    with pytest.raises(Error) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE transactions_transfer SET id = %s, is_flagged = true WHERE id = %s;"
            " UPDATE transactions_transfer SET id = %s WHERE id = %s",
            [other, transfer.pk, transfer.pk, other],
        )
    assert state_of(refused.value) == "AU002"
    assert not Transfer.objects.get(pk=transfer.pk).is_flagged


def test_what_was_undone_owes_nothing(transfer: Transfer) -> None:
    with transaction.atomic():
        savepoint = transaction.savepoint()
        Transfer.objects.filter(pk=transfer.pk).update(is_flagged=True)
        transaction.savepoint_rollback(savepoint)
    assert not Transfer.objects.get(pk=transfer.pk).is_flagged
    assert_books_hold()


@pytest.mark.parametrize("login", ["admin", "api", "worker", "callbacks"])
def test_no_process_can_write_off_what_is_owed(login: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege(%s, 'audit_debt', 'INSERT, UPDATE, DELETE, TRUNCATE')",
            [f"cs_{login}"],
        )
        assert cursor.fetchone() == (False,)


@pytest.mark.role("migrator")
def test_new_and_removed_rows_need_a_witness_too(transfer: Transfer) -> None:
    portfolio = Portfolio.objects.get(book_id=transfer.book_id)
    with pytest.raises(Error) as added:
        Portfolio.objects.create(
            partner_id=portfolio.partner_id, book_id=portfolio.book_id, name="Unseen"
        )
    with pytest.raises(Error) as removed, connection.cursor() as cursor:
        cursor.execute("DELETE FROM transactions_transfer WHERE id = %s", [transfer.pk])
    assert state_of(added.value) == state_of(removed.value) == "AU002"
    assert_books_hold()


@pytest.mark.role("migrator")
def test_no_grant_on_a_portfolio_is_given_unseen(transfer: Transfer) -> None:
    support = factories.officer(Role.SUPPORT_AGENT)
    with pytest.raises(Error) as refused:
        PortfolioUserPerm.objects.create(
            content_object=Portfolio.objects.get(book_id=transfer.book_id),
            user=User.objects.get(pk=support.id),
            permission=Permission.objects.get(codename="view_portfolio"),
        )
    assert state_of(refused.value) == "AU002"
    assert not PortfolioUserPerm.objects.filter(user_id=support.id).exists()


# -- append only ------------------------------------------------------------------------------


@pytest.mark.role("migrator")
@pytest.mark.parametrize(
    "table",
    [
        "audit_entry",
        "audit_touch",
        "transactions_journal",
        "transactions_posting",
        "transactions_journalorigin",
        "accounts_letter",
        "transactions_historicaltransfer",
        "accounts_historicaluser",
    ],
)
def test_not_even_the_owner_changes_what_is_written(transfer: Transfer, table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass",
            [table],
        )
        places = [table, *(name for (name,) in cursor.fetchall())]
    for place in places:
        for attempt in (
            f"UPDATE {place} SET {_column(place)} = NULL",
            f"DELETE FROM {place}",
            f"TRUNCATE {place}",
        ):
            with pytest.raises(Error) as refused, connection.cursor() as cursor:
                cursor.execute(attempt)
            assert state_of(refused.value) == "AU001", attempt
    assert_books_hold()


def _column(table: str) -> str:
    """Return the first column of a table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1",
            [table],
        )
        return str(cursor.fetchone()[0])


@pytest.mark.parametrize("role", ["admin", "api", "worker"])
@pytest.mark.parametrize("table", ["audit_entry", "transactions_posting", "accounts_letter"])
def test_a_runtime_login_inserts_nothing_there(
    as_role: Callable[[str], object], role: str, table: str
) -> None:
    with (
        as_role(role),  # type: ignore[attr-defined]
        pytest.raises(Error) as refused,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"INSERT INTO {table} DEFAULT VALUES")
    assert state_of(refused.value) == "42501"


@forges
def test_the_database_alone_sets_id_clock_and_transaction(transfer: Transfer) -> None:
    forged = uuid7()
    record(
        entry(
            row=str(transfer.pk),
            id=str(forged),
            recorded_at="2020-01-01T00:00:00Z",
            xact=1,
            xact_at="2020-01-01T00:00:00Z",
        )
    )
    told = Entry.objects.get(action="transfer.forged")
    assert told.pk != forged
    assert told.recorded_at.year > 2020
    assert told.xact_at.year > 2020
    touch = Touch.objects.get(entry_id=told.pk)
    assert touch.xact == told.xact > 1


def test_what_a_transfer_left_behind_is_all_there(transfer: Transfer) -> None:
    journal = Journal.objects.get(subject_ref=transfer.audit_ref)
    assert Posting.objects.filter(journal_id=journal.pk).count() == 2
    told = Entry.objects.get(target_ref=transfer.audit_ref)
    letter = Letter.objects.get(payload__id=transfer.public_id)
    assert journal.xact == told.xact == letter.xact
    assert journal.trace_id == told.trace_id == letter.trace_id == transfer.trace_id
