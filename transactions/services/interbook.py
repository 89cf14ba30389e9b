"""Moving money from one book to another: a step for commands, in their transaction."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from transactions.ledger.accounts import interbook, newly_opened, system_account
from transactions.ledger.posting import Draft, Line, lock, post
from transactions.models import LedgerAccount
from transactions.money import Money
from transactions.selectors.ledger import name_of_book


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Money on its way from `giver` to `taker`, once for its `origin`."""

    giver: LedgerAccount
    taker: LedgerAccount
    money: Money
    purpose: str
    subject_ref: str
    origin: str
    occurred_at: datetime


def post_between_books(passage: Passage) -> tuple[list[UUID], list[LedgerAccount]]:
    """Post `passage`: one journal inside a book, two joined by inter-book clearing across two.

    Each book's clearing account names the other, so that the two always add up
    to nothing. Returns the journals and the accounts that were opened for them.
    AlreadyBooked for a known origin; AccountFrozen, InsufficientFunds.
    """
    giver, taker, amount = passage.giver, passage.taker, passage.money.amount_minor
    lock(giver.pk, taker.pk)
    if giver.book_id == taker.book_id:
        lines = [_line(giver, -amount), _line(taker, amount)]
        return [_post(passage, book_id=giver.book_id, origin=passage.origin, lines=lines)], []
    far = _clearing(giver, towards=taker)
    near = _clearing(taker, towards=giver)
    left = _post(
        passage,
        book_id=giver.book_id,
        origin=passage.origin,
        lines=[_line(giver, -amount), _line(far, amount)],
    )
    arrived = _post(
        passage,
        book_id=taker.book_id,
        origin=f"{passage.origin}:in",
        lines=[_line(near, -amount), _line(taker, amount)],
    )
    return [left, arrived], newly_opened(far, near)


def _clearing(here: LedgerAccount, *, towards: LedgerAccount) -> LedgerAccount:
    """Return the account of `here`'s book that mirrors what the other book owes it."""
    code = interbook(name_of_book(towards.book_id))
    return system_account(code, book_id=here.book_id, currency=here.currency)


def _line(account: LedgerAccount, amount_minor: int, /) -> Line:
    return Line(account_id=account.pk, amount_minor=amount_minor, currency=account.currency)


def _post(passage: Passage, *, book_id: UUID, origin: str, lines: list[Line]) -> UUID:
    return post(
        Draft(
            book_id=book_id,
            purpose=passage.purpose,
            subject_ref=passage.subject_ref,
            origin=origin,
            occurred_at=passage.occurred_at,
            lines=lines,
        )
    )
