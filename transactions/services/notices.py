"""Noting how a provider's payments, disputes and payouts stand. No money moves here."""

from typing import Final

from audit.actors import Actor
from audit.circumstances import current
from audit.commands import command
from transactions.errors import Contradiction, NothingChanged
from transactions.meanings import (
    DisputeNotice,
    DisputeState,
    PaymentNotice,
    PaymentState,
    PayoutNotice,
    PayoutState,
)
from transactions.models import Dispute, Payment, ProviderPayout
from transactions.services.gathering import subjects_of
from transactions.services.subjects import Subjects

# A later state may follow an earlier one and never the other way: late news changes nothing.
PAYMENT_RANK: Final = {
    PaymentState.PENDING: 0,
    PaymentState.REQUIRES_ACTION: 1,
    PaymentState.PROCESSING: 2,
    PaymentState.AUTHORISED: 3,
    PaymentState.FAILED: 4,
    PaymentState.CANCELLED: 5,
    PaymentState.SUCCEEDED: 6,
}
DISPUTE_RANK: Final = {
    DisputeState.WARNING_NEEDS_RESPONSE: 0,
    DisputeState.WARNING_UNDER_REVIEW: 1,
    DisputeState.WARNING_CLOSED: 2,
    DisputeState.NEEDS_RESPONSE: 3,
    DisputeState.UNDER_REVIEW: 4,
    DisputeState.LOST: 5,
    DisputeState.WON: 5,
}
PAYOUT_RANK: Final = {
    PayoutState.PENDING: 0,
    PayoutState.IN_TRANSIT: 1,
    PayoutState.PAID: 2,
    PayoutState.CANCELLED: 3,
    PayoutState.FAILED: 3,
}


@command
def note_payment(*, actor: Actor, notice: PaymentNotice) -> Payment:
    """Note how a payment stands; NothingChanged if that is old, Contradiction if impossible."""
    subjects = subjects_of([notice], provider=notice.provider, actor=actor)
    payment = payment_noted(notice, subjects=subjects, actor=actor)
    subjects.write()
    return payment


@command
def note_dispute(*, actor: Actor, notice: DisputeNotice) -> Dispute:
    """Note how a dispute stands; NothingChanged if that is old, Contradiction if changed."""
    subjects = subjects_of([notice], provider=notice.provider, actor=actor)
    dispute = dispute_noted(notice, subjects=subjects, actor=actor)
    subjects.write()
    return dispute


@command
def note_payout(*, actor: Actor, notice: PayoutNotice) -> ProviderPayout:
    """Note how a provider's payout to our bank stands; it may fail even after it was paid."""
    subjects = subjects_of([notice], provider=notice.provider, actor=actor)
    payout = payout_noted(notice, subjects=subjects, actor=actor)
    subjects.write()
    return payout


def payment_noted(notice: PaymentNotice, *, subjects: Subjects, actor: Actor) -> Payment:
    """Decide on news of a payment: its row, its letter and its entry."""
    payment = subjects.payment(notice.reference) or subjects.placeholder(notice.intent_ref)
    if payment is None:
        payment = _new_payment(notice, subjects=subjects)
    else:
        _check_payment(notice, payment=payment)
        _adopt(notice, payment=payment, subjects=subjects)
        payment.state = notice.state.value
        payment.reference = notice.reference
        payment.intent_ref = notice.intent_ref or payment.intent_ref
        payment.failure_code = (notice.failure_code or "")[:80]
    subjects.name(payment)
    _keep("payment", row=payment, notice=notice, subjects=subjects, actor=actor)
    return payment


def dispute_noted(notice: DisputeNotice, *, subjects: Subjects, actor: Actor) -> Dispute:
    """Decide on news of a dispute: its row, its letter and its entry."""
    dispute = subjects.disputes.get(notice.reference)
    if dispute is None:
        payment = subjects.payment(notice.payment_ref)
        dispute = subjects.disputes[notice.reference] = Dispute(
            book_id=payment.book_id if payment else subjects.house(),
            payment_ref=notice.payment_ref,
            provider=notice.provider,
            reference=notice.reference,
            state=notice.state.value,
            amount_minor=notice.amount_minor,
            currency=notice.currency,
            reason=notice.reason[:80],
            trace_id=current().trace_id,
            occurred_at=notice.occurred_at,
        )
    else:
        here = DisputeState(dispute.state)
        _check_rank(
            DISPUTE_RANK[here],
            DISPUTE_RANK[notice.state],
            is_same=here is notice.state,
            ref=dispute.audit_ref,
        )
        dispute.state = notice.state.value
    _keep("dispute", row=dispute, notice=notice, subjects=subjects, actor=actor)
    return dispute


def payout_noted(notice: PayoutNotice, *, subjects: Subjects, actor: Actor) -> ProviderPayout:
    """Decide on news of a provider's payout: its row, its letter and its entry."""
    payout = subjects.payouts.get(notice.reference)
    if payout is None:
        payout = subjects.payouts[notice.reference] = ProviderPayout(
            book_id=subjects.house(),
            provider=notice.provider,
            reference=notice.reference,
            state=notice.state.value,
            amount_minor=notice.amount_minor,
            currency=notice.currency,
            trace_id=current().trace_id,
            arrival_at=notice.arrival_at,
            occurred_at=notice.occurred_at,
        )
    else:
        here = PayoutState(payout.state)
        _check_rank(
            PAYOUT_RANK[here],
            PAYOUT_RANK[notice.state],
            is_same=here is notice.state,
            ref=payout.audit_ref,
        )
        payout.state = notice.state.value
    payout.failure_code = (notice.failure_code or "")[:80]
    _keep("provider_payout", row=payout, notice=notice, subjects=subjects, actor=actor)
    return payout


def _new_payment(notice: PaymentNotice, *, subjects: Subjects) -> Payment:
    account = subjects.account_for_money(notice.account_id, currency=notice.currency)
    return Payment(
        book_id=account.book_id if account else subjects.house(),
        account=account,
        provider=notice.provider,
        reference=notice.reference,
        intent_ref=notice.intent_ref or "",
        state=notice.state.value,
        amount_minor=notice.amount_minor,
        currency=notice.currency,
        failure_code=(notice.failure_code or "")[:80],
        trace_id=current().trace_id,
        occurred_at=notice.occurred_at,
    )


def _adopt(notice: PaymentNotice, *, payment: Payment, subjects: Subjects) -> None:
    """Take the account a payer named only later, as long as nothing of the payment is booked."""
    if payment.account_id is not None or payment.booked_minor:
        return
    account = subjects.account_for_money(notice.account_id, currency=notice.currency)
    if account is not None:
        payment.account, payment.book_id = account, account.book_id


def _check_payment(notice: PaymentNotice, *, payment: Payment) -> None:
    """Refuse old news, and amounts that changed under way."""
    here = PaymentState(payment.state)
    if payment.currency != notice.currency:
        raise Contradiction(ref=payment.audit_ref, detail="another currency than before")
    is_intent_only = notice.reference == notice.intent_ref
    if payment.reference != notice.reference and is_intent_only:
        raise NothingChanged(ref=payment.audit_ref)  # the charge has come already
    learns_charge = payment.reference != notice.reference
    learns_intent = bool(notice.intent_ref) and not payment.intent_ref
    if learns_charge or learns_intent:
        return
    _check_rank(
        PAYMENT_RANK[here],
        PAYMENT_RANK[notice.state],
        is_same=here is notice.state,
        ref=payment.audit_ref,
    )


def _check_rank(here: int, told: int, *, is_same: bool, ref: str) -> None:
    """Let later news through; refuse what is known or older, and an equal other."""
    if is_same or told < here:
        raise NothingChanged(ref=ref)
    if told == here:
        raise Contradiction(ref=ref, detail="the provider told the opposite before")


def _keep(
    noun: str,
    *,
    row: Payment | Dispute | ProviderPayout,
    notice: PaymentNotice | DisputeNotice | PayoutNotice,
    subjects: Subjects,
    actor: Actor,
) -> None:
    """Leave the partner a letter about it, and write it down."""
    subjects.tell(
        f"{noun}.{row.state}",
        book_id=row.book_id,
        occurred_at=notice.occurred_at,
        payload={
            "id": row.public_id,
            "reference": row.reference,
            "state": row.state,
            "amount_minor": row.amount_minor,
            "currency": row.currency,
        },
    )
    subjects.witness(f"{noun}.noted", actor=actor, target=row, rows=[row], book_id=row.book_id)
