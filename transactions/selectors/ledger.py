"""Reading the books, as commands need them."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Sum
from django.utils import timezone

from accounts.models import Partner
from accounts.roles import SEES_EVERY_PORTFOLIO_GRANT
from accounts.scopes import by_account, visible_accounts
from accounts.states import FreezeMode
from audit.actors import Actor
from audit.errors import NotFound
from transactions.models import (
    Balance,
    Journal,
    JournalOrigin,
    LedgerAccount,
    Limit,
    Posting,
    Transfer,
)
from transactions.states import TransferState

DEBITS_STOPPED = tuple(mode.bits for mode in FreezeMode if mode.bits & 1)
HOUSE = "house"
NEVER_LEFT = (TransferState.FAILED, TransferState.REJECTED, TransferState.CANCELLED)


def access_ledger_account(account_id: UUID, *, actor: Actor) -> LedgerAccount:
    """Return the ledger side of an account `actor` may see; NotFound for any other."""
    found = LedgerAccount.objects.filter(
        pk__in=visible_accounts(to=actor).filter(pk=account_id).values("pk"), keeps_balance=True
    ).first()
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


def limits_on(account_id: UUID) -> Sequence[Limit]:
    """Return the limits on what an account may send."""
    return list(Limit.objects.filter(account_id=account_id).order_by("window"))


def sent_today(account_id: UUID) -> int:
    """Return what left or will leave an account of what was asked for since midnight UTC.

    What was taken over today from former books is not of today.
    """
    now = timezone.now()
    midnight = datetime(now.year, now.month, now.day, tzinfo=UTC)
    sent = (
        Transfer.objects.filter(
            source_id=account_id, requested_at__gte=midnight, occurred_at__gte=midnight
        )
        .exclude(state__in=NEVER_LEFT)
        .aggregate(total=Sum("amount_minor"))
    )
    return int(sent["total"] or 0)


def journal_of_origin(origin: str) -> UUID | None:
    """Return the id of the journal that `origin` caused."""
    return Journal.objects.filter(origin=origin).values_list("pk", flat=True).first()


def may_leave(account_id: UUID, *, book_id: UUID) -> bool:
    """Say whether money may leave an account: it is not frozen, its partner not suspended."""
    is_free = Balance.objects.filter(account_id=account_id).exclude(frozen__in=DEBITS_STOPPED)
    suspended = Partner.objects.filter(book_id=book_id, is_active=False)
    return is_free.exists() and not suspended.exists()


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
