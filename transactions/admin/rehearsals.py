"""What would come of a file of transfers, as words, tables and bars. Shows; decides nothing."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.adminparts import page_of, table, tag
from transactions.admin.amounts import unbroken
from transactions.admin.bars import bar
from transactions.files import FileRow
from transactions.money import Money
from transactions.papers.batches import explained
from transactions.services.rehearsals import Change, Foreseen, Rehearsal
from transactions.states import ItemOutcome

ROWS_SHOWN_MAX: Final = 100
ACCOUNTS_SHOWN_MAX: Final = 50
FIRST_ROWS_SHOWN: Final = 20
WORDS: Final = {
    ItemOutcome.DONE: "Would be done",
    ItemOutcome.REFUSED: "Would be refused",
    ItemOutcome.REPLAYED: "Done before, under its key",
}


def show_verdict(found: Rehearsal) -> SafeString:
    """Say in a sentence what would happen, for either choice."""
    done, refused = found.ending(ItemOutcome.DONE), found.refused
    if not refused:
        said = f"{_transfers(done)} would be done, whichever way you choose."
        return format_html("{} {}", tag("Nothing in the way", colour="success"), said)
    first = refused[0].row.number
    said = (
        f"Each by itself: {_transfers(done)} would be done and {len(refused):,} refused."
        f" All or none: nothing would move, because of row {first:,}."
    )
    return format_html("{} {}", tag(f"{len(refused):,} in the way", colour="danger"), said)


def show_totals(found: Rehearsal) -> SafeString:
    """Return a table of how many would end how, and their sums, by currency."""
    cells = [
        (currency, WORDS[word], f"{len(rows):,}", unbroken(Money(_sum(rows), currency)))
        for currency in sorted({each.row.money.currency for each in found.rows})
        for word in ItemOutcome
        if (rows := [one for one in found.ending(word) if one.row.money.currency == currency])
    ]
    return table(["Currency", "What", "Transfers", "Sum"], rows=cells)


def show_refused(found: Rehearsal) -> SafeString | str:
    """Return a table of the rows that would be refused, and why."""
    if not found.refused:
        return "None"
    cells = [
        (f"{each.row.number:,}", unbroken(each.row.money), each.row.reference, _why(each))
        for each in found.refused[:ROWS_SHOWN_MAX]
    ]
    shown = table(["Row", "Amount", "Reference", "Why not"], rows=cells)
    return _with_more(shown, hidden=len(found.refused) - len(cells), of="row")


def show_changes(found: Rehearsal) -> SafeString:
    """Return a table of how each account would stand, with a bar of what leaves or arrives."""
    moved = [each for each in found.changes if each.moved_minor]
    cells = [
        (
            _tight(page_of("accounts.account", each.account_id, text=each.name)),
            unbroken(each.before),
            unbroken(each.after),
            _bar(each),
        )
        for each in moved[:ACCOUNTS_SHOWN_MAX]
    ]
    shown = table(["Account", "Before", "After", "Change"], rows=cells)
    return _with_more(shown, hidden=len(moved) - len(cells), of="account")


def show_rows(rows: Sequence[FileRow], *, names: Mapping[UUID, str]) -> SafeString:
    """Return a table of a file's first rows as they were understood."""
    cells = [
        (
            f"{row.number:,}",
            *(_tight(names.get(key, "")) for key in (row.source_id, row.target_id)),
            unbroken(row.money),
            row.reference,
            _tight(row.key),
        )
        for row in rows[:FIRST_ROWS_SHOWN]
    ]
    shown = table(["Row", "From", "To", "Amount", "Reference", "Key"], rows=cells)
    return _with_more(shown, hidden=len(rows) - len(cells), of="row")


def _tight(text: object) -> SafeString:
    """Return a name that is not broken over two lines."""
    return format_html('<span class="cs-tight">{}</span>', text)


def _with_more(shown: SafeString, *, hidden: int, of: str) -> SafeString:
    """Return a table, and below it how many of its rows are only in the copy."""
    if hidden <= 0:
        return shown
    said = f"{hidden:,} more {of}{'s' if hidden > 1 else ''}"
    return format_html('{}<p class="cs-subtle mt-1">{} are in the download.</p>', shown, said)


def _transfers(rows: Sequence[Foreseen]) -> str:
    return f"{len(rows):,} transfer{'' if len(rows) == 1 else 's'}"


def _sum(rows: Iterable[Foreseen]) -> int:
    return sum(each.row.money.amount_minor for each in rows)


def _why(each: Foreseen) -> str:
    return explained(each.refusal) if each.refusal else ""


def _bar(change: Change) -> SafeString:
    """Return what stays, and what leaves or arrives, as one bar."""
    before, after = (max(each.amount_minor, 0) for each in (change.before, change.after))
    moved = Money(abs(change.moved_minor), change.before.currency)
    leaves = change.moved_minor < 0
    said = f"{moved} {'leaves' if leaves else 'arrives'}"
    return bar(
        [
            ("kept", min(before, after), ""),
            ("back" if leaves else "gone", moved.amount_minor, said),
        ]
    )
