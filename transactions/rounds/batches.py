"""Carrying out batches, each in the name of whoever asked, a chunk in turn so that none waits."""

import logging
from collections.abc import Callable
from functools import partial
from uuid import UUID

from accounts.roles import BATCH_GRANTS, SEES_EVERY_PORTFOLIO_GRANT
from audit.actors import Actor, ActorKind
from audit.circumstances import under
from audit.errors import Refusal
from audit.failpoints import between_failpoints
from audit.rounds import one_alone, share
from transactions.models import TransferBatch
from transactions.selectors.batches import open_batches
from transactions.services.batches import carry_out_batch

log = logging.getLogger(__name__)
carry_out = between_failpoints("batch.carry_out")(carry_out_batch)


def carry_out_batches() -> int:
    """Carry out chunks of the open batches in turn as long as its share lasts; return how many.

    A batch that goes wrong is put aside until the next round.
    """
    has_time = share()
    aside: set[UUID] = set()
    chunks = 0
    while has_time():
        batches = [batch for batch in open_batches() if batch.pk not in aside]
        if not batches:
            break
        for batch in batches:
            put_aside = partial(aside.add, batch.pk)
            with (
                under(trace_id=batch.trace_id),
                one_alone(f"batch {batch.pk}", otherwise=put_aside),
            ):
                chunks += _carry_on(batch, otherwise=put_aside)
    return chunks


def _carry_on(batch: TransferBatch, *, otherwise: Callable[[], None]) -> int:
    """Carry out one chunk. A refusal is written down; what it is for is seen next time."""
    try:
        carry_out(actor=_asker(batch), batch_id=batch.pk)
    except Refusal as refusal:
        log.warning("batch %s: %s", batch.pk, refusal.code)
        otherwise()
        return 0
    return 1


def _asker(batch: TransferBatch) -> Actor:
    """Return who asked, as they were then, with the one right that is left to use.

    A batch of staff was signed whole, so all of its book may be seen.
    """
    kind, _, key = batch.requested_by.partition(":")
    sees = {SEES_EVERY_PORTFOLIO_GRANT} if batch.approval_id else frozenset[str]()
    return Actor(
        kind=ActorKind(kind),
        id=key,
        label=batch.requested_label,
        credential=batch.requested_credential,
        grants=BATCH_GRANTS | sees,
        partner_id=batch.partner_id,
        book_id=batch.book_id,
    )
