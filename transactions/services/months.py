"""Closing months."""

from datetime import date

from django.db import connection

from audit.actors import Actor
from audit.commands import command
from audit.constraints import refuse_on
from audit.services.recording import record
from transactions.errors.months import MonthClosed, MonthNotSettled
from transactions.models import ClosedMonth


@command
def close_month(*, actor: Actor, month: date) -> ClosedMonth:
    """Keep how every account stood at the end of `month`, its first day. Once, in order.

    MonthNotSettled where more may still be recorded before its end; MonthClosed
    where it, or a later one, is closed.
    """
    said = f"{month:%Y-%m}"
    refusals = {
        "month_settled": MonthNotSettled(month=said),
        "month_after_closed": MonthClosed(month=said),
        "transactions_closedmonth_pkey": MonthClosed(month=said),
        "transactions_closedbalance_pkey": MonthClosed(month=said),
    }
    with refuse_on(refusals), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_close_month(%s)", [month])
    closed = ClosedMonth.objects.get(pk=month)
    record(
        "month.closed",
        actor=actor,
        target=closed,
        facts={"accounts": closed.accounts, "digest": closed.digest},
    )
    return closed
