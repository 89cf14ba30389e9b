"""Working off the inbox: lease a batch, read each callback, carry out what it means, mark it.

A crash anywhere repeats into "already done": every effect has an origin or a
state that takes it once, and the lease runs out by itself.
"""

import logging
from functools import partial
from typing import assert_never
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError

from accounts.crypto.boxes import open_box
from accounts.roles import PROVIDER_GRANTS
from audit.actors import Actor, ActorKind
from audit.circumstances import under
from audit.errors import NotFound, Refusal
from audit.failpoints import between_failpoints
from audit.rounds import one_alone, share
from audit.typeids import parse_typeid
from integrations.models import Callback
from integrations.providers.base import Ignored, NotYet
from integrations.providers.registry import inbound_of, lookup_of
from integrations.selectors.callbacks import leased_callback
from integrations.services.inbox import begin, lease_batch, mark, postpone
from integrations.states import CallbackState
from transactions.errors import AlreadyBooked, Contradiction, NothingChanged
from transactions.meanings import (
    DisputeNotice,
    Meaning,
    Movement,
    NotUnderstood,
    PaymentNotice,
    PayoutNotice,
    TransferNotice,
    TransferState,
)
from transactions.money import Money
from transactions.selectors.traces import trace_of
from transactions.services.dispatching import (
    fail_transfer,
    note_acceptance,
    return_transfer,
    settle_transfer,
)
from transactions.services.movements import book_movement
from transactions.services.notices import note_dispute, note_payment, note_payout

log = logging.getLogger(__name__)
start = between_failpoints("inbox.begin")(begin)
lease = between_failpoints("inbox.lease")(lease_batch)
finish = between_failpoints("inbox.mark")(mark)
try_later = between_failpoints("inbox.postpone")(postpone)


def drain_inbox() -> int:
    """Work off what is due, batch by batch, as long as its share lasts; return how many were."""
    count, has_time = 0, share()
    while has_time() and (batch := lease()):
        for callback_id in batch:
            callback = leased_callback(callback_id)
            later = partial(try_later, callback, reason="an error of ours: see the alarm")
            with one_alone(callback.audit_ref, otherwise=later):
                work_off(callback)
        count += len(batch)
    return count


def work_off(callback: Callback) -> None:
    """Carry out one leased callback and mark it. Running it twice ends as running it once."""
    if not start(callback):
        return
    with under(trace_id=callback.trace_id):
        try:
            meanings = _read(callback)
        except NotUnderstood as error:
            finish(callback, CallbackState.QUARANTINED, detail=error.reason)
        except Ignored as error:
            finish(callback, CallbackState.IGNORED, detail=error.reason)
        except NotYet as error:
            try_later(callback, reason=error.reason)
        else:
            _carry_out(callback, meanings=meanings)


def _read(callback: Callback) -> list[Meaning]:
    """Open the box and ask the provider's reader what it says."""
    inbound = inbound_of(callback.provider)
    if inbound is None:
        raise NotUnderstood(f"no provider {callback.provider}")
    body = open_box(bytes(callback.body), private_key=settings.INBOX_PRIVATE_KEY)
    return inbound.meanings(body=body, lookup=lookup_of(callback.provider))


def _carry_out(callback: Callback, *, meanings: list[Meaning]) -> None:
    """Run one command a meaning, in order, and mark the callback with what they did."""
    actor = Actor(
        kind=ActorKind.PROVIDER,
        id=callback.provider,
        label=callback.provider.capitalize(),
        credential=callback.audit_ref,
        grants=PROVIDER_GRANTS,
    )
    said: list[str] = []
    for meaning in meanings:
        with under(trace_id=trace_of(meaning) or callback.trace_id):
            try:
                said.append(act_on(meaning, actor=actor))
            except (AlreadyBooked, NothingChanged) as known:
                said.append(known.code)
            except (Contradiction, NotFound) as wrong:
                finish(callback, CallbackState.QUARANTINED, detail=str(wrong))
                return
            except (Refusal, DatabaseError) as error:
                log.warning("callback %s: %s", callback.pk, type(error).__name__)
                try_later(
                    callback, reason=str(error) if isinstance(error, Refusal) else "database"
                )
                return
    with under(trace_id=trace_of(meanings[0]) or callback.trace_id):
        finish(callback, CallbackState.PROCESSED, detail=", ".join(said))


@between_failpoints("callback.act")
def act_on(meaning: Meaning, *, actor: Actor) -> str:
    """Run the one command that `meaning` asks for; return what was done, in a word or two."""
    match meaning:
        case Movement():
            book_movement(actor=actor, movement=meaning)
            return f"booked {meaning.kind}"
        case PaymentNotice():
            return f"payment {note_payment(actor=actor, notice=meaning).state}"
        case DisputeNotice():
            return f"dispute {note_dispute(actor=actor, notice=meaning).state}"
        case PayoutNotice():
            return f"payout {note_payout(actor=actor, notice=meaning).state}"
        case TransferNotice():
            return f"transfer {act_on_transfer(meaning, actor=actor)}"
        case unreachable:
            assert_never(unreachable)


def act_on_transfer(notice: TransferNotice, *, actor: Actor) -> str:
    """Run the command for what a bank says of one of our payouts."""
    transfer_id = transfer_named(notice.reference)
    told = Money(notice.amount_minor, notice.currency)
    match notice.state:
        case TransferState.ACCEPTED:
            note_acceptance(actor=actor, transfer_id=transfer_id, provider_ref=notice.provider_ref)
        case TransferState.SETTLED:
            settle_transfer(
                actor=actor,
                transfer_id=transfer_id,
                provider_ref=notice.provider_ref,
                occurred_at=notice.occurred_at,
                told=told,
            )
        case TransferState.FAILED:
            fail_transfer(
                actor=actor,
                transfer_id=transfer_id,
                reason=notice.reason or "failed",
                occurred_at=notice.occurred_at,
            )
        case TransferState.RETURNED:
            return_transfer(
                actor=actor,
                transfer_id=transfer_id,
                reason=notice.reason or "returned",
                occurred_at=notice.occurred_at,
                told=told,
            )
        case unreachable:
            assert_never(unreachable)
    return notice.state.value


def transfer_named(reference: str) -> UUID:
    """Return our transfer's key from its name at the bank; NotFound if it is not ours."""
    try:
        return parse_typeid("trf", reference)
    except ValueError as error:
        raise NotFound(ref=f"transfer:{reference[:40]}") from error
