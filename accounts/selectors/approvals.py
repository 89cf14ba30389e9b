"""Reading approvals."""

from uuid import UUID

from django.db.models import QuerySet

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


def waiting_approvals(*, limit: int) -> QuerySet[Approval]:
    """Return the requests nobody has decided yet, oldest first."""
    return Approval.objects.filter(state=ApprovalState.OPEN).order_by("requested_at")[:limit]
