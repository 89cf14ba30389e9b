"""A month that finance closed before the demo world began, and that may be put away.

Nothing was recorded here in it: what the past tells of it was brought along, and the clock that
records is never turned back. So its balances are none, and putting it away costs nothing.
"""

import time
from datetime import UTC, date, datetime
from typing import Final

from django.db import connection
from django.utils import timezone

from audit.actors import Actor
from config.sandbox.refusal import CannotRun
from transactions.selectors.clocks import settled_at
from transactions.services.months import close_month
from transactions.services.rolling import roll_up

TRIES_MAX: Final = 100
TRY_SECONDS: Final = 0.1
# As `audit_make_partitions` makes them for months to come.
MAKE: Final = """
DO $$
DECLARE
    v_parent text;
    v_part text;
BEGIN
    FOREACH v_parent IN ARRAY ARRAY['transactions_journal', 'transactions_posting'] LOOP
        v_part := ledger_partition(v_parent, '{month}');
        CONTINUE WHEN to_regclass(v_part) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
            v_part, v_parent, ledger_month_floor('{month}'),
            ledger_month_floor(('{month}'::date + interval '1 month')::date));
        EXECUTE format('CALL audit_append_only(%L)', v_part);
        EXECUTE format('ALTER TABLE %I OWNER TO cs_definer', v_part);
        EXECUTE format('GRANT SELECT ON %I TO cs_backup', v_part);
    END LOOP;
END;
$$
"""


def month_ago(months: int) -> date:
    """Return the first day of the month so many months ago."""
    now = timezone.now()
    count = now.year * 12 + now.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def make_month(month: date) -> None:
    """Give a former month tables of its own, as the owner."""
    with connection.cursor() as cursor:
        cursor.execute(MAKE.format(month=month))


def close_the_first(finance: Actor) -> None:
    """Let finance close the month before last: it is the oldest, and not needed any more."""
    month, end = month_ago(2), datetime.combine(month_ago(1), datetime.min.time(), tzinfo=UTC)
    make_month(month)
    for _ in range(TRIES_MAX):
        roll_up()
        if settled_at() >= end:
            break
        time.sleep(TRY_SECONDS)
    else:
        raise CannotRun("the books could not be rolled up: another transaction runs on and on")
    close_month(actor=finance, month=month)
