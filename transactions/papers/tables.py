"""A statement, and any table of figures, as CSV that no spreadsheet takes for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from audit.typeids import typeid
from transactions.money import Money
from transactions.papers.plain import transfer_of
from transactions.statements import Statement, StatementLine

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
COLUMNS: Final = (
    "row",
    "account",
    "code",
    "clock",
    "occurred_at",
    "recorded_at",
    "purpose",
    "transfer",
    "journal",
    "posting",
    "amount_minor",
    "balance_minor",
    "amount",
    "balance",
    "currency",
    "is_final",
)


class Figure(str):
    """Digits that we wrote ourselves: a minus sign in front of them makes no formula."""

    __slots__ = ()


def figure(amount_minor: int, *, currency: str) -> Figure:
    """Return an amount in whole units of its currency, for a cell."""
    return Figure(Money(amount_minor, currency).figures())


def csv_of(headings: Sequence[str], *, rows: Iterable[Sequence[object]]) -> bytes:
    """Return rows as RFC 4180 CSV in UTF-8; text that begins like a formula gets an apostrophe."""
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return page.getvalue().encode()


def statement_csv(statement: Statement) -> bytes:
    """Return a statement as CSV: a row for the opening, one a line, one for the closing."""
    period = statement.period
    nothing = ("",) * 4
    moved = statement.in_minor + statement.out_minor
    opening = ("opening", period.since, period.since, *nothing, 0, statement.opening_minor)
    closing = ("closing", period.until, period.until, *nothing, moved, statement.closing_minor)
    rows = [opening, *map(_line, statement.lines), closing]
    return csv_of(COLUMNS, rows=(_whole(row, statement=statement) for row in rows))


def _line(line: StatementLine) -> Sequence[object]:
    return (
        "line",
        line.occurred_at,
        line.recorded_at,
        line.purpose,
        transfer_of(line) or "",
        typeid("jnl", line.journal_id),
        typeid("pst", line.posting_id),
        line.amount_minor,
        line.balance_minor,
    )


def _whole(row: Sequence[object], *, statement: Statement) -> Sequence[object]:
    """Return a row with what all rows share, and its sums in whole units too."""
    kind, *rest = row
    sums = [figure(int(str(each)), currency=statement.currency) for each in rest[-2:]]
    about = (typeid("acc", statement.account_id), statement.code, statement.period.clock.value)
    return (kind, *about, *rest, *sums, statement.currency, str(statement.is_final).lower())


def instant(at: datetime) -> str:
    """Return an instant in UTC as papers write it, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _cell(value: object) -> object:
    match value:
        case Figure():
            return value
        case datetime():
            return instant(value)
        case str() if value.startswith(FORMULA):
            return f"'{value}"
        case _:
            return value
