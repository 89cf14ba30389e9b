"""Money in and out of the house, day by day, for the home page."""

from datetime import date, timedelta
from typing import Final

from django.core.cache import cache
from django.db import connection
from django.utils import timezone

HOUSE_CURRENCY: Final = "EUR"
KEPT_SECONDS: Final = 60

# What one journal adds to or takes from all customers' accounts together: a transfer between two
# of them adds up to nothing, so only money that came in or went out is left.
DAILY_FLOW: Final = """
SELECT currency, day, sum(greatest(net, 0))::bigint, sum(greatest(-net, 0))::bigint
FROM (
    SELECT p.journal_id, p.currency, (p.occurred_at AT TIME ZONE 'UTC')::date AS day,
        sum(p.amount_minor) AS net
    FROM transactions_posting AS p
    INNER JOIN transactions_ledgeraccount AS a ON a.id = p.account_id
    WHERE p.occurred_at >= %s
        AND (a.keeps_balance OR a.code = 'suspense' OR a.code LIKE 'interbook:%%')
    GROUP BY 1, 2, 3
) AS by_journal
GROUP BY 1, 2
"""

Flow = dict[str, list[tuple[date, int, int]]]


def daily_flow(*, days: int) -> Flow:
    """Return (day, in, out) in minor units for each of the last `days` days, by currency.

    By `occurred_at`, UTC, EUR first, days without money as zeros. At most a minute old:
    the sum runs over every posting of the window.
    """
    key = f"overview.daily_flow:{days}"
    flow: Flow | None = cache.get(key)
    if flow is None:
        flow = _daily_flow(days=days)
        cache.set(key, flow, KEPT_SECONDS)
    return flow


def _daily_flow(*, days: int) -> Flow:
    today = timezone.now().date()
    window = [today - timedelta(days=ago) for ago in range(days - 1, -1, -1)]
    with connection.cursor() as cursor:
        cursor.execute(DAILY_FLOW, [window[0]])
        rows = {(currency, day): (came, left) for currency, day, came, left in cursor}
    currencies = sorted({currency for currency, _ in rows}, key=_house_first)
    return {
        currency: [(day, *rows.get((currency, day), (0, 0))) for day in window]
        for currency in currencies
    }


def _house_first(currency: str) -> tuple[bool, str]:
    """Order the house's own currency before the others."""
    return (currency != HOUSE_CURRENCY, currency)
