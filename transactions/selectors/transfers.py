"""Reading transfers. No other module queries the table on an actor's behalf."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models import QuerySet

from accounts.scopes import by_account
from audit.actors import Actor
from audit.errors import NotFound
from transactions.models import Transfer


def visible_transfers(*, to: Actor) -> QuerySet[Transfer]:
    """Return the transfers `to` may know exist; start every list from here."""
    return by_account(Transfer.objects.all(), to=to, path="source_id")


def access_transfer(transfer_id: UUID, *, actor: Actor, lock: bool = False) -> Transfer:
    """Return one transfer `actor` may see, or refuse as if it did not exist."""
    transfers = visible_transfers(to=actor)
    if lock:
        transfers = transfers.select_for_update(no_key=True, of=("self",))
    transfer = transfers.filter(pk=transfer_id).first()
    if transfer is None:
        raise NotFound(ref=f"transfer:{transfer_id}")
    return transfer


def access_payouts(
    transfer_ids: Collection[UUID], *, provider: str, actor: Actor
) -> dict[UUID, Transfer]:
    """Return those that `actor` may see and `provider` was sent, locked in order, with holds."""
    if not transfer_ids:
        return {}
    named = visible_transfers(to=actor).filter(pk__in=list(transfer_ids), provider=provider)
    locked = named.select_for_update(no_key=True, of=("self",)).order_by("pk")
    # Holds are read after the locks, under which alone they change.
    found = locked.select_related("fee_rule").prefetch_related("hold")
    return {transfer.pk: transfer for transfer in found}


def listed_transfers(*, to: Actor, before: UUID | None, limit: int) -> Sequence[Transfer]:
    """Return the transfers `to` may see, the newest first, older than `before`, payees masked."""
    transfers = visible_transfers(to=to).select_related("payee_name", "payee_iban")
    if before is not None:
        transfers = transfers.filter(pk__lt=before)
    return list(transfers.order_by("-id")[:limit])


def shown_transfer(transfer_id: UUID, *, actor: Actor) -> Transfer:
    """Return one transfer `actor` may see with its payee's masks, or refuse likewise."""
    transfers = visible_transfers(to=actor).select_related("payee_name", "payee_iban")
    transfer = transfers.filter(pk=transfer_id).first()
    if transfer is None:
        raise NotFound(ref=f"transfer:{transfer_id}")
    return transfer
