"""Commands on transfers as their owners know them: asking for one, and calling it off."""

from uuid import UUID

from django.utils import timezone

from accounts.selectors.approvals import access_approval
from accounts.services.approvals import withdraw
from accounts.states import ApprovalState
from audit.actors import Actor, ActorKind
from audit.commands import command
from audit.errors import NotPermitted, Refusal
from audit.history import Guarded
from audit.services.recording import record
from transactions.models import Transfer
from transactions.orders import TransferOrder
from transactions.selectors.transfers import access_transfer
from transactions.services.intake import Instruction, take_in
from transactions.services.steps import release_hold, save_state, tell
from transactions.services.storing import tell_taken
from transactions.states import TransferState


@command
def request_transfer(*, actor: Actor, order: TransferOrder, origin: str) -> Transfer:
    """Take an instruction to move money, exactly once for its `origin`.

    Refuses, in this order: NotFound, Invalid (from an account to itself),
    CurrencyMismatch, PayeeNotRegistered, PayeeCooling, LimitExceeded,
    AccountFrozen, BalanceTooLarge, InsufficientFunds; AlreadyBooked for a known origin.
    """
    _check_staff(actor, order=order)
    (found,) = take_in([Instruction(order=order, origin=origin)], actor=actor)
    if isinstance(found, Refusal):
        raise found
    tell_taken(found, actor=actor)
    return found.transfer


@command
def cancel_transfer(*, actor: Actor, transfer_id: UUID) -> Transfer:
    """Call off what is scheduled, or a payout that has not been sent, and free its money.

    WrongState once it has gone; NotFound if not yours.
    """
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    is_reserved = transfer.state != TransferState.SCHEDULED
    transfer.advance(TransferState.CANCELLED)
    save_state(transfer)
    rows: list[Guarded] = [transfer]
    if is_reserved:
        release_hold(transfer.hold)
        rows.append(transfer.hold)
    if transfer.approval_id is not None:
        approval = access_approval(transfer.approval_id, actor=actor, lock=True)
        if approval.state != ApprovalState.USED:
            withdraw(approval)
            rows.append(approval)
    tell(transfer, occurred_at=timezone.now())
    record("transfer.cancelled", actor=actor, target=transfer, rows=rows)
    return transfer


@command
def flag_transfer(*, actor: Actor, transfer_id: UUID, reason: str) -> Transfer:
    """Mark a transfer as one that somebody should look at, and say why."""
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    transfer.is_flagged = True
    transfer.save(update_fields=["is_flagged"])
    record(
        "transfer.flagged", actor=actor, target=transfer, facts={"reason": reason}, rows=[transfer]
    )
    return transfer


@command
def note_on_transfer(*, actor: Actor, transfer_id: UUID, text: str) -> Transfer:
    """Leave a note on a transfer's timeline. Changes nothing else."""
    transfer = access_transfer(transfer_id, actor=actor)
    record("transfer.noted", actor=actor, target=transfer, facts={"note": text})
    return transfer


@command
def escalate_transfer(*, actor: Actor, transfer_id: UUID, reason: str) -> Transfer:
    """Hand a transfer to compliance: flagged, with the reason on its timeline."""
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    transfer.is_flagged = True
    transfer.save(update_fields=["is_flagged"])
    record(
        "transfer.escalated",
        actor=actor,
        target=transfer,
        facts={"reason": reason},
        rows=[transfer],
    )
    return transfer


def _check_staff(actor: Actor, *, order: TransferOrder) -> None:
    """Refuse to move money inside for staff: a payout of theirs waits for a second person."""
    if actor.kind is ActorKind.STAFF and order.payee is None:
        raise NotPermitted(permission="transactions.request_internal_transfer")
