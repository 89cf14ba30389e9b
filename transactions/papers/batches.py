"""What comes of the rows of a batch or a file, as CSV that no spreadsheet takes for a formula."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from accounts.errors import AlreadyProcessed
from audit.errors import Invalid, Refusal
from audit.typeids import typeid
from transactions.files import FileRow
from transactions.models import BatchItem
from transactions.money import Money
from transactions.papers.tables import csv_of, figure

WHAT: Final = (
    "source_account",
    "destination_account",
    "payee",
    "amount",
    "currency",
    "reference",
    "key",
)
RESULTS: Final = ("row", *WHAT, "outcome", "transfer", "code", "why")
USED_UP: Final = "This very row was refused before, for good. To ask again, give it a new key."
FORESEEN: Final = ("row", *WHAT, "would_be", "code", "why")


def results_csv(items: Sequence[BatchItem], *, rows: Mapping[int, FileRow]) -> bytes:
    """Return what came of each item; `rows` are those of the file it came of, by item number."""
    return csv_of(RESULTS, rows=(_result(item, row=rows.get(item.number)) for item in items))


def foreseen_csv(found: Sequence[tuple[FileRow, str, Refusal | None]]) -> bytes:
    """Return the rows of a file, and what would come of each."""
    return csv_of(
        FORESEEN,
        rows=((row.number, *_asked(row), word, *_why(no)) for row, word, no in found),
    )


def explained(refusal: Refusal) -> str:
    """Return why something was refused, in words, and what about its form was wrong."""
    match refusal:
        case AlreadyProcessed(resource=""):
            return USED_UP
        case Invalid(fields=fields):
            return " ".join([refusal.title, *fields.values()])
        case _:
            return refusal.title


def _result(item: BatchItem, *, row: FileRow | None) -> Sequence[object]:
    made = typeid("trf", item.transfer_id) if item.transfer_id else ""
    asked = _asked(row) if row else _asked_by_item(item)
    number = row.number if row else item.number
    return (number, *asked, item.state.value, made, *_why(item.refusal))


def _asked(row: FileRow) -> Sequence[object]:
    return (
        typeid("acc", row.source_id),
        _account(row.destination_id),
        typeid("pye", row.payee_id) if row.payee_id else "",
        *_money(row.money),
        row.reference,
        row.key,
    )


def _asked_by_item(item: BatchItem) -> Sequence[object]:
    """Return what an item without a file asked for: of its key only a hash is kept."""
    payee = item.payee_iban.masked if item.payee_iban else ""
    to = _account(item.destination_id)
    return (
        typeid("acc", item.source_id),
        to,
        payee,
        *_money(item.money),
        item.reference,
        "",
    )


def _account(key: UUID | None) -> str:
    return typeid("acc", key) if key else ""


def _money(money: Money) -> Sequence[object]:
    return figure(money.amount_minor, currency=money.currency), money.currency


def _why(refusal: Refusal | None) -> Sequence[str]:
    return (refusal.code, explained(refusal)) if refusal else ("", "")
