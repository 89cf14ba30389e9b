"""Writing what was taken in: transfers, what comes with them, and the money they move."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from accounts.crypto.vault import store_sealed
from accounts.models import Approval
from accounts.services.mailbox import publish_all
from audit.actors import Actor
from audit.calls import Call, spell
from audit.doorbell import ring
from audit.history import Guarded, to_store
from audit.services.recording import later, record
from transactions.errors import AlreadyBooked
from transactions.ledger.limits import counting
from transactions.ledger.posting import Draft, Line, posting, reserving
from transactions.limits import Use
from transactions.models import Hold, Transfer
from transactions.services.charging import fee_drafts
from transactions.services.steps import news_of, settlement_of
from transactions.states import TransferKind, TransferState


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A transfer that was taken in, the rows that came with it, and what it used of limits."""

    transfer: Transfer
    rows: tuple[Guarded, ...] = ()
    uses: tuple[Use, ...] = ()


def write(taken: Sequence[Taken]) -> None:
    """Write what was taken in, money, holds and letters with it, when the command flushes."""
    store(taken)
    move_all(taken)
    publish_all(
        news_of(it, occurred_at=it.occurred_at, trace_id=it.trace_id)
        for it in (each.transfer for each in taken)
    )


def tell_taken(taken: Taken, *, actor: Actor, facts: Mapping[str, object] | None = None) -> None:
    """Write down that a transfer was asked for."""
    transfer = taken.transfer
    record(
        "transfer.requested",
        actor=actor,
        target=transfer,
        facts={"origin": transfer.origin, "state": transfer.state, **(facts or {})},
        rows=[transfer, *taken.rows],
        book_id=transfer.book_id,
    )


def store(taken: Sequence[Taken]) -> None:
    """Store new transfers and the rows that came with them, when the command ends.

    Foreign keys to what comes with them are looked at when it commits, so their order is nobody's
    concern; the accounts are there already.
    """
    if not taken:
        return
    transfers = [each.transfer for each in taken]
    sealed = [each for each in transfers if each.payee_iban_id is not None]
    payees = [found for each in sealed for found in (each.payee_name, each.payee_iban) if found]
    if payees:
        store_sealed(payees)
    store_companions(taken)
    origins = transfers[0].origin if len(transfers) == 1 else f"{len(transfers)} transfers"
    later(
        Call(
            sql="transfers_store(%s::jsonb)",
            values=(spell([to_store(transfer) for transfer in transfers]),),
            rules={"transfer_origin_once": AlreadyBooked(origin=origins)},
        )
    )


def store_companions(taken: Sequence[Taken]) -> None:
    """Store the approvals and holds of transfers."""
    rows = [row for each in taken for row in each.rows]
    if rows:  # many transfers have none, and even an empty insert takes its time
        Approval.objects.bulk_create(row for row in rows if isinstance(row, Approval))
        Hold.objects.bulk_create(row for row in rows if isinstance(row, Hold))


def move_all(taken: Sequence[Taken]) -> None:
    """Post what moves inside, set aside what leaves, count it, and wake who sends it."""
    transfers = [each.transfer for each in taken]
    if uses := [use for each in taken for use in each.uses]:
        later(counting(uses))
    inside = [each for each in transfers if each.kind == TransferKind.INTERNAL]
    leaving = [each for each in transfers if each.kind == TransferKind.PAYOUT]
    if inside:
        later(posting([draft for transfer in inside for draft in _journals(transfer)]))
    if leaving:
        amounts: Counter[UUID] = Counter()
        for transfer in leaving:
            amounts[transfer.source_id] += transfer.total_minor
        later(reserving(amounts))
    if any(transfer.state == TransferState.ACCEPTED for transfer in leaving):
        ring("integrations.send_payouts")


def _journals(transfer: Transfer) -> list[Draft]:
    """Return the journal of an internal transfer, and its fee's where it has one."""
    amount, currency = transfer.amount_minor, transfer.currency
    to: UUID = transfer.destination_id  # type: ignore[assignment]
    moved = Draft(
        book_id=transfer.book_id,
        purpose="internal",
        subject_ref=transfer.audit_ref,
        origin=settlement_of(transfer.pk),
        occurred_at=transfer.settled_at or transfer.occurred_at,
        trace_id=transfer.trace_id,
        lines=[
            Line(account_id=transfer.source_id, amount_minor=-amount, currency=currency),
            Line(account_id=to, amount_minor=amount, currency=currency),
        ],
    )
    return [moved, *fee_drafts(transfer, occurred_at=moved.occurred_at)]
