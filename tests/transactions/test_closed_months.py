"""A month is closed once it is settled, once, in order; what it keeps nobody changes."""

import time
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.roles import Role
from audit.models import Entry
from tests import factories
from tests.conftest import STAGE
from tests.desk import seat
from transactions.errors.months import MonthClosed, MonthNotSettled
from transactions.models import ClosedBalance, ClosedMonth, LedgerAccount
from transactions.selectors.clocks import balance_at, settled_at
from transactions.selectors.invariants import violations
from transactions.services.months import close_month
from transactions.services.movements import book_movement
from transactions.services.rolling import roll_up
from transactions.states import Clock

pytestmark = pytest.mark.django_db(transaction=True)
WAIT_SECONDS = 30
# Below the commands and before the database's own clock: what was written down last month.
WRITTEN_EARLIER = """
WITH one AS (
    INSERT INTO transactions_journal
        (id, book_id, purpose, subject_ref, origin, trace_id, occurred_at, recorded_at)
    VALUES (uuidv7(%(at)s - clock_timestamp()), %(book)s, 'test', 'x:1', uuidv7()::text, 'x',
        %(at)s, %(at)s)
    RETURNING id, book_id, occurred_at
)
INSERT INTO transactions_posting
    (id, journal_id, book_id, account_id, amount_minor, currency, occurred_at)
SELECT uuidv7(%(at)s - clock_timestamp() + interval '1 millisecond'), one.id, one.book_id,
    line.account, line.amount, 'EUR', one.occurred_at
FROM one, (
    VALUES (%(left)s::uuid, -%(amount)s::bigint), (%(right)s, %(amount)s)
) AS line (account, amount)
"""


def last_month() -> date:
    return (timezone.now().replace(day=1) - timedelta(days=1)).date().replace(day=1)


@pytest.fixture
def accounts(transactional_db: None) -> tuple[UUID, UUID]:
    """Clearing and suspense of the house: ten euros came last month, one this month."""
    book = factories.house()
    with STAGE.as_role("migrator"), connection.cursor() as cursor:
        coming = factories.charge(None, amount_minor=100, fee_minor=0)
        book_movement(actor=factories.provider(), movement=coming)
        left, right = (
            LedgerAccount.objects.get(book=book, code=code).pk
            for code in ("clearing:stripe", "suspense")
        )
        earlier = datetime.combine(last_month(), datetime.min.time(), tzinfo=UTC)
        cursor.execute(
            WRITTEN_EARLIER,
            {
                "left": left,
                "right": right,
                "book": book.pk,
                "at": earlier + timedelta(days=3),
                "amount": 1_000,
            },
        )
    settle()
    return left, right


def settle() -> None:
    """Roll up until last month is settled."""
    deadline = time.monotonic() + WAIT_SECONDS
    with STAGE.as_role("worker"):
        while settled_at() < timezone.now() - timedelta(seconds=10) or roll_up():
            assert time.monotonic() < deadline
            roll_up()


def wrong() -> list[str]:
    """Return what does not hold of balances and what is derived from them."""
    with STAGE.as_role("migrator"):
        return [each for each in violations() if each.startswith("L3")]


def test_a_closed_month_keeps_how_each_account_stood_at_its_end(
    accounts: tuple[UUID, UUID],
) -> None:
    officer = factories.officer(Role.FINANCE_OPERATOR)
    closed = close_month(actor=officer, month=last_month())
    kept = dict(ClosedBalance.objects.values_list("account_id", "balance_minor"))
    assert kept == {accounts[0]: -1_000, accounts[1]: 1_000}
    assert closed.accounts == 2
    assert [balance_at(each) for each in accounts] == [-1_100, 1_100]
    entry = Entry.objects.get(action="month.closed")
    assert entry.target_ref == f"month:{last_month():%Y-%m}"
    assert not wrong()


def test_a_month_is_closed_once_in_order_and_not_before_it_is_settled(
    accounts: tuple[UUID, UUID],
) -> None:
    officer = factories.officer(Role.FINANCE_OPERATOR)
    with pytest.raises(MonthNotSettled):
        close_month(actor=officer, month=timezone.now().date().replace(day=1))
    close_month(actor=officer, month=last_month())
    before = (last_month() - timedelta(days=1)).replace(day=1)
    for month in (last_month(), before):
        with pytest.raises(MonthClosed):
            close_month(actor=officer, month=month)
    assert ClosedMonth.objects.count() == 1
    assert balance_at(accounts[1], clock=Clock.OCCURRED) == 1_100


def test_what_is_kept_is_changed_by_nobody_and_a_change_past_the_rule_is_found(
    accounts: tuple[UUID, UUID],
) -> None:
    close_month(actor=factories.officer(Role.FINANCE_OPERATOR), month=last_month())
    with STAGE.as_role("migrator"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            ClosedBalance.objects.update(balance_minor=0)
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE transactions_closedbalance DISABLE TRIGGER append_only")
            ClosedBalance.objects.filter(account_id=accounts[0]).update(balance_minor=-999)
    said = "\n".join(wrong())
    assert f"account {accounts[0]} stood at -1000" in said
    assert "are not those that were closed" in said


@pytest.mark.parametrize("table", ["amount_minor", "postings"])
def test_a_cell_that_is_off_is_found(accounts: tuple[UUID, UUID], table: str) -> None:
    assert accounts
    with STAGE.as_role("migrator"), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE transactions_movement SET {table} = {table} + 1 WHERE clock = 'occurred'"
        )
    assert any("rolled up" in each for each in wrong())


def test_finance_closes_a_month_from_its_page_and_others_only_look(
    accounts: tuple[UUID, UUID],
) -> None:
    assert accounts
    month = f"{last_month():%Y-%m}"
    book = str(factories.house().pk)
    form = {"book": book, "month": month, "clock": "recorded"}
    auditor, finance = seat(Role.AUDITOR), seat(Role.FINANCE_OPERATOR)
    assert b"Settled, not closed" in auditor.open("month_end", **form).content
    assert auditor.send("month_close", **form).status_code == 403
    assert f"Close {last_month():%B %Y}" in finance.open("month_end", **form).content.decode()
    page = finance.send("month_close", **form).content.decode()
    assert "is closed: 2 accounts." in page
    assert ClosedMonth.objects.get().digest in page
    again = finance.send("month_close", **form).content.decode()
    assert "This month is closed already, or a later one is." in again
    assert ClosedMonth.objects.count() == 1
