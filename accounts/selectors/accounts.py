"""Reading accounts."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from accounts.models import Account, Freeze
from accounts.scopes import visible_accounts
from accounts.states import FreezeState
from audit.actors import Actor
from audit.errors import NotFound


def access_account(account_id: UUID, *, actor: Actor, lock: bool = False) -> Account:
    """Return one account `actor` may see, or refuse as if it did not exist."""
    accounts = visible_accounts(to=actor)
    if lock:
        accounts = accounts.select_for_update(no_key=True, of=("self",))
    account = accounts.filter(pk=account_id).first()
    if account is None:
        raise NotFound(ref=f"account:{account_id}")
    return account


def listed_accounts(*, to: Actor, after: UUID | None, limit: int) -> Sequence[Account]:
    """Return the accounts `to` may see, oldest first, beyond `after`, with their open freezes."""
    accounts = visible_accounts(to=to)
    if after is not None:
        accounts = accounts.filter(pk__gt=after)
    return list(with_freezes(accounts).order_by("id")[:limit])


def shown_account(account_id: UUID, *, actor: Actor) -> Account:
    """Return one account `actor` may see with its open freezes, or refuse as if unknown."""
    account = with_freezes(visible_accounts(to=actor)).filter(pk=account_id).first()
    if account is None:
        raise NotFound(ref=f"account:{account_id}")
    return account


def with_freezes(accounts: QuerySet[Account]) -> QuerySet[Account]:
    """Fetch each account's freezes in force, as `open_freezes`."""
    still_open = Freeze.objects.filter(state=FreezeState.IN_FORCE).order_by("placed_at")
    return accounts.prefetch_related(
        Prefetch("freezes", queryset=still_open, to_attr="open_freezes")
    )
