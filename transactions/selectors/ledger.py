"""Reading the books, as commands need them."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Partner
from accounts.roles import SEES_EVERY_PORTFOLIO_GRANT
from accounts.scopes import by_account, visible_accounts
from accounts.states import FreezeMode
from audit.actors import Actor
from audit.errors import NotFound
from transactions.models import (
    Journal,
    JournalOrigin,
    LedgerAccount,
    Posting,
)
from transactions.selectors.archive import line

DEBITS_STOPPED = tuple(mode.bits for mode in FreezeMode if mode.bits & 1)
HOUSE = "house"


def access_ledger_account(account_id: UUID, *, actor: Actor) -> LedgerAccount:
    """Return the ledger side of an account `actor` may see; NotFound for any other."""
    found = access_ledger_accounts([account_id], actor=actor).get(account_id)
    if found is None:
        raise NotFound(ref=f"account:{account_id}")
    return found


def access_ledger_accounts(
    account_ids: Collection[UUID], *, actor: Actor
) -> dict[UUID, LedgerAccount]:
    """Return the ledger's side of those of the accounts that `actor` may see, by id."""
    visible = visible_accounts(to=actor).filter(pk__in=list(account_ids))
    found = LedgerAccount.objects.filter(pk__in=visible.values("pk"), keeps_balance=True)
    return {account.pk: account for account in found}


def money_accounts(account_ids: Collection[UUID]) -> dict[UUID, LedgerAccount]:
    """Return the ledger's side of those of the accounts that are there, whoever asks."""
    found = LedgerAccount.objects.filter(pk__in=list(account_ids), keeps_balance=True)
    return {account.pk: account for account in found} if account_ids else {}


def system_accounts(
    book_ids: Collection[UUID], *, codes: Collection[str]
) -> dict[tuple[str, UUID, str], LedgerAccount]:
    """Return the books' own accounts of these codes, by code, book and currency."""
    found = LedgerAccount.objects.filter(book_id__in=list(book_ids), code__in=list(codes))
    return {(each.code, each.book_id, each.currency): each for each in found}


def partner_of_book(book_id: UUID) -> Partner:
    """Return the partner whose book this is."""
    return Partner.objects.get(book_id=book_id)


def name_of_book(book_id: UUID) -> str:
    """Return what a book is called in codes: its partner's short name, or `house`."""
    found = Partner.objects.filter(book_id=book_id).values_list("slug", flat=True).first()
    return found or HOUSE


def journal_of_origin(origin: str) -> UUID | None:
    """Return the id of the journal that `origin` caused."""
    return JournalOrigin.objects.filter(pk=origin).values_list("journal_id", flat=True).first()


def booked_on(code: str, *, origins: Collection[str]) -> dict[str, int | None]:
    """Return what the journals of those origins that are booked moved on system account `code`.

    None where that is not known here any more: a journal that was put away.
    """
    booked = JournalOrigin.objects.filter(pk__in=list(origins)) if origins else ()
    journals = {each.journal_id: each.origin for each in booked}
    begins = line() if journals else None
    totals: dict[str, int | None] = {
        origin: None if begins and journal_id < begins.before else 0
        for journal_id, origin in journals.items()
    }
    if journals:
        lines = Posting.objects.filter(
            journal_id__in=list(journals),
            account_id__in=LedgerAccount.objects.filter(code=code).values("pk"),
        )
        for journal_id, amount in lines.values_list("journal_id", "amount_minor"):
            if (so_far := totals[journals[journal_id]]) is not None:
                totals[journals[journal_id]] = so_far + amount
    return totals


def visible_journals(*, to: Actor) -> QuerySet[Journal]:
    """Return the journals with a line on an account that `to` may know exists."""
    if to.may(SEES_EVERY_PORTFOLIO_GRANT):
        return Journal.objects.all()
    mine = by_account(Posting.objects.all(), to=to, path="account_id")
    return Journal.objects.filter(Exists(mine.filter(journal_id=OuterRef("pk"))))
