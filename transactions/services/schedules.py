"""Commands on transfers that wait: kept for later, and carried out when their time comes."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Partner
from audit.actors import Actor, ActorKind
from audit.commands import command
from audit.doorbell import ring
from audit.errors import Invalid, Refusal
from audit.history import Guarded
from audit.services.recording import record
from transactions.errors import NothingChanged
from transactions.ledger.posting import lock, reserve
from transactions.models import Transfer
from transactions.orders import TransferOrder
from transactions.selectors.ledger import access_ledger_account, partner_of_book
from transactions.selectors.transfers import access_transfer
from transactions.services.steps import (
    check_limits,
    check_may_leave,
    move_inside,
    open_hold,
    save_state,
    tell,
)
from transactions.services.transfers import (
    ask_release,
    check_form,
    draft_transfer,
    insert_transfer,
)
from transactions.states import TransferKind, TransferState

AHEAD_MIN: Final = timedelta(seconds=1)
AHEAD_MAX: Final = timedelta(days=365)


@command
def schedule_transfer(
    *, actor: Actor, order: TransferOrder, execute_at: datetime, origin: str
) -> Transfer:
    """Keep an instruction to move money until `execute_at`, exactly once for its `origin`.

    Nothing is reserved: limits, freeze and funds are decided then. Refuses, in
    this order: NotFound, CurrencyMismatch, Invalid (not ahead, too far ahead);
    AlreadyBooked for a known origin.
    """
    source = access_ledger_account(order.source_id, actor=actor)
    destination = (
        access_ledger_account(order.destination_id, actor=actor) if order.destination_id else None
    )
    check_form(order, source=source, destination=destination)
    if not AHEAD_MIN <= execute_at - timezone.now() <= AHEAD_MAX:
        said = f"must be ahead, by at most {AHEAD_MAX.days} days"
        raise Invalid(fields={"execute_at": said})
    transfer = draft_transfer(order, actor=actor, source=source, origin=origin)
    transfer.state = TransferState.SCHEDULED
    transfer.execute_at = execute_at
    insert_transfer(transfer)
    tell(transfer, occurred_at=transfer.occurred_at)
    record(
        "transfer.scheduled",
        actor=actor,
        target=transfer,
        facts={"origin": origin, "execute_at": execute_at},
        rows=[transfer],
        book_id=transfer.book_id,
    )
    return transfer


@command
def execute_scheduled(*, actor: Actor, transfer_id: UUID) -> Transfer:
    """Carry out a transfer whose time has come, by the rules of a fresh request.

    A lasting refusal is the transfer's end: it has failed, with the refusal's
    code. NothingChanged where its time has not come, or it was carried out or
    called off before: of two workers one carries it out.
    """
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    is_due = transfer.execute_at is not None and transfer.execute_at <= timezone.now()
    if transfer.state != TransferState.SCHEDULED or not is_due:
        raise NothingChanged(ref=transfer.audit_ref)
    try:
        with transaction.atomic():
            rows = _carry_out(transfer)
    except Refusal as refusal:
        if refusal.transient:
            raise
        transfer, rows = access_transfer(transfer_id, actor=actor), []
        transfer.advance(TransferState.FAILED)
        transfer.failure_code = refusal.code
        save_state(transfer, "failure_code")
    tell(transfer, occurred_at=timezone.now())
    record(
        "transfer.executed",
        actor=actor,
        target=transfer,
        facts={"state": transfer.state, "failure_code": transfer.failure_code},
        rows=[transfer, *rows],
    )
    return transfer


def _carry_out(transfer: Transfer) -> list[Guarded]:
    """Move or reserve the money, as if it had been asked for now."""
    lock(*filter(None, (transfer.source_id, transfer.destination_id)))
    check_limits(transfer.source_id, amount_minor=transfer.amount_minor)
    check_may_leave(transfer.source_id, book_id=transfer.book_id)
    if transfer.kind == TransferKind.INTERNAL:
        transfer.advance(TransferState.SETTLED, at=timezone.now())
        save_state(transfer)
        move_inside(transfer)
        return []
    return _set_aside(transfer, partner=partner_of_book(transfer.book_id))


def _set_aside(transfer: Transfer, *, partner: Partner) -> list[Guarded]:
    """Reserve a payout's money, and ask for a second signature where one is needed."""
    reserve(transfer.source_id, amount_minor=transfer.amount_minor)
    rows: list[Guarded] = []
    if transfer.amount_minor >= partner.approval_threshold_minor:
        transfer.advance(TransferState.AWAITING_APPROVAL)
        transfer.approval = ask_release(transfer, actor=_maker(transfer, partner=partner))
        rows.append(transfer.approval)
    else:
        transfer.advance(TransferState.ACCEPTED)
        ring("integrations.send_payouts")
    save_state(transfer, "approval")
    return [*rows, open_hold(transfer)]


def _maker(transfer: Transfer, *, partner: Partner) -> Actor:
    """Return who asked for the transfer: they, not the clock, are the other pair of eyes."""
    kind, _, key = transfer.requested_by.partition(":")
    return Actor(
        kind=ActorKind(kind),
        id=key,
        label=partner.name,
        credential="schedule",
        grants=frozenset(),
    )
