"""Commands that take back a transfer inside the house, whole or in part; staff needs two."""

from dataclasses import replace
from typing import Final
from uuid import UUID

from django.utils import timezone

from accounts.models import Approval
from accounts.selectors.approvals import access_approval
from accounts.services.approvals import ask, consume
from accounts.services.mailbox import publish
from audit.actors import Actor, ActorKind
from audit.canonical import Json
from audit.commands import command
from audit.errors import NotPermitted
from audit.history import Guarded
from audit.services.recording import record
from audit.typeids import typeid
from transactions.errors import NotReversible, ReversalExceeded
from transactions.ledger.reversals import post_reversal
from transactions.models import Transfer
from transactions.money import Money
from transactions.selectors.archive import journal_to_undo
from transactions.selectors.transfers import access_transfer
from transactions.services.charging import fee_drafts
from transactions.services.interbook import arrival, drafts_of
from transactions.services.partner_transfers import passage_of, tell_taker
from transactions.services.steps import check_may_leave, letter_of, save_state
from transactions.states import TransferKind, TransferState

REVERSE: Final = "transactions.reverse_transfer"


@command
def reverse_transfer(
    *,
    actor: Actor,
    transfer_id: UUID,
    origin: str,
    reason: str,
    amount_minor: int | None = None,
    approval_id: UUID | None = None,
) -> Transfer:
    """Move what a transfer inside the house brought back to its giver: all, or `amount_minor`.

    A partner takes back its own, and from another partner nothing; anybody else only
    under an approval, which is consumed. Refuses, in this order: NotFound, NotPermitted,
    NotReversible, WrongState, ReversalExceeded, AccountFrozen, InsufficientFunds (the
    receiver must be able to bear it); AlreadyBooked for a known origin, and StaleApproval.
    """
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    if actor.kind is not ActorKind.PARTNER and approval_id is None:
        raise NotPermitted(permission=REVERSE)
    if actor.kind is ActorKind.PARTNER and transfer.kind == TransferKind.PARTNER:
        raise NotReversible(ref=transfer.audit_ref)
    amount = transfer.reversible_minor if amount_minor is None else amount_minor
    rows: list[Guarded] = [transfer]
    if approval_id is not None:
        rows.append(
            _consumed(
                approval_id, actor=actor, transfer=transfer, amount_minor=amount, reason=reason
            )
        )
    transfer.reverse(amount)
    save_state(transfer, "reversed_minor")
    journals = _post_back(transfer, amount_minor=amount, origin=origin)
    if transfer.state == TransferState.REVERSED:
        journals += _give_fee_back(transfer)
    _tell(transfer, amount_minor=amount)
    record(
        "transfer.reversed",
        actor=actor,
        target=transfer,
        facts={"journals": journals, "amount_minor": amount, "reason": reason},
        rows=rows,
    )
    return transfer


@command
def request_reversal(
    *, actor: Actor, transfer_id: UUID, amount_minor: int, reason: str
) -> Approval:
    """Ask a second person to let a transfer be taken back. Moves nothing.

    Refuses with NotFound, NotReversible, WrongState and ReversalExceeded.
    """
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    payload = reversal_payload(
        transfer, amount_minor=amount_minor, reason=reason, requested_by=actor.ref
    )
    transfer.reverse(amount_minor)  # only to hear its no: nothing is saved
    approval = ask(
        REVERSE,
        actor=actor,
        subject_ref=transfer.audit_ref,
        book_id=transfer.book_id,
        payload=payload,
    )
    record(
        "reversal.requested",
        actor=actor,
        target=transfer,
        facts={"amount_minor": amount_minor, "reason": reason},
        rows=[approval],
    )
    return approval


def reversal_payload(
    transfer: Transfer, *, amount_minor: int, reason: str, requested_by: str
) -> dict[str, Json]:
    """Return exactly what a checker is shown, and what the act is checked against later."""
    return {
        "transfer": transfer.public_id,
        "amount_minor": amount_minor,
        "currency": transfer.currency,
        "transfer_amount_minor": transfer.amount_minor,
        "reversed_minor": transfer.reversed_minor,
        "from_account": typeid("acc", transfer.destination_id) if transfer.destination_id else "",
        "source_account": typeid("acc", transfer.source_id),
        "reason": reason,
        "requested_by": requested_by,
    }


def _consumed(
    approval_id: UUID, *, actor: Actor, transfer: Transfer, amount_minor: int, reason: str
) -> Approval:
    """Use up the approval, if what it allows is what is about to happen."""
    approval = access_approval(approval_id, actor=actor)
    payload = reversal_payload(
        transfer,
        amount_minor=amount_minor,
        reason=reason,
        requested_by=approval.payload["requested_by"],
    )
    consume(approval, payload=payload)
    return approval


def _post_back(transfer: Transfer, *, amount_minor: int, origin: str) -> list[UUID]:
    """Post the way back, each journal linked to the one it undoes."""
    taker_id: UUID = transfer.destination_id  # type: ignore[assignment]
    check_may_leave([taker_id], beside=[transfer.source_id])
    there, now = passage_of(transfer), timezone.now()
    back = replace(
        there.turned(),
        money=Money(amount_minor, transfer.currency),
        purpose="reversal",
        origin=origin,
        occurred_at=now,
    )
    drafts, _ = drafts_of(back)
    # The way back begins in the book where the way there ended.
    undone = [there.origin] if len(drafts) == 1 else [arrival(there.origin), there.origin]
    left = transfer.amount_minor - transfer.reversed_minor
    return [
        post_reversal(
            replace(draft, reverses=journal_to_undo(first)),
            exceeded=ReversalExceeded(ref=transfer.audit_ref, remaining_minor=left),
        )
        for draft, first in zip(drafts, undone, strict=True)
    ]


def _give_fee_back(transfer: Transfer) -> list[UUID]:
    """Give back what a transfer cost, now that nothing is left of it."""
    return [
        post_reversal(
            replace(
                fee,
                purpose="fee_reversal",
                origin=f"{fee.origin}:back",
                reverses=journal_to_undo(fee.origin),
                lines=[replace(line, amount_minor=-line.amount_minor) for line in fee.lines],
            ),
            exceeded=ReversalExceeded(ref=transfer.audit_ref, remaining_minor=0),
        )
        for fee in fee_drafts(transfer, occurred_at=timezone.now())
    ]


def _tell(transfer: Transfer, *, amount_minor: int) -> None:
    """Leave each partner a letter: how much went back now, and its giver how much in all."""
    now = timezone.now()
    publish(
        "transfer.reversed",
        book_id=transfer.book_id,
        payload={**letter_of(transfer), "reversal": {"amount_minor": amount_minor}},
        occurred_at=now,
    )
    if transfer.kind == TransferKind.PARTNER:
        tell_taker(
            "transfer.taken_back", transfer=transfer, amount_minor=amount_minor, occurred_at=now
        )
