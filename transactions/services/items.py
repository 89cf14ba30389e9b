"""Steps on the items of a batch: stored, decided, closed. Each runs in a command's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from accounts.crypto.vault import sealed, store_sealed
from accounts.errors import AlreadyProcessed, KeyReused
from accounts.keys import origin_of
from accounts.models import IdempotencyKey, VaultRecord
from accounts.selectors.idempotency import kept_keys
from accounts.services.keys import UsedKey, keeping
from audit.actors import Actor
from audit.calls import Call, spell
from audit.commands import lasts
from audit.errors import Refusal
from audit.history import plain
from audit.services.recording import later, record, record_refusal
from audit.typeids import parse_typeid, typeid, uuid7
from transactions.models import BatchItem, TransferBatch
from transactions.money import Money
from transactions.orders import KnownPayee, Payee, TransferOrder
from transactions.services.intake import Instruction, decide, standings_of
from transactions.services.storing import Taken, tell_taken, write
from transactions.standing import Standing
from transactions.states import ItemOutcome, TransferKind

TRANSFERS: Final = "/v1/transfers/"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedOrder:
    """One order of a batch, and its own key and fingerprint, as if it were asked for alone."""

    order: TransferOrder
    key_hash: bytes
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one item: a new transfer, the id of an earlier one under its key, or a no.

    `is_first` says that its key had never been used.
    """

    item: BatchItem
    found: Taken | UUID | Refusal
    is_first: bool

    @property
    def word(self) -> ItemOutcome:
        """Return the outcome as it is stored."""
        match self.found:
            case Taken():
                return ItemOutcome.DONE
            case UUID():
                return ItemOutcome.REPLAYED
            case _:
                return ItemOutcome.REFUSED

    @property
    def transfer_id(self) -> UUID | None:
        """Return the item's transfer, None for a no."""
        match self.found:
            case Taken(transfer=transfer):
                return transfer.pk
            case UUID():
                return self.found
            case _:
                return None


def store_items(batch: TransferBatch, *, orders: Sequence[KeyedOrder]) -> None:
    """Seal the payees that are new and store an item for each order, numbered from 1."""
    vault: list[VaultRecord] = []
    rows = []
    for number, each in enumerate(orders, 1):
        payee = each.order.payee
        if isinstance(payee, Payee):
            name = sealed(payee.name, label="name", book_id=batch.book_id)
            iban = sealed(payee.iban, label="iban", book_id=batch.book_id)
            vault += (name, iban)
            payee = KnownPayee(name_id=name.pk, iban_id=iban.pk)
        tokens = {
            "payee_name_id": payee.name_id if payee else None,
            "payee_iban_id": payee.iban_id if payee else None,
        }
        rows.append({"batch_id": batch.pk, "number": number} | tokens | _spelled(each))
    store_sealed(vault)
    later(Call(sql="batch_items_store(%s::jsonb)", values=(spell(rows),)))


def standings_for(items: Sequence[BatchItem], *, actor: Actor) -> dict[UUID, Standing]:
    """Lock and return the accounts that the items name, those of them that `actor` may see."""
    return standings_of([_order_of(item) for item in items], actor=actor)


def decided(
    batch: TransferBatch,
    *,
    items: Sequence[BatchItem],
    actor: Actor,
    standings: Mapping[UUID, Standing],
) -> list[Outcome]:
    """Decide the items in their turn, as their accounts stand. Writes nothing.

    Under the locks of `standings`, what another request did with the same accounts
    is seen: so keys are looked up after them. One that works on others is told by the
    unique constraints.
    """
    kept = kept_keys(batch.key_scope, key_hashes=[bytes(item.key_hash) for item in items])
    instructions = [
        Instruction(
            order=_order_of(item),
            origin=origin_of(batch.key_scope, key_hash=bytes(item.key_hash)),
            is_signed=batch.approval_id is not None,
        )
        for item in items
        if bytes(item.key_hash) not in kept
    ]
    answers = iter(decide(instructions, actor=actor, standings=standings))
    outcomes = []
    for item in items:
        used = kept.get(bytes(item.key_hash))
        found = next(answers) if used is None else _earlier(item, used=used)
        outcomes.append(Outcome(item=item, found=found, is_first=used is None))
    return outcomes


def close(batch: TransferBatch, *, outcomes: Sequence[Outcome], actor: Actor) -> None:
    """Write what came of these items: transfers, keys, outcomes, and an entry for each."""
    write([each.found for each in outcomes if isinstance(each.found, Taken)])
    used = [key for each in outcomes if (key := _used_key(each)) is not None]
    if used:
        later(keeping(used, scope=batch.key_scope, book_id=batch.book_id))
    later(closing(batch, outcomes=outcomes))
    for each in outcomes:
        _tell(each, batch=batch, actor=actor)


def closing(batch: TransferBatch, *, outcomes: Sequence[Outcome]) -> Call:
    """Return the call that gives these items their outcomes, once and for all."""
    spelled = spell([_spelled_outcome(each) for each in outcomes])
    return Call(sql="batch_items_close(%s, %s::jsonb)", values=(batch.pk, spelled))


def _tell(outcome: Outcome, *, batch: TransferBatch, actor: Actor) -> None:
    """Write one item's entry."""
    facts: dict[str, object] = {"batch": batch.public_id, "number": outcome.item.number}
    match outcome.found:
        case Taken() as taken:
            tell_taken(taken, actor=actor, facts=facts)
        case UUID() as key:
            facts["transfer"] = typeid("trf", key)
            record("transfer.replayed", actor=actor, target=outcome.item, facts=facts)
        case Refusal() as refusal:
            ref = outcome.item.audit_ref
            record_refusal("transfer.refused", actor=actor, ref=ref, refusal=refusal, facts=facts)


def _earlier(item: BatchItem, *, used: IdempotencyKey) -> UUID | Refusal:
    """Return what an item's key was used for before: this very transfer, or a no."""
    if bytes(used.fingerprint) != bytes(item.fingerprint):
        return KeyReused()
    if not used.resource:
        return AlreadyProcessed(resource="")
    return parse_typeid("trf", used.resource.removeprefix(TRANSFERS))


def _used_key(outcome: Outcome) -> UsedKey | None:
    """Return what to keep of an item's key: a lasting no uses it up, another leaves it free."""
    match outcome.found:
        case Taken(transfer=transfer):
            resource = f"{TRANSFERS}{transfer.public_id}"
        case Refusal() as refusal if outcome.is_first and lasts(refusal):
            resource = ""
        case _:
            return None
    return UsedKey(
        key_hash=bytes(outcome.item.key_hash),
        fingerprint=bytes(outcome.item.fingerprint),
        resource=resource,
    )


def _order_of(item: BatchItem) -> TransferOrder:
    """Return what an item asks for."""
    payee = None
    if item.payee_name_id is not None and item.payee_iban_id is not None:
        payee = KnownPayee(name_id=item.payee_name_id, iban_id=item.payee_iban_id)
    return TransferOrder(
        source_id=item.source_id,
        destination_id=item.destination_id,
        payee=payee,
        money=Money(item.amount_minor, item.currency),
        reference=item.reference,
        metadata=item.metadata,
    )


def _spelled(keyed: KeyedOrder) -> dict[str, object]:
    """Return an order's columns as the database reads them off JSON."""
    order = keyed.order
    return {
        "id": uuid7(),
        "kind": TransferKind.INTERNAL if order.destination_id else TransferKind.PAYOUT,
        "source_id": order.source_id,
        "destination_id": order.destination_id,
        "amount_minor": order.money.amount_minor,
        "currency": order.money.currency,
        "reference": order.reference,
        "metadata": plain(order.metadata),
        "key_hash": f"\\x{keyed.key_hash.hex()}",
        "fingerprint": f"\\x{keyed.fingerprint.hex()}",
        "outcome": "",
        "code": "",
        "facts": {},
    }


def _spelled_outcome(outcome: Outcome) -> Mapping[str, object]:
    no = outcome.found if isinstance(outcome.found, Refusal) else None
    return {
        "number": outcome.item.number,
        "outcome": outcome.word,
        "code": no.code if no else "",
        "facts": plain(no.facts()) if no else {},
        "transfer": outcome.transfer_id,
    }
