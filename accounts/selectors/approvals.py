"""Reading approvals."""

from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Approval
from accounts.scopes import visible_books
from accounts.states import ApprovalState
from audit.actors import Actor
from audit.errors import NotFound


def visible_approvals(*, to: Actor) -> QuerySet[Approval]:
    """Return the approvals `to` may know exist."""
    return visible_books(Approval.objects.all(), to=to)


def access_approval(approval_id: UUID, *, actor: Actor, lock: bool = False) -> Approval:
    """Return one approval `actor` may see, or refuse as if it did not exist."""
    found = visible_approvals(to=actor)
    if lock:
        found = found.select_for_update(no_key=True, of=("self",))
    approval = found.filter(pk=approval_id).first()
    if approval is None:
        raise NotFound(ref=f"approval:{approval_id}")
    return approval


def access_decided(approval_id: UUID, *, action: str, actor: Actor) -> Approval:
    """Return the approval, locked, that `action` rests on; NotFound for one of another act."""
    approval = access_approval(approval_id, actor=actor, lock=True)
    if approval.action != action:
        raise NotFound(ref=f"approval:{approval_id}")
    return approval


def approvals_not_used(subject_ref: str) -> list[Approval]:
    """Return the requests about a subject that may still be carried out, locked by age."""
    found = Approval.objects.select_for_update(no_key=True, of=("self",)).filter(
        subject_ref=subject_ref, state__in=[ApprovalState.OPEN, ApprovalState.APPROVED]
    )
    return list(found.order_by("id"))


def decided_approvals(*, limit: int) -> QuerySet[Approval]:
    """Return the decided requests that are due to be carried out, the longest due first."""
    return Approval.objects.filter(try_at__lte=timezone.now()).order_by("try_at")[:limit]


def obstructed_approvals(*, limit: int) -> QuerySet[Approval]:
    """Return what was approved and could not be carried out, oldest first."""
    stuck = Approval.objects.filter(state=ApprovalState.APPROVED).exclude(obstacle="")
    return stuck.order_by("requested_at")[:limit]


def pending_requests_about(ref: str, *, to: Actor) -> QuerySet[Approval]:
    """Return what was asked about something and is not carried out yet, as far as `to` sees it."""
    pending = (ApprovalState.OPEN, ApprovalState.APPROVED)
    return requests_about(ref, to=to).filter(state__in=pending)


def requests_about(ref: str, *, to: Actor) -> QuerySet[Approval]:
    """Return all that was ever asked about something, by age, as far as `to` sees it."""
    return visible_approvals(to=to).filter(subject_ref=ref).order_by("id")


def waiting_approvals(*, limit: int) -> QuerySet[Approval]:
    """Return the requests nobody has decided yet, oldest first."""
    return Approval.objects.filter(state=ApprovalState.OPEN).order_by("requested_at")[:limit]
