"""Moving money from one book to another: a step for commands, in their transaction."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from audit.calls import Call
from audit.errors import Refusal
from transactions.ledger.accounts import interbook, newly_opened, system_account
from transactions.ledger.posting import Draft, Line, lock, post, posting
from transactions.models import LedgerAccount
from transactions.money import Money
from transactions.selectors.ledger import name_of_book


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Money on its way from `giver` to `taker`, once for its `origin`.

    `taker_ref` is what it is about in the taker's book, where that must not read `subject_ref`.
    """

    giver: LedgerAccount
    taker: LedgerAccount
    money: Money
    purpose: str
    subject_ref: str
    origin: str
    occurred_at: datetime
    taker_ref: str = ""

    def turned(self) -> "Passage":
        """Return the way back, which is about the same."""
        return replace(
            self,
            giver=self.taker,
            taker=self.giver,
            subject_ref=self.taker_ref or self.subject_ref,
            taker_ref=self.subject_ref,
        )


def post_between_books(passage: Passage) -> tuple[list[UUID], list[LedgerAccount]]:
    """Post `passage`: one journal inside a book, two joined by inter-book clearing across two.

    Returns the journals and the accounts that were opened for them.
    AlreadyBooked for a known origin; AccountFrozen, InsufficientFunds.
    """
    lock(passage.giver.pk, passage.taker.pk)
    drafts, opened = drafts_of(passage)
    return [post(draft) for draft in drafts], opened


def drafts_of(passage: Passage) -> tuple[list[Draft], list[LedgerAccount]]:
    """Return the journals of a passage, the giver's first, and the accounts opened for them.

    Each book's clearing account names the other, so that the two always add up to nothing.
    """
    giver, taker, amount = passage.giver, passage.taker, passage.money.amount_minor
    leaves, arrives = _line(giver, -amount), _line(taker, amount)
    if giver.book_id == taker.book_id:
        return [_draft(passage, book_id=giver.book_id, lines=[leaves, arrives])], []
    far, near = _clearing_between(giver, taker)
    left = _draft(passage, book_id=giver.book_id, lines=[leaves, _line(far, amount)])
    arrived = _draft(passage, book_id=taker.book_id, lines=[_line(near, -amount), arrives])
    about = passage.taker_ref or passage.subject_ref
    arrived = replace(arrived, origin=arrival(passage.origin), subject_ref=about)
    return [left, arrived], newly_opened(far, near)


def arrival(origin: str) -> str:
    """Return the origin of the journal in the taker's book."""
    return f"{origin}:in"


def passing(drafts: list[Draft], *, unwanted: Refusal) -> Call:
    """Return the call that posts a passage by its giver's own word, in the name of its book.

    Refused with `unwanted` where the taker does not consent: the database insists on it.
    """
    call = posting(drafts)
    rules = {**call.rules, "ledger_no_consent": unwanted}
    return replace(call, sql="ledger_pass(%s::jsonb, %s::jsonb)", rules=rules)


def _clearing_between(giver: LedgerAccount, taker: LedgerAccount, /) -> list[LedgerAccount]:
    """Return the account of each one's book that mirrors what the other book owes it.

    Always opened in the books' order: two that pay each other for the first time wait for one
    another, and never in a circle.
    """
    opened = {
        here.book_id: system_account(
            interbook(name_of_book(there.book_id)), book_id=here.book_id, currency=here.currency
        )
        for here, there in sorted(
            [(giver, taker), (taker, giver)], key=lambda pair: pair[0].book_id
        )
    }
    return [opened[giver.book_id], opened[taker.book_id]]


def _line(account: LedgerAccount, amount_minor: int, /) -> Line:
    return Line(account_id=account.pk, amount_minor=amount_minor, currency=account.currency)


def _draft(passage: Passage, *, book_id: UUID, lines: list[Line]) -> Draft:
    return Draft(
        book_id=book_id,
        purpose=passage.purpose,
        subject_ref=passage.subject_ref,
        origin=passage.origin,
        occurred_at=passage.occurred_at,
        lines=lines,
    )
