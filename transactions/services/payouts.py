"""Deciding what a bank's word makes of our payouts: accepted, settled, failed, returned.

In memory, on rows that are locked. Each refuses before it changes anything.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, assert_never

from django.utils import timezone

from audit.actors import Actor
from audit.history import Guarded
from transactions.errors import Contradiction, NothingChanged, TooEarly
from transactions.ledger.accounts import SUSPENSE, clearing, newly_opened
from transactions.ledger.posting import Draft, Line
from transactions.meanings import TransferNotice
from transactions.meanings import TransferState as Word
from transactions.models import LedgerAccount, Transfer
from transactions.money import Money
from transactions.services.charging import fee_drafts
from transactions.services.steps import letter_of, settlement_of
from transactions.services.subjects import Subjects
from transactions.states import MOVES, HoldState, TransferState

# When to ask the bank if nothing was heard since it had the payment.
ASK_AFTER_ACCEPTANCE: Final = timedelta(seconds=30)


def payout_told(notice: TransferNotice, *, subjects: Subjects, actor: Actor) -> Transfer:
    """Decide on a bank's word on one of our payouts; NotFound where it is none of ours."""
    transfer = subjects.transfer(notice)
    told = Money(notice.amount_minor, notice.currency)
    ref, at = notice.provider_ref, notice.occurred_at
    match notice.state:
        case Word.ACCEPTED:
            accepted(transfer, provider_ref=ref, subjects=subjects, actor=actor)
        case Word.SETTLED:
            settled(
                transfer,
                provider_ref=ref,
                told=told,
                occurred_at=at,
                subjects=subjects,
                actor=actor,
            )
        case Word.FAILED:
            reason = notice.reason or "failed"
            failed(transfer, reason=reason, occurred_at=at, subjects=subjects, actor=actor)
        case Word.RETURNED:
            reason = notice.reason or "returned"
            returned(
                transfer, reason=reason, told=told, occurred_at=at, subjects=subjects, actor=actor
            )
        case unreachable:
            assert_never(unreachable)
    return transfer


def accepted(transfer: Transfer, *, provider_ref: str, subjects: Subjects, actor: Actor) -> None:
    """Decide that the bank has the payment, and what it calls it."""
    if transfer.state not in (TransferState.DISPATCHED, TransferState.UNKNOWN):
        expect(transfer, TransferState.SETTLED, later=TransferState.RETURNED, ref=provider_ref)
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
    transfer.ask_again(after=ASK_AFTER_ACCEPTANCE)
    subjects.witness(
        "transfer.accepted_by_provider",
        actor=actor,
        target=transfer,
        rows=[transfer],
        book_id=transfer.book_id,
    )


def settled(
    transfer: Transfer,
    *,
    provider_ref: str,
    occurred_at: datetime,
    told: Money | None,
    subjects: Subjects,
    actor: Actor,
) -> None:
    """Decide that a payout was paid: what was reserved leaves the account, the fee with it."""
    expect(
        transfer, TransferState.SETTLED, later=TransferState.RETURNED, ref=provider_ref, told=told
    )
    transfer.hold.capture(transfer.total_minor)
    transfer.advance(TransferState.SETTLED, at=occurred_at)
    transfer.provider_ref = provider_ref or transfer.provider_ref
    transfer.ask_at = None
    clear = _clearing(transfer, subjects=subjects)
    paid = _paid(transfer, clear=clear, occurred_at=occurred_at)
    for draft in (paid, *fee_drafts(transfer, occurred_at=occurred_at, is_reserved=True)):
        subjects.post(draft)
    _keep(
        transfer,
        rows=[transfer.hold, *newly_opened(clear)],
        facts={"origin": paid.origin, "occurred_at": occurred_at},
        occurred_at=occurred_at,
        subjects=subjects,
        actor=actor,
    )


def failed(
    transfer: Transfer, *, reason: str, occurred_at: datetime, subjects: Subjects, actor: Actor
) -> None:
    """Decide that a payout was refused: the reserved money goes back to its account."""
    expect(transfer, TransferState.FAILED)
    freed = transfer.hold.release(HoldState.VOIDED)
    transfer.advance(TransferState.FAILED)
    transfer.failure_code, transfer.ask_at = reason[:80], None
    subjects.free(transfer.source_id, amount_minor=freed)
    _keep(
        transfer,
        rows=[transfer.hold],
        facts={"reason": reason},
        occurred_at=occurred_at,
        subjects=subjects,
        actor=actor,
    )


def returned(
    transfer: Transfer,
    *,
    reason: str,
    occurred_at: datetime,
    told: Money | None,
    subjects: Subjects,
    actor: Actor,
) -> None:
    """Decide that a settled payout came back: to its account, or to suspense where it may not."""
    expect(transfer, TransferState.RETURNED, told=told)
    undone = subjects.journal_to_undo(settlement_of(transfer.pk))
    transfer.advance(TransferState.RETURNED)
    transfer.failure_code = reason[:80]
    far = _clearing(transfer, subjects=subjects)
    spill = subjects.system(SUSPENSE, book_id=transfer.book_id, currency=transfer.currency)
    amount, currency = transfer.amount_minor, transfer.currency
    back = Draft(
        book_id=transfer.book_id,
        purpose="payout_return",
        subject_ref=transfer.audit_ref,
        origin=f"{transfer.audit_ref}:returned",
        reverses=undone,
        occurred_at=occurred_at,
        spill_id=spill.pk,
        lines=[
            Line(account_id=far.pk, amount_minor=-amount, currency=currency),
            Line(account_id=transfer.source_id, amount_minor=amount, currency=currency),
        ],
    )
    subjects.post(back)
    _keep(
        transfer,
        rows=newly_opened(far, spill),
        facts={"origin": back.origin, "reason": reason},
        occurred_at=occurred_at,
        subjects=subjects,
        actor=actor,
    )


def expect(
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


def _clearing(transfer: Transfer, *, subjects: Subjects) -> LedgerAccount:
    """Return what its bank holds for the payout's book."""
    code = clearing(transfer.provider)
    return subjects.system(code, book_id=transfer.book_id, currency=transfer.currency)


def _paid(transfer: Transfer, *, clear: LedgerAccount, occurred_at: datetime) -> Draft:
    """Return the journal that turns the reservation into money that has left towards the bank."""
    amount, currency = transfer.amount_minor, transfer.currency
    giver = Line(
        account_id=transfer.source_id,
        amount_minor=-amount,
        currency=currency,
        release_minor=amount,
    )
    return Draft(
        book_id=transfer.book_id,
        purpose="payout",
        subject_ref=transfer.audit_ref,
        origin=settlement_of(transfer.pk),
        occurred_at=occurred_at,
        lines=[giver, Line(account_id=clear.pk, amount_minor=amount, currency=currency)],
    )


def _keep(
    transfer: Transfer,
    *,
    rows: Sequence[Guarded],
    facts: Mapping[str, object],
    occurred_at: datetime,
    subjects: Subjects,
    actor: Actor,
) -> None:
    """Leave the partner a letter about where the payout stands now, and write it down."""
    action = f"transfer.{transfer.state}"
    subjects.tell(
        action, book_id=transfer.book_id, occurred_at=occurred_at, payload=letter_of(transfer)
    )
    subjects.witness(
        action,
        actor=actor,
        target=transfer,
        facts=facts,
        rows=[transfer, *rows],
        book_id=transfer.book_id,
    )
