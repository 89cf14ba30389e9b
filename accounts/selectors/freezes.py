"""Reading freezes: what stands on an account, and what is due."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.models import Freeze
from accounts.scopes import by_account
from accounts.states import FreezeMode, FreezeState
from audit.actors import Actor
from audit.errors import NotFound

NOT_OVER: Final = (FreezeState.SCHEDULED, FreezeState.IN_FORCE)
AT_ONCE_MAX: Final = 100


def visible_freezes(*, to: Actor) -> QuerySet[Freeze]:
    """Return the freezes `to` may know exist: those on accounts it sees."""
    return by_account(Freeze.objects.select_related("account"), to=to, path="account_id")


def access_freeze(freeze_id: UUID, *, actor: Actor, lock: bool = False) -> Freeze:
    """Return one freeze `actor` may see, or refuse as if it did not exist."""
    found = visible_freezes(to=actor)
    if lock:
        found = found.select_for_update(no_key=True, of=("self",))
    freeze = found.filter(pk=freeze_id).first()
    if freeze is None:
        raise NotFound(ref=f"freeze:{freeze_id}")
    return freeze


def modes_in_force(account_id: UUID) -> list[FreezeMode]:
    """Return what the freezes in force on an account stop, one each."""
    found = Freeze.objects.filter(account_id=account_id, state=FreezeState.IN_FORCE)
    return [FreezeMode(mode) for mode in found.values_list("mode", flat=True)]


def freezes_not_over(account_id: UUID) -> Sequence[Freeze]:
    """Return the freezes on an account that stop something, or will, the oldest first."""
    found = Freeze.objects.select_related("account").filter(state__in=NOT_OVER)
    return list(found.filter(account_id=account_id).order_by("id"))


def freezes_to_start() -> Sequence[Freeze]:
    """Return the freezes whose time has come, by the database's clock."""
    found = Freeze.objects.filter(state=FreezeState.SCHEDULED, starts_at__lte=Now())
    return list(found.exclude(ends_at__lte=Now()).order_by("starts_at")[:AT_ONCE_MAX])


def freezes_to_end() -> Sequence[Freeze]:
    """Return the freezes whose time is over, by the database's clock."""
    found = Freeze.objects.filter(state__in=NOT_OVER, ends_at__lte=Now())
    return list(found.order_by("ends_at")[:AT_ONCE_MAX])


def unconfirmed_freezes(*, limit: int) -> Sequence[Freeze]:
    """Return the freezes that a second person should have confirmed by now, the longest ago first.

    They stay: only two people lift a freeze.
    """
    found = Freeze.objects.select_related("account").filter(
        state__in=NOT_OVER, confirmed_at__isnull=True, confirm_by__lte=Now()
    )
    return list(found.order_by("confirm_by")[:limit])
