"""How an account stood at any instant, by either clock: exact, and from a few rows.

See docs/adr/0008-movements-and-a-tail.md.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import BigIntegerField, Case, F, Func, QuerySet, UUIDField, Value, When

from transactions.models import LedgerAccount, RollUp
from transactions.selectors.archive import asking
from transactions.states import Clock

TICK: Final = timedelta(microseconds=1)
# Instants that the books can be asked about: later ones are all that there is.
FIRST_INSTANT: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST_INSTANT: Final = datetime(9998, 12, 31, tzinfo=UTC)

STANDS: Final = "SELECT account_id, balance_minor FROM ledger_stand_before(%s::uuid[], %s, %s)"


def balances_at(
    account_ids: Iterable[UUID], *, at: datetime = LAST_INSTANT, clock: Clock = Clock.RECORDED
) -> Mapping[UUID, int]:
    """Return what stood on each account with everything at or before `at`, by `clock`.

    All at one moment: sums over a whole book are zero. The caller may see the accounts.
    InstantArchived where the month of `at` was put away.
    """
    with asking(clock), connection.cursor() as cursor:
        cursor.execute(STANDS, [list(account_ids), clock.value, at + TICK])
        return dict(cursor.fetchall())


def balance_at(
    account_id: UUID, *, at: datetime = LAST_INSTANT, clock: Clock = Clock.RECORDED
) -> int:
    """Return what stood on an account at an instant, in minor units."""
    return balances_at([account_id], at=at, clock=clock)[account_id]


def with_balances(accounts: QuerySet[LedgerAccount]) -> QuerySet[LedgerAccount]:
    """Add `stands_minor` to accounts: what is posted on them, also where none is kept."""
    derived = Func(
        Func(F("pk"), template="ARRAY[%(expressions)s]", output_field=UUIDField()),
        Value(Clock.RECORDED.value),
        Value(LAST_INSTANT),
        template="(SELECT balance_minor FROM ledger_stand_before(%(expressions)s))",
        output_field=BigIntegerField(),
    )
    kept = F("balance__posted_minor")
    return accounts.annotate(
        stands_minor=Case(When(keeps_balance=True, then=kept), default=derived)
    )


def settled_at() -> datetime:
    """Return an instant before which nothing will be recorded any more.

    A statement that ends there, by the recorded clock, is the same for ever.
    """
    return RollUp.objects.values_list("settled_at", flat=True).get()


def is_rolled_up_here() -> bool:
    """Say whether the roll-up was made in this cluster: a restored one's counts for nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT is_ours FROM ledger_horizon()")
        return bool(cursor.fetchone()[0])
