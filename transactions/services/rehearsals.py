"""What would come of a file of transfers if it were carried out now. Nothing lasts of it.

The very functions that decide a batch (`items.decided`) decide on the accounts as they stand,
each row seeing what those before it would do. The locks under which that is read are given
back before anything is decided: nobody waits for somebody who only looks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from audit.actors import Actor
from audit.errors import Refusal
from audit.typeids import uuid7
from transactions.files import FileRow
from transactions.models import BatchFile, BatchItem, TransferBatch
from transactions.money import Money
from transactions.orders import KnownPayee
from transactions.selectors.files import names_of_accounts, payees_of
from transactions.selectors.ledger import partner_of_book
from transactions.services.files import BatchTerms, batch_drafted, orders_of
from transactions.services.items import KeyedOrder, Outcome, decided, standings_for
from transactions.standing import Standing
from transactions.states import ItemOutcome, TransferKind

UNSAID = BatchTerms(is_atomic=False, reference="", reason="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What would come of one row."""

    row: FileRow
    word: ItemOutcome
    refusal: Refusal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How one account would stand: what is on it less what is reserved, before and after."""

    account_id: UUID
    name: str
    before: Money
    after: Money

    @property
    def moved_minor(self) -> int:
        """Return by how much it would change."""
        return self.after.amount_minor - self.before.amount_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What would come of each row, and of each account: the largest change first."""

    rows: Sequence[Foreseen]
    changes: Sequence[Change]

    def ending(self, word: ItemOutcome) -> Sequence[Foreseen]:
        """Return the rows that would end so."""
        return [each for each in self.rows if each.word is word]

    @property
    def refused(self) -> Sequence[Foreseen]:
        """Return the rows that would be refused."""
        return self.ending(ItemOutcome.REFUSED)


def rehearse(file: BatchFile, *, actor: Actor) -> Rehearsal:
    """Return what would come of a file now, for somebody on the staff. Writes nothing."""
    rows = file.rows
    batch = batch_drafted(file, partner=partner_of_book(file.book_id), terms=UNSAID)
    batch.approval_id = uuid7()  # decided as it will be once somebody has signed
    orders = orders_of(rows, payees=payees_of(rows))
    items = [_item(batch, number=number, keyed=each) for number, each in enumerate(orders, 1)]
    with transaction.atomic():
        standings = standings_for(items, actor=actor)
        transaction.set_rollback(True)  # lets go of the locks, inside a command too
    before = {key: _free(each) for key, each in standings.items()}
    outcomes = decided(batch, items=items, actor=actor, standings=standings)
    return Rehearsal(
        rows=[_foreseen(row, outcome=each) for row, each in zip(rows, outcomes, strict=True)],
        changes=_changes(before, standings=standings),
    )


def _item(batch: TransferBatch, *, number: int, keyed: KeyedOrder) -> BatchItem:
    """Return the item that an order would become."""
    order = keyed.order
    payee = order.payee if isinstance(order.payee, KnownPayee) else None
    return BatchItem(
        batch=batch,
        number=number,
        kind=TransferKind.INTERNAL if order.destination_id else TransferKind.PAYOUT,
        source_id=order.source_id,
        destination_id=order.destination_id,
        payee_name_id=payee.name_id if payee else None,
        payee_iban_id=payee.iban_id if payee else None,
        amount_minor=order.money.amount_minor,
        currency=order.money.currency,
        reference=order.reference,
        key_hash=keyed.key_hash,
        fingerprint=keyed.fingerprint,
    )


def _foreseen(row: FileRow, *, outcome: Outcome) -> Foreseen:
    refusal = outcome.found if isinstance(outcome.found, Refusal) else None
    return Foreseen(row=row, word=outcome.word, refusal=refusal)


def _changes(before: Mapping[UUID, int], *, standings: Mapping[UUID, Standing]) -> list[Change]:
    """Return how the accounts would stand, those that would change the most first."""
    names = names_of_accounts(before)
    changes = [
        Change(
            account_id=key,
            name=names.get(key, str(key)),
            before=Money(before[key], each.currency),
            after=Money(_free(each), each.currency),
        )
        for key, each in standings.items()
    ]
    return sorted(changes, key=lambda each: (-abs(each.moved_minor), each.name))


def _free(standing: Standing) -> int:
    return standing.posted_minor - standing.pending_minor
