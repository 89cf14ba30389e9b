"""Commands on transfers that wait: kept for later, and carried out when their time comes."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from audit.actors import Actor, ActorKind
from audit.commands import command
from audit.errors import Invalid, Refusal
from audit.services.recording import record
from transactions.errors import NothingChanged
from transactions.limits import Spending
from transactions.models import Transfer
from transactions.orders import TransferOrder
from transactions.selectors.payees import Register
from transactions.selectors.transfers import access_transfer
from transactions.services.charging import charge
from transactions.services.intake import Instruction, draft_transfer, send_out, stand_for
from transactions.services.payees import wants_signature_for_payee
from transactions.services.steps import save_state, tell
from transactions.services.storing import Taken, move_all, store, store_companions
from transactions.standing import move, sides
from transactions.states import LimitKind, TransferKind, TransferState

AHEAD_MIN: Final = timedelta(seconds=1)
AHEAD_MAX: Final = timedelta(days=365)


@command
def schedule_transfer(
    *, actor: Actor, order: TransferOrder, execute_at: datetime, origin: str
) -> Transfer:
    """Keep an instruction to move money until `execute_at`, exactly once for its `origin`.

    Nothing is reserved: limits, freeze and funds are decided then. Refuses, in
    this order: NotFound, Invalid (to itself), CurrencyMismatch, Invalid (not
    ahead, too far ahead); AlreadyBooked for a known origin.
    """
    named = {key for key in (order.source_id, order.destination_id) if key}
    standings = stand_for(named, actor=actor)
    source, _ = sides(
        order.source_id,
        order.destination_id,
        currency=order.money.currency,
        standings=standings,
    )
    if not AHEAD_MIN <= execute_at - timezone.now() <= AHEAD_MAX:
        said = f"must be ahead, by at most {AHEAD_MAX.days} days"
        raise Invalid(fields={"execute_at": said})
    instruction = Instruction(order=order, origin=origin)
    transfer = draft_transfer(instruction, actor=actor, source=source)
    transfer.state, transfer.execute_at = TransferState.SCHEDULED, execute_at
    store([Taken(transfer=transfer)])
    tell(transfer, occurred_at=transfer.occurred_at)
    record(
        "transfer.scheduled",
        actor=actor,
        target=transfer,
        facts={"origin": origin, "execute_at": execute_at},
        rows=[transfer],
        book_id=transfer.book_id,
    )
    return transfer


@command
def execute_scheduled(*, actor: Actor, transfer_id: UUID) -> Transfer:
    """Carry out a transfer whose time has come, by the rules of a fresh request.

    A lasting refusal is the transfer's end: it has failed, with the refusal's
    code. NothingChanged where its time has not come, or it was carried out or
    called off before: of two workers one carries it out.
    """
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    is_due = transfer.execute_at is not None and transfer.execute_at <= timezone.now()
    if transfer.state != TransferState.SCHEDULED or not is_due:
        raise NothingChanged(ref=transfer.audit_ref)
    try:
        taken = _carry_out(transfer, actor=actor)
    except Refusal as refusal:
        if refusal.transient:
            raise
        transfer.advance(TransferState.FAILED)
        transfer.failure_code = refusal.code
        transfer.fee_minor, transfer.fee_rule = 0, None
        taken = Taken(transfer=transfer)
    save_state(transfer, "failure_code", "approval", "fee_minor", "fee_rule")
    tell(transfer, occurred_at=timezone.now())
    record(
        "transfer.executed",
        actor=actor,
        target=transfer,
        facts={"state": transfer.state, "failure_code": transfer.failure_code},
        rows=[transfer, *taken.rows],
    )
    return transfer


def _carry_out(transfer: Transfer, *, actor: Actor) -> Taken:
    """Move or reserve the money, as if it had been asked for now; a refusal changes nothing."""
    named = [key for key in (transfer.source_id, transfer.destination_id) if key]
    kind, amount = LimitKind(transfer.kind), transfer.amount_minor
    spending = Spending(
        account_ids=frozenset({transfer.source_id}),
        kinds=frozenset({kind}),
        amount_minor=amount,
        times=1,
    )
    standings = stand_for(named, actor=actor, spending=spending)
    source, destination = sides(
        transfer.source_id,
        transfer.destination_id,
        currency=transfer.currency,
        standings=standings,
    )
    maker = _maker(transfer)
    is_unusual = wants_signature_for_payee(transfer, actor=maker, register=Register())
    charge(transfer, source=source)
    uses = move(
        amount, kind=kind, source=source, destination=destination, fee_minor=transfer.fee_minor
    )
    if transfer.kind == TransferKind.INTERNAL:
        transfer.advance(TransferState.SETTLED, at=source.told_at)
        taken = Taken(transfer=transfer, uses=uses)
    else:
        rows = send_out(transfer, actor=maker, source=source, is_unusual=is_unusual)
        taken = Taken(transfer=transfer, rows=rows, uses=uses)
        store_companions([taken])
    move_all([taken])
    return taken


def _maker(transfer: Transfer) -> Actor:
    """Return who asked for the transfer: they, not the clock, are the other pair of eyes."""
    kind, _, key = transfer.requested_by.partition(":")
    return Actor(
        kind=ActorKind(kind),
        id=key,
        label=f"{kind} (scheduled)",
        credential="schedule",
        grants=frozenset(),
    )
