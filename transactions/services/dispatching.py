"""Commands on a payout's way out: released, claimed, taken, doubted, settled, failed, returned."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from accounts.services.approvals import conclude, consume
from accounts.states import ApprovalState
from audit.actors import Actor, ActorKind
from audit.commands import command
from audit.errors import NotFound
from audit.services.recording import record
from transactions.errors import NothingChanged, WrongState
from transactions.models import Transfer
from transactions.money import Money
from transactions.selectors.dispatching import next_to_claim
from transactions.selectors.transfers import access_transfer
from transactions.services.gathering import subject_of
from transactions.services.payouts import accepted, failed, returned, settled
from transactions.services.steps import (
    approval_payload,
    check_may_leave,
    release_hold,
    save_state,
    tell,
)
from transactions.services.subjects import Subjects
from transactions.states import TransferState

# When to ask the provider if nothing was heard; once it has the payment, see `payouts`.
ASK_AFTER_CLAIM: Final = timedelta(seconds=15)
ASK_AFTER_DOUBT: Final = timedelta(seconds=5)


@command
def release_transfer(*, actor: Actor, transfer_id: UUID) -> Transfer:
    """Carry out an approval: the payout may go.

    Consumes the approval, whose payload must still hold. Refuses with
    WrongState, AlreadyDecided and StaleApproval.
    """
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    if transfer.approval is None:
        raise WrongState(state=transfer.state, wanted=TransferState.ACCEPTED)
    transfer.advance(TransferState.ACCEPTED)
    check_may_leave([transfer.source_id])
    consume(transfer.approval, payload=approval_payload(transfer))
    save_state(transfer)
    tell(transfer, occurred_at=timezone.now())
    record("transfer.released", actor=actor, target=transfer, rows=[transfer, transfer.approval])
    return transfer


@command
def reject_transfer(*, actor: Actor, transfer_id: UUID) -> Transfer:
    """Carry out a rejection or withdrawal: the reserved money goes back to its account."""
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    said_no = (ApprovalState.REJECTED, ApprovalState.WITHDRAWN)
    if transfer.approval is None or transfer.approval.state not in said_no:
        raise WrongState(state=transfer.state, wanted=TransferState.REJECTED)
    transfer.advance(TransferState.REJECTED)
    save_state(transfer)
    release_hold(transfer.hold)
    conclude(transfer.approval)
    tell(transfer, occurred_at=timezone.now())
    rows = [transfer, transfer.hold, transfer.approval]
    record("transfer.rejected", actor=actor, target=transfer, rows=rows)
    return transfer


@command
def claim_transfer(*, actor: Actor) -> Transfer:
    """Claim the oldest accepted payout for sending; two workers never claim the same one.

    From here on the outcome is the provider's to tell: a claimed transfer is
    asked about if nothing is heard. NothingChanged when there is none.
    """
    transfer = next_to_claim()
    if transfer is None:
        raise NothingChanged(ref="transfer:none")
    check_may_leave([transfer.source_id])
    now = timezone.now()
    transfer.advance(TransferState.DISPATCHED)
    transfer.claimed_at, transfer.ask_at = now, now + ASK_AFTER_CLAIM
    save_state(transfer, "claimed_at")
    tell(transfer, occurred_at=now)
    record("transfer.dispatched", actor=actor, target=transfer, rows=[transfer])
    return transfer


@command
def reclaim_transfer(*, actor: Actor, transfer_id: UUID, claimed_at: datetime) -> Transfer:
    """Claim a payout that its provider never heard of, for sending it again under the same key.

    NothingChanged unless it is still open and was last claimed at `claimed_at`:
    of two workers that asked, one sends. AccountFrozen stops it here as well.
    """
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    is_open = transfer.state in (TransferState.DISPATCHED, TransferState.UNKNOWN)
    if not is_open or transfer.claimed_at != claimed_at:
        raise NothingChanged(ref=transfer.audit_ref)
    check_may_leave([transfer.source_id])
    now = timezone.now()
    transfer.claimed_at, transfer.ask_at = now, now + ASK_AFTER_CLAIM
    save_state(transfer, "claimed_at")
    record("transfer.claimed_again", actor=actor, target=transfer, rows=[transfer])
    return transfer


@command
def note_acceptance(*, actor: Actor, transfer_id: UUID, provider_ref: str) -> Transfer:
    """Note that the provider has the payment and what it calls it. NothingChanged if known."""
    transfer = _access_payout(transfer_id, actor=actor)
    subjects = Subjects()
    accepted(transfer, provider_ref=provider_ref, subjects=subjects, actor=actor)
    subjects.write()
    return transfer


@command
def note_doubt(*, actor: Actor, transfer_id: UUID, because: str) -> Transfer:
    """Note that nobody knows whether the provider did it; it will be asked until it answers."""
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    if transfer.state not in (TransferState.DISPATCHED, TransferState.UNKNOWN):
        raise NothingChanged(ref=transfer.audit_ref)
    is_news = transfer.state == TransferState.DISPATCHED
    transfer.state = TransferState.UNKNOWN
    transfer.ask_again(after=ASK_AFTER_DOUBT)
    save_state(transfer)
    if is_news:
        tell(transfer, occurred_at=timezone.now())
    record(
        "transfer.doubted",
        actor=actor,
        target=transfer,
        facts={"because": because},
        rows=[transfer],
    )
    return transfer


@command
def settle_transfer(
    *,
    actor: Actor,
    transfer_id: UUID,
    provider_ref: str,
    occurred_at: datetime,
    told: Money | None = None,
) -> Transfer:
    """Close a payout as paid: the reserved money leaves the account.

    NothingChanged if it is settled or returned already; Contradiction if it had
    failed, or where `told` or the provider's name for it is not ours.
    """
    transfer = _access_payout(transfer_id, actor=actor)
    subjects = subject_of(transfer)
    settled(
        transfer,
        provider_ref=provider_ref,
        occurred_at=occurred_at,
        told=told,
        subjects=subjects,
        actor=actor,
    )
    subjects.write()
    return transfer


@command
def fail_transfer(
    *, actor: Actor, transfer_id: UUID, reason: str, occurred_at: datetime
) -> Transfer:
    """Close a payout the provider refused: the reserved money goes back to its account.

    NothingChanged if it failed already; Contradiction if it had settled.
    """
    transfer = _access_payout(transfer_id, actor=actor)
    subjects = subject_of(transfer)
    failed(transfer, reason=reason, occurred_at=occurred_at, subjects=subjects, actor=actor)
    subjects.write()
    return transfer


@command
def return_transfer(
    *,
    actor: Actor,
    transfer_id: UUID,
    reason: str,
    occurred_at: datetime,
    told: Money | None = None,
) -> Transfer:
    """Book a settled payout that the bank sent back: a new journal, linked to the one it undoes.

    NothingChanged if it was returned already; Contradiction if it never settled;
    JournalArchived where its month was put away.
    """
    transfer = _access_payout(transfer_id, actor=actor)
    subjects = subject_of(transfer)
    returned(
        transfer,
        reason=reason,
        occurred_at=occurred_at,
        told=told,
        subjects=subjects,
        actor=actor,
    )
    subjects.write()
    return transfer


def _access_payout(transfer_id: UUID, *, actor: Actor) -> Transfer:
    """Lock and return a payout that a bank speaks of: NotFound for one that it was not sent."""
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    if actor.kind is ActorKind.PROVIDER and transfer.provider != actor.id:
        raise NotFound(ref=transfer.audit_ref)
    return transfer
