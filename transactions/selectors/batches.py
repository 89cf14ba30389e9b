"""Reading batches and their items."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.scopes import visible_books
from audit.actors import Actor
from audit.errors import NotFound
from transactions.models import BatchItem, TransferBatch
from transactions.states import OVER, ItemOutcome, ItemState

AT_ONCE_MAX: Final = 50


def visible_batches(*, to: Actor) -> QuerySet[TransferBatch]:
    """Return the batches `to` may know exist; start every list from here."""
    return visible_books(TransferBatch.objects.all(), to=to)


def access_batch(batch_id: UUID, *, actor: Actor, lock: bool = False) -> TransferBatch:
    """Return one batch `actor` may see, or refuse as if it did not exist."""
    batches = visible_batches(to=actor)
    if lock:
        batches = batches.select_for_update(no_key=True, of=("self",))
    batch = batches.filter(pk=batch_id).first()
    if batch is None:
        raise NotFound(ref=f"transferbatch:{batch_id}")
    return batch


def is_of_batch(trace_id: str) -> bool:
    """Say whether a trace is that of a batch, and so of all its transfers."""
    return TransferBatch.objects.filter(trace_id=trace_id).exists()


def last_step_at(batch: TransferBatch) -> datetime:
    """Return when a batch last went on: each chunk is a version of it."""
    dates = batch.history.order_by("-history_date").values_list("history_date", flat=True)
    return dates.first() or batch.requested_at


def listed_batches(*, to: Actor, before: UUID | None, limit: int) -> Sequence[TransferBatch]:
    """Return the batches `to` may see, the newest first, older than `before`."""
    batches = visible_batches(to=to)
    if before is not None:
        batches = batches.filter(pk__lt=before)
    return list(batches.order_by("-id")[:limit])


def listed_items(
    batch: TransferBatch, *, state: ItemState | None, after: UUID | None, limit: int
) -> Sequence[BatchItem]:
    """Return items of a batch in their order, after the one with key `after`, payees masked."""
    items = BatchItem.objects.filter(batch=batch).select_related(
        "batch", "payee_name", "payee_iban"
    )
    match state:
        case None:
            pass
        case ItemState.PENDING | ItemState.DROPPED:
            is_so = batch.is_over is (state is ItemState.DROPPED)
            items = items.filter(outcome="") if is_so else items.none()
        case _:
            items = items.filter(outcome=state)
    if after is not None:
        place = BatchItem.objects.filter(batch=batch, pk=after).values("number")
        items = items.filter(number__gt=place)
    return list(items.order_by("number")[:limit])


def pending_items(batch: TransferBatch, *, limit: int | None) -> Sequence[BatchItem]:
    """Return the first items of a batch that have no outcome yet, all of them without a limit."""
    return list(BatchItem.objects.filter(batch=batch, outcome="").order_by("number")[:limit])


def items_in_order(batch: TransferBatch) -> Sequence[BatchItem]:
    """Return all items of a batch, payees masked."""
    items = BatchItem.objects.filter(batch=batch).select_related("batch", "payee_iban")
    return list(items.order_by("number"))


def open_batches() -> Sequence[TransferBatch]:
    """Return batches that are not over, the oldest first; those another worker is at are left."""
    with transaction.atomic():
        batches = TransferBatch.objects.exclude(state__in=OVER)
        free = batches.select_for_update(no_key=True, of=("self",), skip_locked=True)
        return list(free.order_by("id")[:AT_ONCE_MAX])


def batch_of_transfer(transfer_id: UUID) -> TransferBatch | None:
    """Return the batch that a transfer was asked for in, None where it was asked for alone."""
    made = BatchItem.objects.filter(transfer_id=transfer_id, outcome=ItemOutcome.DONE)
    item = made.select_related("batch").first()
    return item.batch if item else None


def items_for_pages(*, to: Actor) -> QuerySet[BatchItem]:
    """Return the items of the batches `to` may see, each with its batch and its transfer."""
    found = BatchItem.objects.filter(batch__in=visible_batches(to=to).values("pk"))
    return found.select_related("batch", "transfer")
