"""Giving money whose owner was not known to its owner: proposed, signed, and never twice."""

from typing import Final
from uuid import UUID

from django.utils import timezone

from accounts.selectors.approvals import access_decided
from accounts.services.approvals import ask, consume
from accounts.services.mailbox import publish
from audit.actors import Actor
from audit.canonical import Json
from audit.commands import command
from audit.constraints import refuse_on
from audit.errors import Invalid
from audit.services.recording import record
from audit.typeids import typeid
from transactions.errors import AlreadyBooked, CurrencyMismatch, MoreThanRemains
from transactions.models import LedgerAccount, SuspenseAllocation, SuspenseTally
from transactions.money import Money
from transactions.proposals import REASON_CHARACTERS_MAX, Allocation
from transactions.selectors.ledger import access_ledger_account, name_of_book
from transactions.selectors.suspense import ALLOCATION, Item, access_suspense, allocation_of
from transactions.services.interbook import Passage, post_between_books

ALLOCATE: Final = "transactions.allocate_suspense"


@command
def propose_allocation(*, actor: Actor, allocation: Allocation) -> SuspenseAllocation:
    """Propose to give a suspense item, or a part of it, to an account, of any book.

    Refuses with NotFound, CurrencyMismatch, MoreThanRemains, Invalid without a
    reason, and AlreadyAsked or AlreadyBooked for an id proposed before.
    """
    item = access_suspense(allocation.posting_id, actor=actor)
    account = access_ledger_account(allocation.account_id, actor=actor)
    _check(allocation, item=item, account=account)
    row = SuspenseAllocation(
        id=allocation.id,
        posting_id=item.id,
        book_id=item.book_id,
        account=account,
        amount_minor=allocation.amount_minor,
        reason=allocation.reason,
        proposed_by=actor.ref,
    )
    row.approval = ask(
        ALLOCATE,
        actor=actor,
        subject_ref=row.audit_ref,
        book_id=item.book_id,
        payload=allocation_payload(row, item=item),
    )
    known = AlreadyBooked(origin=row.audit_ref)
    with refuse_on({"transactions_suspenseallocation_pkey": known}):
        row.save(force_insert=True)
    rows = [row, row.approval]
    record("suspense.proposed", actor=actor, target=item, rows=rows, book_id=row.book_id)
    return row


@command
def allocate_suspense(*, actor: Actor, approval_id: UUID) -> SuspenseAllocation:
    """Carry out an approved allocation: the money leaves suspense and arrives in the account.

    From another book it goes through inter-book clearing. Refuses with
    AlreadyDecided, StaleApproval where less or more remains than was shown,
    MoreThanRemains (the database counts) and AccountFrozen.
    """
    approval = access_decided(approval_id, action=ALLOCATE, actor=actor)
    row = allocation_of(approval.subject_id)
    tally = _tally(row.posting_id, actor=actor)
    item = access_suspense(row.posting_id, actor=actor)
    consume(approval, payload=allocation_payload(row, item=item))
    _count(row, tally=tally, item=item)
    now = timezone.now()
    journals, opened = post_between_books(
        Passage(
            giver=LedgerAccount.objects.get(pk=item.account_id),
            taker=row.account,
            money=Money(row.amount_minor, row.account.currency),
            purpose=ALLOCATION,
            subject_ref=row.audit_ref,
            origin=f"allocation:{row.pk}",
            occurred_at=now,
        )
    )
    publish(
        "suspense.allocated",
        book_id=row.account.book_id,
        payload={
            "id": row.public_id,
            "account": typeid("acc", row.account_id),
            "amount_minor": row.amount_minor,
            "currency": row.account.currency,
        },
        occurred_at=now,
    )
    record(
        "suspense.allocated",
        actor=actor,
        target=item,
        facts={"journals": journals},
        rows=[approval, tally, *opened],
        book_id=row.book_id,
    )
    return row


def allocation_payload(row: SuspenseAllocation, *, item: Item) -> dict[str, Json]:
    """Return exactly what a checker is shown; the database compares it with what is posted."""
    return {
        "allocation": row.public_id,
        "item": str(item.id),
        "item_about": item.subject_ref,
        "remains_minor": item.remains_minor,
        "amount_minor": row.amount_minor,
        "currency": item.currency,
        "from_book": name_of_book(item.book_id),
        "to_book": name_of_book(row.account.book_id),
        "to_account": row.account.code,
        "account_key": str(row.account_id),
        "reason": row.reason,
        "requested_by": row.proposed_by,
    }


def _tally(posting_id: UUID, *, actor: Actor) -> SuspenseTally:
    """Return the item's tally, locked: of two who allocate at once, one waits for the other."""
    item = access_suspense(posting_id, actor=actor)
    made, is_new = SuspenseTally.objects.get_or_create(
        pk=posting_id, defaults={"amount_minor": item.amount_minor}
    )
    if is_new:
        return made
    return SuspenseTally.objects.select_for_update(no_key=True, of=("self",)).get(pk=posting_id)


def _count(row: SuspenseAllocation, *, tally: SuspenseTally, item: Item) -> None:
    """Add an allocation to its item's tally; the database says where that is too much."""
    tally.allocated_minor += row.amount_minor
    short = MoreThanRemains(remains_minor=item.remains_minor)
    with refuse_on({"suspense_tally_not_overdrawn": short}):
        tally.save(update_fields=["allocated_minor"])


def _check(allocation: Allocation, *, item: Item, account: LedgerAccount) -> None:
    """Refuse what could never be carried out, or says too little."""
    if account.currency != item.currency:
        said = f"the account is kept in {account.currency}, the item in {item.currency}"
        raise CurrencyMismatch(fields={"account": said})
    if not 0 < len(allocation.reason.strip()) <= REASON_CHARACTERS_MAX:
        raise Invalid(fields={"reason": f"between 1 and {REASON_CHARACTERS_MAX} characters"})
    if not 0 < allocation.amount_minor <= item.remains_minor:
        raise MoreThanRemains(remains_minor=item.remains_minor)
