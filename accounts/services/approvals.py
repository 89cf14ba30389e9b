"""Four eyes: asking for a second signature, giving or refusing it, and taking the request back."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from accounts.acts import ACTS, deed_for
from accounts.errors import AlreadyAsked, AlreadyDecided, OwnRequest, StaleApproval
from accounts.models import Approval, Decision
from accounts.selectors.approvals import access_approval
from accounts.states import ApprovalState, Verdict
from audit.actors import Actor
from audit.canonical import Json, fingerprint
from audit.circumstances import current
from audit.commands import command
from audit.constraints import refuse_on
from audit.errors import Fault
from audit.history import plain
from audit.services.recording import record

TRY_AGAIN_AFTER: Final = timedelta(seconds=30)
NOT_USED: Final = (ApprovalState.OPEN, ApprovalState.APPROVED)


def ask(
    action: str, *, actor: Actor, subject_ref: str, book_id: UUID, payload: Mapping[str, Json]
) -> Approval:
    """Open a request for a second signature, as a step of the command that needs it.

    `payload` is what the checker will be shown, whole; the act later compares
    its own view of the world with it. AlreadyAsked while the same waits; a Fault
    for an act that nobody registered.
    """
    approval = request_for(
        action, actor=actor, subject_ref=subject_ref, book_id=book_id, payload=payload
    )
    with refuse_on({"approval_one_open": AlreadyAsked(ref=subject_ref)}):
        approval.save(force_insert=True)
    return approval


def request_for(
    action: str, *, actor: Actor, subject_ref: str, book_id: UUID, payload: Mapping[str, Json]
) -> Approval:
    """Return such a request not stored yet, for a command that opens many at a time."""
    if action not in ACTS:
        raise Fault(f"nobody registered how to carry out {action}")
    return Approval(
        book_id=book_id,
        action=action,
        subject_ref=subject_ref,
        payload=dict(payload),
        payload_hash=fingerprint(dict(payload)).hex(),
        maker_party=actor.party,
        maker_label=actor.label,
        trace_id=current().trace_id,
    )


def consume(approval: Approval, *, payload: Mapping[str, Json]) -> None:
    """Use up an approved request, as a step of the act itself, which locked its subject before.

    Refuses with AlreadyDecided, and with StaleApproval where `payload`, the
    world now, is not what was approved.
    """
    locked = Approval.objects.select_for_update(no_key=True, of=("self",))
    approval.refresh_from_db(fields=["state"], from_queryset=locked)
    if approval.state != ApprovalState.APPROVED:
        raise AlreadyDecided(ref=approval.audit_ref, state=approval.state)
    if fingerprint(dict(payload)).hex() != approval.payload_hash:
        changed = changes(approval.payload, payload)
        raise StaleApproval(ref=approval.audit_ref, changed=changed)
    approval.state = ApprovalState.USED
    approval.obstacle, approval.obstacle_facts = "", {}
    _conclude(approval, "state", "obstacle", "obstacle_facts")


def conclude(approval: Approval) -> None:
    """Say that a rejection or withdrawal has been carried out, as a step of what does so."""
    _conclude(approval)


def withdraw(approval: Approval) -> None:
    """Close a request that is not used, as a step of a command that makes it pointless."""
    if approval.state in NOT_USED:
        approval.state = ApprovalState.WITHDRAWN
        approval.decided_at = approval.decided_at or timezone.now()
    _conclude(approval, "state", "decided_at")


def changes(shown: Mapping[str, Json], now: Mapping[str, Json]) -> dict[str, list[Json]]:
    """Return each line that is not as it was shown, as [shown, now]."""
    names = sorted(shown.keys() | now.keys())
    return {
        name: [shown.get(name), now.get(name)]
        for name in names
        if shown.get(name) != now.get(name)
    }


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
    _schedule(approval)
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
    """Take back a request that is not carried out yet. Only its maker may; else AlreadyDecided."""
    approval = access_approval(approval_id, actor=actor, lock=True)
    if approval.state not in NOT_USED or approval.maker_party != actor.party:
        raise AlreadyDecided(ref=approval.audit_ref, state=approval.state)
    approval.state = ApprovalState.WITHDRAWN
    approval.decided_at = timezone.now()
    _schedule(approval)
    record("approval.withdrawn", actor=actor, target=approval, rows=[approval])
    return approval


@command
def note_obstacle(
    *,
    actor: Actor,
    approval_id: UUID,
    code: str,
    facts: Mapping[str, object],
    may_pass: bool,
) -> Approval:
    """Note what kept a decision from being carried out; it is tried again only if it `may_pass`.

    AlreadyDecided where another worker has carried it out in the meantime.
    """
    approval = access_approval(approval_id, actor=actor, lock=True)
    if approval.try_at is None:
        raise AlreadyDecided(ref=approval.audit_ref, state=approval.state)
    approval.obstacle, approval.obstacle_facts = code, plain(dict(facts))
    approval.try_at = timezone.now() + TRY_AGAIN_AFTER if may_pass else None
    approval.save(update_fields=["obstacle", "obstacle_facts", "try_at"])
    record(
        "approval.obstructed",
        actor=actor,
        target=approval,
        facts={"code": code, "said": facts, "is_tried_again": may_pass},
        rows=[approval],
    )
    return approval


@command
def retry_approval(*, actor: Actor, approval_id: UUID) -> Approval:
    """Have a decision carried out again whose obstacle is gone. AlreadyDecided where none stands.

    Nothing is approved by this: the act checks everything again.
    """
    approval = access_approval(approval_id, actor=actor, lock=True)
    if not approval.obstacle or deed_for(approval) is None:
        raise AlreadyDecided(ref=approval.audit_ref, state=approval.state)
    _schedule(approval)
    record("approval.retried", actor=actor, target=approval, rows=[approval])
    return approval


def _schedule(approval: Approval) -> None:
    """Save a decision, due to be carried out now where there is something to do."""
    approval.try_at = timezone.now() if deed_for(approval) else None
    approval.save(update_fields=["state", "decided_at", "try_at"])


def _conclude(approval: Approval, *fields: str) -> None:
    """Save that nothing is left to do."""
    approval.try_at = None
    approval.save(update_fields=["try_at", *fields])
