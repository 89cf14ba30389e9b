"""Commands on many transfers at once: taking a batch in, and carrying it out chunk by chunk."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from django.utils import timezone

from accounts.services.mailbox import publish
from audit.actors import Actor
from audit.canonical import Json
from audit.circumstances import current
from audit.commands import Batch, command
from audit.constraints import refuse_on
from audit.doorbell import ring
from audit.errors import Refusal
from audit.history import Guarded
from audit.services.recording import flush, later, record, record_refusal
from transactions.errors import AlreadyBooked
from transactions.models import TransferBatch
from transactions.selectors.batches import access_batch, pending_items
from transactions.services.intake import Instruction, take_in
from transactions.services.items import (
    KeyedOrder,
    Outcome,
    close,
    closing,
    decided,
    standings_for,
    store_items,
)
from transactions.services.storing import Taken, tell_taken
from transactions.states import ItemOutcome

# What one statement may carry, and one transaction of a batch that is not atomic.
CHUNK_ITEMS: Final = 1_000


@command
def request_batch(
    *,
    actor: Actor,
    orders: Sequence[KeyedOrder],
    is_atomic: bool,
    reference: str,
    key_scope: str,
    origin: str,
) -> TransferBatch:
    """Take in many instructions to move money, for the worker to carry out; moves none yet.

    `key_scope` is where the orders' keys count. Whether each may happen is
    decided when it is its turn.
    """
    batch = TransferBatch(
        book_id=actor.book,
        partner_id=actor.tenant,
        is_atomic=is_atomic,
        item_count=len(orders),
        reference=reference,
        origin=origin,
        key_scope=key_scope,
        requested_by=actor.ref,
        requested_label=actor.label[:200],
        requested_credential=actor.credential,
        trace_id=current().trace_id,
        requested_at=timezone.now(),
    )
    return accept(batch, orders=orders, actor=actor)


def accept(
    batch: TransferBatch,
    *,
    orders: Sequence[KeyedOrder],
    actor: Actor,
    also: Sequence[Guarded] = (),
) -> TransferBatch:
    """Store a new batch and its items, and wake who carries it out, as a step of a command.

    `also` are rows that the command changed with it. AlreadyBooked for a known origin.
    """
    with refuse_on({"batch_origin_once": AlreadyBooked(origin=batch.origin)}):
        batch.save(force_insert=True)
    store_items(batch, orders=orders)
    facts = {"origin": batch.origin, "items": len(orders), "is_atomic": batch.is_atomic}
    rows = [batch, *also]
    record(
        "batch.accepted",
        actor=actor,
        target=batch,
        facts=facts,
        rows=rows,
        book_id=batch.book_id,
    )
    _publish(batch)
    ring("transactions.carry_out_batches")
    return batch


@command
def carry_out_batch(*, actor: Actor, batch_id: UUID) -> Batch:
    """Carry out the next chunk of a batch, or all of an atomic one, in the order of its items.

    One transaction: transfers, outcomes, keys, entries, letters and the batch's
    counts. So a crash leaves whole chunks, and the next call goes on with the first
    item that has no outcome. The result is empty where nothing is left to do.
    Refuses with KeyInFlight or AlreadyBooked where an item's key was used elsewhere
    in this very moment; the next call sees what for.
    """
    batch = access_batch(batch_id, actor=actor, lock=True)
    if batch.is_over:
        return Batch()
    items = pending_items(batch, limit=None if batch.is_atomic else CHUNK_ITEMS)
    standings = standings_for(items, actor=actor)
    outcomes = decided(batch, items=items, actor=actor, standings=standings)
    for each in outcomes:
        if batch.is_atomic and isinstance(each.found, Refusal):
            return _refused(batch, outcome=each, refusal=each.found, actor=actor)
    for number, chunk in enumerate(_chunks(outcomes)):
        if number:
            flush()
        close(batch, outcomes=chunk, actor=actor)
    return _moved_on(batch, outcomes=outcomes, actor=actor)


@command
def request_transfers(*, actor: Actor, instructions: Sequence[Instruction]) -> Batch:
    """Take in at most `CHUNK_ITEMS` instructions at once, each with an outcome of its own.

    What a chunk of a batch does, for callers in the house that keep no batch.
    """
    found = take_in(instructions, actor=actor)
    for instruction, each in zip(instructions, found, strict=True):
        if isinstance(each, Taken):
            tell_taken(each, actor=actor)
        else:
            ref = f"account:{instruction.order.source_id}"
            record_refusal("transfer.refused", actor=actor, ref=ref, refusal=each)
    return Batch(found)


def _refused(batch: TransferBatch, *, outcome: Outcome, refusal: Refusal, actor: Actor) -> Batch:
    """End an atomic batch for its first item that cannot be. Nothing of it has been written."""
    number = outcome.item.number
    batch.refuse(refusal, number=number, at=timezone.now())
    batch.save(
        update_fields=[
            "state",
            "finished_at",
            "refused_count",
            "refused_number",
            "refused_code",
        ]
    )
    later(closing(batch, outcomes=[outcome]))
    facts = {"number": number, "code": refusal.code, "said": refusal.facts()}
    record("batch.refused", actor=actor, target=batch, facts=facts, rows=[batch])
    _publish(batch)
    return Batch([batch])


def _moved_on(batch: TransferBatch, *, outcomes: Sequence[Outcome], actor: Actor) -> Batch:
    """Count what came of a chunk; say so when it was the last."""
    counts = Counter(each.word for each in outcomes)
    batch.move_on(
        done=counts[ItemOutcome.DONE],
        refused=counts[ItemOutcome.REFUSED],
        replayed=counts[ItemOutcome.REPLAYED],
        at=timezone.now(),
    )
    batch.save(
        update_fields=["state", "finished_at", "done_count", "refused_count", "replayed_count"]
    )
    action = "batch.finished" if batch.is_over else "batch.moved_on"
    record(
        action,
        actor=actor,
        target=batch,
        facts={str(word): count for word, count in counts.items()},
        rows=[batch],
    )
    if batch.is_over:
        _publish(batch)
    return Batch([batch, *outcomes])


def _chunks(outcomes: Sequence[Outcome]) -> Iterator[Sequence[Outcome]]:
    for start in range(0, len(outcomes), CHUNK_ITEMS):
        yield outcomes[start : start + CHUNK_ITEMS]


def _publish(batch: TransferBatch) -> None:
    """Leave the partner a letter that says where the batch stands now."""
    payload: dict[str, Json] = {
        "id": batch.public_id,
        "state": batch.state,
        "reference": batch.reference,
        "item_count": batch.item_count,
        "done_count": batch.done_count,
        "refused_count": batch.refused_count,
        "replayed_count": batch.replayed_count,
        "refused_item": batch.refused_number,
        "refused_code": batch.refused_code or None,
    }
    publish(
        f"batch.{batch.state}",
        book_id=batch.book_id,
        payload=payload,
        occurred_at=batch.finished_at or batch.requested_at,
    )
