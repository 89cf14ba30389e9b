"""Taking in orders, one or thousands: decided in turn under all their locks, written together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from accounts.crypto.vault import sealed
from accounts.models import VaultRecord
from accounts.scopes import visible_accounts
from accounts.selectors.vault import vault_records
from accounts.services.approvals import request_for
from audit.actors import Actor, ActorKind
from audit.circumstances import current
from audit.errors import Refusal
from audit.history import Guarded
from transactions.ledger.posting import stand
from transactions.limits import Spending
from transactions.models import Hold, Transfer
from transactions.orders import KnownPayee, Payee, TransferOrder
from transactions.selectors.payees import Register
from transactions.services.charging import charge
from transactions.services.payees import wants_signature_for_payee
from transactions.services.steps import approval_payload
from transactions.services.storing import Taken, write
from transactions.standing import Standing, move, sides
from transactions.states import LimitKind, TransferState

PAYOUT_PROVIDER = "testbank"
RELEASE = "transactions.release_transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One order and the one thing that caused it; `trace_id` is its own, or the one under way.

    One that `is_signed` was approved by a second person with what it is a part of.
    """

    order: TransferOrder
    origin: str
    trace_id: str = ""
    is_signed: bool = False


def take_in(instructions: Sequence[Instruction], *, actor: Actor) -> list[Taken | Refusal]:
    """Decide each instruction in its turn, and write what was taken in when the command ends.

    An internal transfer is settled at once. A payout is reserved, and waits for
    a second person where `send_out` says so. What an order may be refused with,
    `standing.sides`, `wants_signature_for_payee` and `standing.move` say, in that order.
    """
    standings = standings_of([each.order for each in instructions], actor=actor)
    decided = decide(instructions, actor=actor, standings=standings)
    write([found for found in decided if isinstance(found, Taken)])
    return decided


def standings_of(orders: Sequence[TransferOrder], *, actor: Actor) -> dict[UUID, Standing]:
    """Lock and return the accounts that the orders name and `actor` may see."""
    named = {key for order in orders for key in (order.source_id, order.destination_id) if key}
    spending = Spending(
        account_ids=frozenset(order.source_id for order in orders),
        kinds=frozenset(LimitKind(order.kind) for order in orders),
        amount_minor=sum(order.money.amount_minor for order in orders),
        times=len(orders),
    )
    return stand_for(named, actor=actor, spending=spending)


def stand_for(
    account_ids: Collection[UUID], *, actor: Actor, spending: Spending | None = None
) -> dict[UUID, Standing]:
    """Lock and return those of the accounts that `actor` may see."""
    if actor.kind is ActorKind.PARTNER:  # its book is all a partner sees
        return stand(account_ids, book_id=actor.book_id, spending=spending)
    visible = visible_accounts(to=actor).filter(pk__in=list(account_ids))
    return stand(set(visible.values_list("pk", flat=True)), spending=spending)


def decide(
    instructions: Sequence[Instruction], *, actor: Actor, standings: Mapping[UUID, Standing]
) -> list[Taken | Refusal]:
    """Decide each instruction in its turn, under the locks of `standings`. Writes nothing."""
    vault = _known_payees(instructions)
    register = Register(vault.values())
    return [
        _decide(each, actor=actor, standings=standings, vault=vault, register=register)
        for each in instructions
    ]


def _known_payees(instructions: Sequence[Instruction]) -> dict[UUID, VaultRecord]:
    """Return the vault records that the orders name by their tokens."""
    payees = [each.order.payee for each in instructions]
    known = [payee for payee in payees if isinstance(payee, KnownPayee)]
    tokens = [token for payee in known for token in (payee.name_id, payee.iban_id)]
    return vault_records(tokens) if tokens else {}


def _decide(
    instruction: Instruction,
    *,
    actor: Actor,
    standings: Mapping[UUID, Standing],
    vault: Mapping[UUID, VaultRecord],
    register: Register,
) -> Taken | Refusal:
    """Return the transfer that an instruction becomes, or why it does not."""
    order = instruction.order
    try:
        source, destination = sides(
            order.source_id,
            order.destination_id,
            currency=order.money.currency,
            standings=standings,
        )
        transfer = draft_transfer(instruction, actor=actor, source=source, vault=vault)
        is_unusual = order.payee is not None and wants_signature_for_payee(
            transfer, actor=actor, register=register
        )
        charge(transfer, source=source)
        uses = move(
            transfer.amount_minor,
            kind=LimitKind(transfer.kind),
            source=source,
            destination=destination,
            fee_minor=transfer.fee_minor,
        )
    except Refusal as refusal:
        return refusal
    if order.payee is None:
        transfer.state, transfer.settled_at = TransferState.SETTLED, source.told_at
        return Taken(transfer=transfer, uses=uses)
    if instruction.is_signed:
        rows = _reserved(transfer, source=source)
    else:
        rows = send_out(transfer, actor=actor, source=source, is_unusual=is_unusual)
    return Taken(transfer=transfer, rows=rows, uses=uses)


def draft_transfer(
    instruction: Instruction,
    *,
    actor: Actor,
    source: Standing,
    vault: Mapping[UUID, VaultRecord] = MappingProxyType({}),
) -> Transfer:
    """Return the transfer that an instruction asks for, in no state yet, its payee sealed.

    `vault` holds the payees that are known by their tokens. Its times are the database's own.
    """
    order, now = instruction.order, source.told_at
    transfer = Transfer.fresh(
        book_id=source.book_id,
        kind=order.kind,
        source_id=order.source_id,
        destination_id=order.destination_id,
        amount_minor=order.money.amount_minor,
        currency=order.money.currency,
        reference=order.reference,
        metadata=order.metadata,
        origin=instruction.origin,
        requested_by=actor.ref,
        trace_id=instruction.trace_id or current().trace_id,
        occurred_at=now,
        requested_at=now,
    )
    match order.payee:
        case Payee(name=name, iban=iban):
            transfer.payee_name = sealed(name, label="name", book_id=source.book_id)
            transfer.payee_iban = sealed(iban, label="iban", book_id=source.book_id)
        case KnownPayee(name_id=name_id, iban_id=iban_id):
            transfer.payee_name, transfer.payee_iban = vault[name_id], vault[iban_id]
        case None:
            return transfer
    transfer.provider = PAYOUT_PROVIDER
    return transfer


def send_out(
    transfer: Transfer, *, actor: Actor, source: Standing, is_unusual: bool
) -> tuple[Guarded, ...]:
    """Set a payout on its way: its money held, a second person asked where one is needed.

    That is at or above the partner's threshold, for an unusual payee, and
    whenever staff asks. Returns the rows that come with it.
    """
    is_large = transfer.amount_minor >= source.threshold_minor
    if is_large or is_unusual or actor.kind is ActorKind.STAFF:
        transfer.approval = request_for(
            RELEASE,
            actor=actor,
            subject_ref=transfer.audit_ref,
            book_id=transfer.book_id,
            payload=approval_payload(transfer),
        )
    return _reserved(transfer, source=source)


def _reserved(transfer: Transfer, *, source: Standing) -> tuple[Guarded, ...]:
    """Return a payout's hold, and the request that it waits for where it does not go at once."""
    waits = transfer.approval is not None
    transfer.state = TransferState.AWAITING_APPROVAL if waits else TransferState.ACCEPTED
    hold = Hold(
        transfer=transfer,
        book_id=transfer.book_id,
        account_id=transfer.source_id,
        amount_minor=transfer.total_minor,
        created_at=source.told_at,
    )
    return (transfer.approval, hold) if transfer.approval else (hold,)
