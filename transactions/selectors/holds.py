"""Reading holds. No other module queries the table on an actor's behalf."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from accounts.scopes import by_account
from audit.actors import Actor
from audit.errors import NotFound
from transactions.models import Hold
from transactions.states import HoldState


def visible_holds(*, to: Actor) -> QuerySet[Hold]:
    """Return the holds `to` may know exist, payouts' among them; start every list from here."""
    return by_account(Hold.objects.select_related("account"), to=to, path="account_id")


def access_hold(hold_id: UUID, *, actor: Actor, lock: bool = False) -> Hold:
    """Return one hold of a partner that `actor` may see, or refuse as if it did not exist.

    A payout's reservation is not to be had here: it follows its payout.
    """
    holds = visible_holds(to=actor).filter(transfer__isnull=True)
    if lock:
        holds = holds.select_for_update(no_key=True, of=("self",))
    hold = holds.filter(pk=hold_id).first()
    if hold is None:
        raise NotFound(ref=f"hold:{hold_id}")
    return hold


def listed_holds(*, to: Actor, before: UUID | None, limit: int) -> Sequence[Hold]:
    """Return the partner's holds `to` may see, the newest first, older than `before`."""
    holds = visible_holds(to=to).filter(transfer__isnull=True)
    if before is not None:
        holds = holds.filter(pk__lt=before)
    return list(holds.order_by("-id")[:limit])


def holds_to_expire(*, limit: int) -> Sequence[tuple[UUID, str]]:
    """Return id and trace of open holds whose time is up, the longest overdue first."""
    due = Hold.objects.filter(state=HoldState.OPEN, expires_at__lte=timezone.now())
    return list(due.order_by("expires_at").values_list("pk", "trace_id")[:limit])
