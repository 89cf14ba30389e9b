"""What a month's end asks: what stands where nothing should, since when, and what is under way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Case, Count, Sum, Value, When
from django.utils import timezone

from transactions.models import Book, ClosedMonth, LedgerAccount, Transfer
from transactions.selectors.clocks import balances_at
from transactions.states import Clock, TransferState

# Accounts that money only passes through: what stands there has not arrived yet.
PASSED_THROUGH: Final = ("clearing", "suspense", "shortfall", "transit", "interbook")
UNDER_WAY: Final = (TransferState.DISPATCHED, TransferState.UNKNOWN)
AGES: Final = (
    ("under an hour", timedelta(hours=1)),
    ("under a day", timedelta(days=1)),
    ("under two days", timedelta(days=2)),
)
OLDER: Final = "two days or more"
LOOKED_AT_MAX: Final = 5_000
# First in, first out: what stands there came with the newest postings of its sign.
OPEN_SINCE: Final = """
SELECT CASE
    WHEN count(*) = %(most)s OR max(abs(with_newer)) >= abs(%(balance)s::numeric)
        THEN min(happened_at) FILTER (
            WHERE abs(with_newer - amount_minor) < abs(%(balance)s::numeric))
    END
FROM (
    SELECT occurred_at AS happened_at, amount_minor,
        sum(amount_minor) OVER (ORDER BY occurred_at DESC, id DESC) AS with_newer
    FROM (
        SELECT id, occurred_at, amount_minor FROM transactions_posting
        WHERE account_id = %(account)s AND occurred_at < %(before)s
            AND sign(amount_minor) = sign(%(balance)s::numeric)
        ORDER BY occurred_at DESC, id DESC LIMIT %(most)s
    ) AS newest
) AS summed
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stood on an account at each of some instants; `since` when the last of it came."""

    account: LedgerAccount
    balances_minor: Sequence[int]
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """Payouts that a provider has and has not spoken of, of one age."""

    provider: str
    age: str
    currency: str
    count: int
    amount_minor: int


def ends_of_months(*, count: int) -> Sequence[datetime]:
    """Return the first instants after the last `count` complete months, the oldest first."""
    now = timezone.now()
    year, month = now.year, now.month
    ends = []
    for _ in range(count):
        ends.append(datetime(year, month, 1, tzinfo=UTC))
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return ends[::-1]


def closed_month(month: date) -> ClosedMonth | None:
    """Return a month that is closed, by its first day; None where it is open."""
    return ClosedMonth.objects.filter(pk=month).first()


def standings(book: Book, *, ends: Sequence[datetime], clock: Clock) -> Sequence[Standing]:
    """Return what stood at each end on the accounts that money only passes through."""
    accounts = [
        account
        for account in LedgerAccount.objects.filter(book=book, keeps_balance=False)
        if account.code.partition(":")[0] in PASSED_THROUGH
    ]
    tick = timedelta(microseconds=1)
    ids = [account.pk for account in accounts]
    by_end = [balances_at(ids, at=end - tick, clock=clock) for end in ends]
    found = sorted(accounts, key=lambda account: (account.currency, account.code))
    return [
        Standing(
            account=account,
            balances_minor=[balances[account.pk] for balances in by_end],
            since=_open_since(account, balance_minor=by_end[-1][account.pk], before=ends[-1]),
        )
        for account in found
    ]


def under_way() -> Sequence[UnderWay]:
    """Return the money that providers have and have not spoken of, by provider and age, now."""
    now = timezone.now()
    ages = [When(claimed_at__gt=now - age, then=Value(name)) for name, age in AGES]
    rows = (
        Transfer.objects.filter(state__in=UNDER_WAY)
        .annotate(age=Case(*ages, default=Value(OLDER)))
        .values("provider", "age", "currency")
        .annotate(count=Count("pk"), amount=Sum("amount_minor"))
    )
    order = [name for name, _ in AGES] + [OLDER]
    found = [
        UnderWay(
            provider=row["provider"],
            age=row["age"],
            currency=row["currency"],
            count=row["count"],
            amount_minor=row["amount"],
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: (each.provider, each.currency, order.index(each.age)))


def _open_since(
    account: LedgerAccount, *, balance_minor: int, before: datetime
) -> datetime | None:
    """Return since when something has stood on an account without a break.

    None where nothing does, and where it came in a month that was put away.
    """
    if balance_minor == 0:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            OPEN_SINCE,
            {
                "account": account.pk,
                "before": before,
                "balance": balance_minor,
                "most": LOOKED_AT_MAX,
            },
        )
        found: datetime | None = cursor.fetchone()[0]
    return found
