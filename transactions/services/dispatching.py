"""Commands on a payout's way out: released, claimed, taken, doubted, settled, failed, returned."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from accounts.services.approvals import conclude, consume
from accounts.states import ApprovalState
from audit.actors import Actor
from audit.commands import command
from audit.services.recording import record
from transactions.errors import Contradiction, NothingChanged, TooEarly, WrongState
from transactions.ledger.accounts import SUSPENSE, clearing, newly_opened, system_account
from transactions.ledger.posting import Draft, Line, post
from transactions.models import Transfer
from transactions.money import Money
from transactions.selectors.archive import journal_to_undo
from transactions.selectors.dispatching import next_to_claim
from transactions.selectors.transfers import access_transfer
from transactions.services.steps import (
    approval_payload,
    check_may_leave,
    pay_out_of_hold,
    release_hold,
    save_state,
    tell,
)
from transactions.states import MOVES, TransferState

# When to ask the provider if nothing was heard: soon after a doubt, later when it has the payment.
ASK_AFTER_CLAIM: Final = timedelta(seconds=15)
ASK_AFTER_DOUBT: Final = timedelta(seconds=5)
ASK_AFTER_ACCEPTANCE: Final = timedelta(seconds=30)


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
    check_may_leave(transfer.source_id)
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
    check_may_leave(transfer.source_id)
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
    check_may_leave(transfer.source_id)
    now = timezone.now()
    transfer.claimed_at, transfer.ask_at = now, now + ASK_AFTER_CLAIM
    save_state(transfer, "claimed_at")
    record("transfer.claimed_again", actor=actor, target=transfer, rows=[transfer])
    return transfer


@command
def note_acceptance(*, actor: Actor, transfer_id: UUID, provider_ref: str) -> Transfer:
    """Note that the provider has the payment and what it calls it. NothingChanged if known."""
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    if transfer.state not in (TransferState.DISPATCHED, TransferState.UNKNOWN):
        _expect(transfer, TransferState.SETTLED, later=TransferState.RETURNED, ref=provider_ref)
        raise Contradiction(ref=transfer.audit_ref, detail="accepted before it was sent")
    is_doubted = transfer.state == TransferState.UNKNOWN
    is_asked = transfer.ask_at is not None and transfer.ask_at <= timezone.now()
    if transfer.provider_ref == provider_ref and not (is_doubted or is_asked):
        raise NothingChanged(ref=transfer.audit_ref)
    if transfer.provider_ref not in ("", provider_ref):
        raise Contradiction(ref=transfer.audit_ref, detail="the provider calls it otherwise now")
    if is_doubted:
        transfer.advance(TransferState.DISPATCHED)
    transfer.provider_ref = provider_ref
    transfer.ask_at = timezone.now() + ASK_AFTER_ACCEPTANCE
    save_state(transfer, "provider_ref")
    record("transfer.accepted_by_provider", actor=actor, target=transfer, rows=[transfer])
    return transfer


@command
def note_doubt(*, actor: Actor, transfer_id: UUID, because: str) -> Transfer:
    """Note that nobody knows whether the provider did it; it will be asked until it answers."""
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    if transfer.state not in (TransferState.DISPATCHED, TransferState.UNKNOWN):
        raise NothingChanged(ref=transfer.audit_ref)
    is_news = transfer.state == TransferState.DISPATCHED
    transfer.state = TransferState.UNKNOWN
    transfer.ask_at = timezone.now() + ASK_AFTER_DOUBT
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
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    _expect(
        transfer,
        TransferState.SETTLED,
        later=TransferState.RETURNED,
        ref=provider_ref,
        told=told,
    )
    transfer.advance(TransferState.SETTLED, at=occurred_at)
    transfer.provider_ref = provider_ref or transfer.provider_ref
    transfer.ask_at = None
    save_state(transfer, "provider_ref")
    journal_id, opened = pay_out_of_hold(transfer, hold=transfer.hold, occurred_at=occurred_at)
    tell(transfer, occurred_at=occurred_at)
    record(
        "transfer.settled",
        actor=actor,
        target=transfer,
        facts={"journal": journal_id, "occurred_at": occurred_at},
        rows=[transfer, transfer.hold, *opened],
    )
    return transfer


@command
def fail_transfer(
    *, actor: Actor, transfer_id: UUID, reason: str, occurred_at: datetime
) -> Transfer:
    """Close a payout the provider refused: the reserved money goes back to its account.

    NothingChanged if it failed already; Contradiction if it had settled.
    """
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    _expect(transfer, TransferState.FAILED)
    transfer.advance(TransferState.FAILED)
    transfer.failure_code, transfer.ask_at = reason[:80], None
    save_state(transfer, "failure_code")
    release_hold(transfer.hold)
    tell(transfer, occurred_at=occurred_at)
    record(
        "transfer.failed",
        actor=actor,
        target=transfer,
        facts={"reason": reason},
        rows=[transfer, transfer.hold],
    )
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
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    _expect(transfer, TransferState.RETURNED, told=told)
    transfer.advance(TransferState.RETURNED)
    transfer.failure_code = reason[:80]
    save_state(transfer, "failure_code")
    book_id, currency, amount = transfer.book_id, transfer.currency, transfer.amount_minor
    far = system_account(clearing(transfer.provider), book_id=book_id, currency=currency)
    spill = system_account(SUSPENSE, book_id=book_id, currency=currency)
    journal_id = post(
        Draft(
            book_id=book_id,
            purpose="payout_return",
            subject_ref=transfer.audit_ref,
            origin=f"{transfer.audit_ref}:returned",
            reverses=journal_to_undo(f"{transfer.audit_ref}:settled"),
            occurred_at=occurred_at,
            spill_id=spill.pk,
            lines=[
                Line(account_id=far.pk, amount_minor=-amount, currency=currency),
                Line(account_id=transfer.source_id, amount_minor=amount, currency=currency),
            ],
        )
    )
    tell(transfer, occurred_at=occurred_at)
    record(
        "transfer.returned",
        actor=actor,
        target=transfer,
        facts={"journal": journal_id, "reason": reason},
        rows=[transfer, *newly_opened(far, spill)],
    )
    return transfer


def _expect(
    transfer: Transfer,
    wanted: TransferState,
    *,
    later: TransferState | None = None,
    ref: str = "",
    told: Money | None = None,
) -> None:
    """Let news through; refuse what is known, what comes too early, and what cannot be true."""
    if told is not None and told != transfer.money:
        raise Contradiction(ref=transfer.audit_ref, detail=f"the provider says {told}")
    if ref and transfer.provider_ref not in ("", ref):
        raise Contradiction(ref=transfer.audit_ref, detail="the provider calls it otherwise now")
    here = TransferState(transfer.state)
    if here in (wanted, later):
        raise NothingChanged(ref=transfer.audit_ref)
    if wanted in MOVES[here] and here is not TransferState.SCHEDULED:
        return
    is_open = here in (TransferState.DISPATCHED, TransferState.UNKNOWN)
    if wanted is TransferState.RETURNED and is_open:
        raise TooEarly(ref=transfer.audit_ref)
    raise Contradiction(
        ref=transfer.audit_ref, detail=f"the provider says {wanted}, we hold {here}"
    )
