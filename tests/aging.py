"""Letting what was just booked lie in a former month, as if it had been booked then.

The database's clock cannot be turned back, so commands run today and their journals are moved:
ids, both clocks and the partition, and when their transfers settled. Below every trigger.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.roles import Role
from config.sandbox.months import make_month, month_ago
from tests import factories
from tests.conftest import STAGE
from tests.factories import Cast
from transactions.meanings import Movement
from transactions.models import LedgerAccount, Transfer
from transactions.selectors.clocks import settled_at
from transactions.services.months import close_month
from transactions.services.movements import book_movement
from transactions.services.rolling import roll_up

OLD_ID = """
(left(replace(audit_uuid_floor(uuid_extract_timestamp({id}) - {gap})::text, '-', ''), 12)
    || substr(replace({id}::text, '-', ''), 13))::uuid
"""
GAP = "make_interval(secs => %(seconds)s)"
MOVES = """
UPDATE transactions_journalorigin SET journal_id = {journal_id}, reverses = {reverses}
WHERE journal_id >= %(since)s;
UPDATE transactions_reversedline SET journal_id = {journal_id} WHERE journal_id >= %(since)s;
UPDATE transactions_suspensetally SET id = {id} WHERE id >= %(since)s;
UPDATE transactions_posting
SET id = {id}, journal_id = {journal_id}, occurred_at = occurred_at - {gap}
WHERE id >= %(since)s;
UPDATE transactions_journal
SET id = {id}, reverses = {reverses}, occurred_at = occurred_at - {gap},
    recorded_at = recorded_at - {gap}
WHERE id >= %(since)s;
UPDATE transactions_transfer SET settled_at = settled_at - {gap}
WHERE settled_at >= %(instant)s;
UPDATE transactions_historicaltransfer SET settled_at = settled_at - {gap}
WHERE settled_at >= %(instant)s
"""
TOUCHED = (
    "transactions_journal",
    "transactions_posting",
    "transactions_journalorigin",
    "transactions_reversedline",
    "transactions_suspensetally",
    "transactions_transfer",
    "transactions_historicaltransfer",
)


OLD, LESS_OLD = month_ago(3), month_ago(2)
WAIT_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class World:
    """A company that moved money three months ago, two months ago, and now."""

    company: Cast
    old: Transfer
    less_old: Transfer
    new: Transfer
    charge: Movement

    @property
    def accounts(self) -> list[UUID]:
        """Return every account of the books, system accounts too."""
        return list(LedgerAccount.objects.values_list("pk", flat=True).order_by("pk"))


def age(month: date, *, since: datetime, day: int = 10) -> None:
    """Move all that was booked at or after `since` to a day of `month`, and roll up anew."""
    with STAGE.as_role("migrator"):
        move_to(datetime.combine(month.replace(day=day), time(), tzinfo=UTC), since=since)


def move_to(then: datetime, *, since: datetime) -> None:
    """Do so as the owner that is signed in."""
    ids = {name: OLD_ID.format(id=name, gap=GAP) for name in ("id", "journal_id", "reverses")}
    make_month(then.date().replace(day=1))
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_uuid_floor(%s)", [since])
        values = {
            "seconds": (since - then).total_seconds(),
            "since": cursor.fetchone()[0],
            "instant": since,
        }
        for table in TOUCHED:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for move in MOVES.split(";"):
            cursor.execute(move.format(gap=GAP, **ids), values)
        for table in TOUCHED:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("SELECT ledger_start_over()")


def settle() -> None:
    """Roll up until former months are settled."""
    deadline = monotonic() + WAIT_SECONDS
    while settled_at() < timezone.now() - timedelta(seconds=10) or roll_up():
        assert monotonic() < deadline
        roll_up()


def company_of_three_months() -> World:
    """Let a company move money three months ago, two months ago and now; close those two."""
    since = timezone.now()
    company = factories.cast()
    charge = factories.charge(company.giver)
    book_movement(actor=factories.provider(), movement=charge)
    old = factories.internal(company, amount_minor=1_000)
    age(OLD, since=since)
    since = timezone.now()
    less_old = factories.internal(company, amount_minor=2_000)
    age(LESS_OLD, since=since)
    new = factories.internal(company, amount_minor=4_000)
    settle()
    for month in (OLD, LESS_OLD):
        with STAGE.as_role("admin"):
            close_month(actor=factories.officer(Role.FINANCE_OPERATOR), month=month)
    old, less_old = (Transfer.objects.get(pk=each.pk) for each in (old, less_old))
    return World(company=company, old=old, less_old=less_old, new=new, charge=charge)
