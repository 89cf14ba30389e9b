"""Reading money whose owner nobody has named: item by item, and what remains of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from accounts.models import Account
from accounts.scopes import visible_accounts, visible_books
from audit.actors import Actor
from audit.errors import NotFound
from audit.typeids import parse_typeid
from transactions.models import (
    Book,
    Journal,
    LedgerAccount,
    Posting,
    SuspenseAllocation,
    SuspensePosting,
    SuspenseTally,
)

SUSPENSE_CODE: Final = "suspense"
ALLOCATION: Final = "allocation"
SHOWN_MAX: Final = 50
NAMES: Final = (
    "id",
    "book_id",
    "account_id",
    "journal_id",
    "amount_minor",
    "currency",
    "subject_ref",
    "remains_minor",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One suspense posting as a value: what it is about, and what of it may still be allocated."""

    id: UUID
    book_id: UUID
    account_id: UUID
    journal_id: UUID
    amount_minor: int
    currency: str
    subject_ref: str
    remains_minor: int

    @property
    def audit_ref(self) -> str:
        """Return `suspenseposting:<id>`."""
        return f"suspenseposting:{self.id}"


def suspense_items(*, to: Actor) -> QuerySet[SuspensePosting]:
    """Return what arrived in suspense, each with whose it is, its cause and what remains of it.

    Beside the row's own: `book_name`, `subject_ref`, `purpose`, `remains_minor`. What the world
    took back of the same payment (a refund, a dispute) remains no more.
    """
    about = Journal.objects.filter(pk=OuterRef("journal_id"))
    same = Journal.objects.filter(subject_ref=OuterRef(OuterRef("subject_ref")))
    taken_back = (
        Posting.objects.filter(
            account_id=OuterRef("account_id"),
            amount_minor__lt=0,
            journal_id__in=same.exclude(purpose=ALLOCATION).values("pk"),
        )
        .order_by()
        .values("account_id")
        .annotate(total=Sum("amount_minor"))
        .values("total")
    )
    tally = SuspenseTally.objects.filter(pk=OuterRef("pk")).values("allocated_minor")
    found = SuspensePosting.objects.filter(
        amount_minor__gt=0,
        account_id__in=LedgerAccount.objects.filter(code=SUSPENSE_CODE).values("pk"),
    ).annotate(
        subject_ref=Subquery(about.values("subject_ref")[:1]),
        purpose=Subquery(about.values("purpose")[:1]),
        book_name=Subquery(Book.objects.filter(pk=OuterRef("book_id")).values("name")[:1]),
        remains_minor=F("amount_minor")
        - Coalesce(Subquery(tally), Value(0))
        + Coalesce(Subquery(taken_back), Value(0)),
    )
    return visible_books(found, to=to)


def open_suspense(*, limit: int, to: Actor) -> Sequence[Item]:
    """Return the oldest items of which something remains."""
    found: Any = suspense_items(to=to)
    open_ones = found.filter(remains_minor__gt=0).order_by("id")
    return [Item(**values) for values in open_ones.values(*NAMES)[:limit]]


def access_suspense(posting_id: UUID, *, actor: Actor) -> Item:
    """Return one item of suspense `actor` may see, or refuse as if it did not exist."""
    found = suspense_items(to=actor).filter(pk=posting_id).values(*NAMES).first()
    if found is None:
        raise NotFound(ref=f"suspenseposting:{posting_id}")
    return Item(**found)


def allocation_of(allocation_id: UUID) -> SuspenseAllocation:
    """Return a proposed allocation, or refuse."""
    found = SuspenseAllocation.objects.select_related("account").filter(pk=allocation_id).first()
    if found is None:
        raise NotFound(ref=f"suspenseallocation:{allocation_id}")
    return found


def allocations_of(posting_id: UUID) -> Sequence[SuspenseAllocation]:
    """Return what was proposed for an item, the newest first, each with its request."""
    found = SuspenseAllocation.objects.filter(posting_id=posting_id)
    return list(found.select_related("account", "approval").order_by("-id")[:SHOWN_MAX])


def account_called(name: str, *, to: Actor) -> Account | None:
    """Return the account `to` may see that has this id (`acc_…`) or alias, exactly."""
    try:
        same = {"pk": parse_typeid("acc", name)}
    except ValueError:
        return visible_accounts(to=to).filter(alias=name).first()
    return visible_accounts(to=to).filter(**same).first()
