"""Reading the books, as commands need them."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Sum

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


def account_for_money(account_id: UUID | None, *, currency: str) -> LedgerAccount | None:
    """Return the account that incoming money names, None where none of its currency."""
    if account_id is None:
        return None
    return LedgerAccount.objects.filter(
        pk=account_id, currency=currency, keeps_balance=True
    ).first()


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


def booked_on(code: str, *, origin: str) -> int:
    """Return what the journal of `origin` moved on the system account `code`."""
    found = Posting.objects.filter(
        journal_id__in=JournalOrigin.objects.filter(origin=origin).values("journal_id"),
        account_id__in=LedgerAccount.objects.filter(code=code).values("pk"),
    ).aggregate(total=Sum("amount_minor"))
    return int(found["total"] or 0)


def visible_journals(*, to: Actor) -> QuerySet[Journal]:
    """Return the journals with a line on an account that `to` may know exists."""
    if to.may(SEES_EVERY_PORTFOLIO_GRANT):
        return Journal.objects.all()
    mine = by_account(Posting.objects.all(), to=to, path="account_id")
    return Journal.objects.filter(Exists(mine.filter(journal_id=OuterRef("pk"))))
