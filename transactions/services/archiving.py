"""Putting closed months away, and taking them back in. For the owner's login, at the console."""

from datetime import date
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from audit.actors import Actor
from audit.calls import Call
from audit.commands import command
from audit.constraints import refuse_on
from audit.errors import Refusal
from audit.services.recording import later, record
from transactions.errors.archive import (
    BooksBusy,
    MonthNotClosed,
    MonthOutOfOrder,
    MonthStillNeeded,
    SnapshotDiffers,
)
from transactions.errors.months import MonthNotSettled
from transactions.models import ArchivedMonth
from transactions.selectors.archive import next_to_leave, next_to_return, open_suspense_of

READY: Final = (
    "before",
    "occurred_until",
    "recorded_until",
    "journals",
    "postings",
    "accounts",
    "digest",
    "rows_digest",
)


@command
def detach_month(*, actor: Actor, month: date) -> ArchivedMonth:
    """Put a closed month away: its journals and postings leave the books, the balances stay.

    Refuses in this order: MonthOutOfOrder (not the oldest that is here), MonthNotClosed,
    MonthStillNeeded, MonthNotSettled, SnapshotDiffers (what is kept of it is not what
    its rows say); BooksBusy where somebody reads too long.
    """
    said = f"{month:%Y-%m}"
    refusals: dict[str, Refusal] = {
        "month_next_in_order": MonthOutOfOrder(month=said, next_month=next_to_leave()),
        "month_closed_first": MonthNotClosed(month=said),
        "month_not_the_last": MonthStillNeeded(month=said, needed_for="it is the last month"),
        "month_settled": MonthNotSettled(month=said),
        "month_snapshot_true": SnapshotDiffers(month=said),
    }
    with refuse_on(refusals), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(
            "SELECT *, ledger_rows_digest(%s) FROM ledger_make_ready(%s)", [month, month]
        )
        ready = dict(zip(READY, cursor.fetchone(), strict=True))
    _refuse_open_suspense(month)
    row = _moved(month, is_away=True, **ready)
    # Last of all, beside the entry: from here to the commit the books stand still.
    busy = BooksBusy(month=said)
    later(Call(sql="ledger_detach(%s)", values=(month,), rules={"books_busy": busy}))
    record("month.detached", actor=actor, target=row, facts=_facts(row), rows=[row])
    return row


@command
def attach_month(*, actor: Actor, month: date) -> ArchivedMonth:
    """Take the month that left last back into the books, if its rows are those that left.

    MonthOutOfOrder for any other; SnapshotDiffers where a single one is not.
    """
    said = f"{month:%Y-%m}"
    newest = next_to_return()
    if said != newest:
        raise MonthOutOfOrder(month=said, next_month=newest)
    row = _moved(month, is_away=False)
    with (
        refuse_on({"month_snapshot_true": SnapshotDiffers(month=said)}),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SELECT ledger_attach(%s)", [month])
    record("month.attached", actor=actor, target=row, facts=_facts(row), rows=[row])
    return row


def _refuse_open_suspense(month: date) -> None:
    """Refuse while somebody's money came in a month and has not been given to anybody."""
    if count := open_suspense_of(month):
        raise MonthStillNeeded(month=f"{month:%Y-%m}", needed_for=f"{count} items in suspense")


def _moved(month: date, *, is_away: bool, **ready: Any) -> ArchivedMonth:
    """Write down where a month is from now on."""
    row = ArchivedMonth.objects.select_for_update(no_key=True).filter(month=month).first()
    row = row or ArchivedMonth(month=month)
    for name, value in (ready | {"is_away": is_away, "moved_at": timezone.now()}).items():
        setattr(row, name, value)
    row.save()
    return row


def _facts(row: ArchivedMonth) -> dict[str, int | str]:
    """Return what the log keeps of a month, beyond the reach of whoever owns the tables."""
    return {name: getattr(row, name) for name in READY[3:]}
