"""Four eyes: asking for a second signature, giving or refusing it, and taking the request back."""

from collections.abc import Mapping
from uuid import UUID

from django.utils import timezone

from accounts.errors import AlreadyDecided, OwnRequest, StaleApproval
from accounts.models import Approval, Decision
from accounts.selectors.approvals import access_approval
from accounts.states import ApprovalState, Verdict
from audit.actors import Actor
from audit.canonical import Json, fingerprint
from audit.commands import command
from audit.constraints import refuse_on
from audit.services.recording import record


def ask(
    action: str, *, actor: Actor, subject_ref: str, book_id: UUID, payload: Mapping[str, Json]
) -> Approval:
    """Open a request for a second signature, as a step of the command that needs it.

    `payload` is what the checker will be shown, whole; the act later compares
    its own view of the world with it.
    """
    approval = request_for(
        action, actor=actor, subject_ref=subject_ref, book_id=book_id, payload=payload
    )
    approval.save(force_insert=True)
    return approval


def request_for(
    action: str, *, actor: Actor, subject_ref: str, book_id: UUID, payload: Mapping[str, Json]
) -> Approval:
    """Return such a request not stored yet, for a command that opens many at a time."""
    return Approval(
        book_id=book_id,
        action=action,
        subject_ref=subject_ref,
        payload=dict(payload),
        payload_hash=fingerprint(dict(payload)).hex(),
        maker_party=actor.party,
        maker_label=actor.label,
    )


def consume(approval: Approval, *, payload: Mapping[str, Json]) -> None:
    """Use up an approved request, as a step of the act itself.

    Refuses with StaleApproval where `payload`, the world now, is not what was approved.
    """
    if approval.state != ApprovalState.APPROVED:
        raise AlreadyDecided(ref=approval.audit_ref, state=approval.state)
    if fingerprint(dict(payload)).hex() != approval.payload_hash:
        raise StaleApproval(ref=approval.audit_ref)
    approval.state = ApprovalState.USED
    approval.save(update_fields=["state"])


def withdraw(approval: Approval) -> None:
    """Close an open request undecided, as a step of a command that makes it pointless."""
    approval.state = ApprovalState.WITHDRAWN
    approval.decided_at = timezone.now()
    approval.save(update_fields=["state", "decided_at"])


@command
def decide_approval(
    *, actor: Actor, approval_id: UUID, verdict: Verdict, reason: str, shown_hash: str
) -> Approval:
    """Approve or reject what the maker asked, having seen the payload with hash `shown_hash`.

    Refuses with OwnRequest (the database compares the parties), AlreadyDecided
    and StaleApproval. Moves no money: the act follows, and checks again.
    """
    approval = access_approval(approval_id, actor=actor, lock=True)
    if approval.state != ApprovalState.OPEN:
        raise AlreadyDecided(ref=approval.audit_ref, state=approval.state)
    if shown_hash != approval.payload_hash:
        raise StaleApproval(ref=approval.audit_ref)
    own = OwnRequest(ref=approval.audit_ref)
    again = AlreadyDecided(ref=approval.audit_ref, state=approval.state)
    with refuse_on({"decision_not_by_maker": own, "decision_once_a_party": again}):
        decision = Decision.objects.create(
            approval=approval,
            book_id=approval.book_id,
            maker_party=approval.maker_party,
            checker_party=actor.party,
            checker_label=actor.label,
            verdict=verdict,
            reason=reason,
        )
    is_yes = verdict is Verdict.APPROVE
    approval.state = ApprovalState.APPROVED if is_yes else ApprovalState.REJECTED
    approval.decided_at = timezone.now()
    approval.save(update_fields=["state", "decided_at"])
    record(
        "approval.approved" if is_yes else "approval.rejected",
        actor=actor,
        target=approval,
        facts={"action": approval.action, "subject": approval.subject_ref, "reason": reason},
        rows=[approval, decision],
        book_id=approval.book_id,
    )
    return approval


@command
def withdraw_approval(*, actor: Actor, approval_id: UUID) -> Approval:
    """Take back a request nobody has decided yet. Only its maker may; AlreadyDecided otherwise."""
    approval = access_approval(approval_id, actor=actor, lock=True)
    if approval.state != ApprovalState.OPEN or approval.maker_party != actor.party:
        raise AlreadyDecided(ref=approval.audit_ref, state=approval.state)
    withdraw(approval)
    record("approval.withdrawn", actor=actor, target=approval, rows=[approval])
    return approval
