"""Reading what finance proposes: the accounts to choose from, and what would come of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from accounts.scopes import visible_books
from accounts.states import ApprovalState
from audit.actors import Actor
from audit.errors import NotFound
from transactions.models import (
    Balance,
    Book,
    JournalProposal,
    LedgerAccount,
    ProposedLine,
)
from transactions.money import Money
from transactions.proposals import Move
from transactions.selectors.clocks import balance_at
from transactions.selectors.pages import visible_ledger_accounts

NOT_DONE: Final = (ApprovalState.OPEN, ApprovalState.APPROVED)
CHOICES_MAX: Final = 500
SHOWN_MAX: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What proposed lines would do to one account; `problem` says what stands in the way now."""

    account: LedgerAccount
    before: Money
    change: Money
    problem: str

    @property
    def after(self) -> Money:
        """Return how the account would stand."""
        total = self.before.amount_minor + self.change.amount_minor
        return Money(total, self.before.currency)


def visible_proposals(*, to: Actor) -> QuerySet[JournalProposal]:
    """Return the proposed journals `to` may know exist."""
    found = JournalProposal.objects.select_related("approval", "book")
    return visible_books(found, to=to)


def access_proposal(proposal_id: UUID, *, actor: Actor) -> JournalProposal:
    """Return one proposed journal `actor` may see, or refuse as if it did not exist."""
    found = visible_proposals(to=actor).filter(pk=proposal_id).first()
    if found is None:
        raise NotFound(ref=f"journalproposal:{proposal_id}")
    return found


def lines_of(proposal: JournalProposal) -> Sequence[ProposedLine]:
    """Return the lines of a proposed journal in their order."""
    return list(proposal.lines.select_related("account").order_by("position"))


def moves_of(proposal: JournalProposal) -> Sequence[Move]:
    """Return the lines of a proposed journal as values."""
    return [
        Move(account_id=line.account_id, amount_minor=line.amount_minor)
        for line in lines_of(proposal)
    ]


def pending_lines_on(account_id: UUID) -> Sequence[ProposedLine]:
    """Return what is proposed on an account and neither posted nor given up, newest first."""
    found = ProposedLine.objects.filter(
        account_id=account_id, proposal__approval__state__in=NOT_DONE
    )
    return list(found.select_related("proposal__approval", "account").order_by("-id")[:SHOWN_MAX])


def books_to_choose_from(*, to: Actor) -> Sequence[Book]:
    """Return the books `to` may work on, the house's first."""
    found = Book.objects.filter(pk__in=visible_ledger_accounts(to=to).values("book_id"))
    return list(found.order_by("partner__name")[:CHOICES_MAX])


def accounts_in_book(book_id: UUID, *, to: Actor) -> QuerySet[LedgerAccount]:
    """Return a book's accounts that `to` may see, by code."""
    return visible_ledger_accounts(to=to).filter(book_id=book_id).order_by("code", "currency")


def accounts_called(
    names: Collection[str], *, book_id: UUID, to: Actor
) -> dict[str, LedgerAccount]:
    """Return those of a book's accounts that people call so, as `suspense EUR`, by name."""
    codes = {name.rpartition(" ")[0] for name in names}
    found = accounts_in_book(book_id, to=to).filter(code__in=codes)
    return {str(row): row for row in found}


def sums_of(moves: Sequence[Move], *, accounts: dict[UUID, LedgerAccount]) -> dict[str, int]:
    """Return what moves add up to in each currency: zero in each, or they are no journal."""
    sums: dict[str, int] = {}
    for move in moves:
        currency = accounts[move.account_id].currency
        sums[currency] = sums.get(currency, 0) + move.amount_minor
    return sums


def accounts_named(
    keys: Collection[UUID], *, book_id: UUID, actor: Actor
) -> dict[UUID, LedgerAccount]:
    """Return those of a book's accounts that `actor` may see, by key."""
    return {row.pk: row for row in accounts_in_book(book_id, to=actor).filter(pk__in=list(keys))}


def effects(moves: Sequence[Move], *, accounts: dict[UUID, LedgerAccount]) -> list[Effect]:
    """Return what `moves` would do to each account, as the books stand now."""
    changes: dict[UUID, int] = {}
    for move in moves:
        changes[move.account_id] = changes.get(move.account_id, 0) + move.amount_minor
    return [_effect(accounts[key], change_minor=minor) for key, minor in changes.items()]


def effects_of(lines: Sequence[dict[str, Any]]) -> list[Effect]:
    """Return what the lines of an approval's payload would do, as the books stand now."""
    moves = [
        Move(account_id=UUID(line["key"]), amount_minor=line["amount_minor"]) for line in lines
    ]
    keys = {move.account_id for move in moves}
    return effects(moves, accounts=LedgerAccount.objects.in_bulk(keys))


def _effect(account: LedgerAccount, *, change_minor: int) -> Effect:
    balance = Balance.objects.filter(pk=account.pk).first()
    posted = balance.posted_minor if balance else balance_at(account.pk)
    return Effect(
        account=account,
        before=Money(posted, account.currency),
        change=Money(change_minor, account.currency),
        problem=_problem(balance, change_minor=change_minor),
    )


def _problem(balance: Balance | None, *, change_minor: int) -> str:
    """Say what would refuse the change, empty for nothing."""
    if balance is None or not change_minor:
        return ""
    if balance.frozen & (1 if change_minor < 0 else 2):
        return "Frozen in this direction"
    if change_minor < 0 and balance.available_minor + change_minor < 0:
        return f"Only {Money(balance.available_minor, balance.account.currency)} available"
    return ""
