"""Booking what a provider says it moved: one movement, one journal."""

from dataclasses import dataclass
from uuid import UUID

from accounts.services.mailbox import publish
from audit.actors import Actor
from audit.circumstances import current
from audit.commands import command
from audit.history import Guarded
from audit.services.recording import record
from audit.typeids import typeid
from transactions.errors import AlreadyBooked, Contradiction
from transactions.ledger.accounts import (
    SHORTFALL,
    SUSPENSE,
    bank,
    clearing,
    fees,
    house_book,
    newly_opened,
    system_account,
)
from transactions.ledger.posting import Draft, Line, post
from transactions.meanings import Movement, MovementKind, PaymentState
from transactions.models import LedgerAccount, Payment
from transactions.selectors.ledger import account_for_money, booked_on
from transactions.selectors.payments import payment_named

TO_OUR_BANK = frozenset({MovementKind.PAYOUT, MovementKind.PAYOUT_FAILURE})


@command
def book_movement(*, actor: Actor, movement: Movement) -> None:
    """Post one movement of our balance with a provider, once for its origin.

    The gross goes to the account named (or the payment's, or suspense in the
    house's book), the net to the provider's clearing account, the fee to its
    fee account. What an account cannot bear goes to the book's shortfall:
    the money has moved, so the books must say so. AlreadyBooked if they do.
    """
    payment = payment_named(movement.provider, reference=movement.payment_ref)
    sides = _sides(movement, payment=payment)
    if movement.kind is MovementKind.CHARGE and payment is None:
        payment = _payment_of(movement, sides=sides)
    try:
        journal_id = post(_draft(movement, sides=sides, payment=payment))
    except AlreadyBooked:
        _check_same(movement)
        raise
    rows: list[Guarded] = [*newly_opened(sides.counter, sides.clear, sides.fee, sides.spill)]
    if payment is not None:
        _count(movement, payment=payment)
        rows.append(payment)
    _tell(movement, sides=sides)
    record(
        "movement.booked",
        actor=actor,
        target=payment or sides.counter,
        facts={"journal": journal_id, "origin": movement.origin, "kind": movement.kind},
        rows=rows,
        book_id=sides.book_id,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The accounts of one movement. `owner` is None where nobody has said whose money it is."""

    book_id: UUID
    owner: LedgerAccount | None
    counter: LedgerAccount
    clear: LedgerAccount
    fee: LedgerAccount
    spill: LedgerAccount

    @property
    def bearer(self) -> LedgerAccount | None:
        """Return the owner where the money is on its account, None where ours or suspense is."""
        return self.owner if self.counter is self.owner else None


def _sides(movement: Movement, *, payment: Payment | None) -> Sides:
    """Return the accounts that a movement runs over, opening the system's where they are new."""
    owner = _owner(movement, payment=payment)
    book_id = _book(owner, payment=payment)

    def ours(code: str) -> LedgerAccount:
        return system_account(code, book_id=book_id, currency=movement.currency)

    if movement.kind in TO_OUR_BANK:
        counter = ours(bank(movement.provider))
    else:
        counter = owner or ours(SUSPENSE)
    return Sides(
        book_id=book_id,
        owner=owner,
        counter=counter,
        clear=ours(clearing(movement.provider)),
        fee=ours(fees(movement.provider)),
        spill=ours(SHORTFALL),
    )


def _draft(movement: Movement, *, sides: Sides, payment: Payment | None) -> Draft:
    """Return the journal: gross to the owner, net to clearing, fee to fees."""
    amounts = (
        (sides.counter, movement.amount_minor),
        (sides.clear, -movement.net_minor),
        (sides.fee, -movement.fee_minor),
    )
    subject = f"{movement.provider}:{movement.subject_ref}"
    return Draft(
        book_id=sides.book_id,
        purpose=movement.kind.value,
        subject_ref=payment.audit_ref if payment else subject,
        origin=movement.origin,
        occurred_at=movement.occurred_at,
        spill_id=sides.spill.pk if sides.bearer else None,
        lines=[
            Line(account_id=account.pk, amount_minor=amount, currency=movement.currency)
            for account, amount in amounts
            if amount
        ],
    )


def _check_same(movement: Movement) -> None:
    """Refuse a movement that is in the books already, but as another sum."""
    booked = booked_on(clearing(movement.provider), origin=movement.origin)
    if booked != -movement.net_minor:
        said = f"booked as {-booked}, now told as {movement.net_minor}"
        raise Contradiction(ref=movement.origin, detail=said)


def _tell(movement: Movement, *, sides: Sides) -> None:
    """Leave the partner a letter about money that moved."""
    publish(
        f"movement.{movement.kind.value}",
        book_id=sides.book_id,
        occurred_at=movement.occurred_at,
        payload={
            "reference": movement.reference,
            "subject": movement.subject_ref,
            "account": typeid("acc", sides.bearer.pk) if sides.bearer else None,
            "amount_minor": movement.amount_minor,
            "fee_minor": movement.fee_minor,
            "currency": movement.currency,
        },
    )


def _owner(movement: Movement, *, payment: Payment | None) -> LedgerAccount | None:
    """Return the account the money is for, None where nobody has said.

    What a payer's metadata names counts for a first charge only (and for our
    own payouts): metadata may change later, and a refund must come from the
    account that was paid.
    """
    is_first = payment is None or (payment.account is None and not payment.booked_minor)
    if movement.kind in TO_OUR_BANK or (movement.kind is MovementKind.CHARGE and is_first):
        return account_for_money(movement.account_id, currency=movement.currency)
    paid = payment.account if payment else None
    # A payment settled in another currency than its account's waits in suspense.
    return paid if paid is not None and paid.currency == movement.currency else None


def _book(owner: LedgerAccount | None, *, payment: Payment | None) -> UUID:
    """Return the book the money belongs to; the house's where nobody has said."""
    if owner is not None:
        return owner.book_id
    return payment.book_id if payment else house_book().pk


def _payment_of(movement: Movement, *, sides: Sides) -> Payment:
    """Return the payment a charge belongs to, where no notice has told of it yet."""
    return Payment.objects.create(
        book_id=sides.book_id,
        account=sides.owner,
        provider=movement.provider,
        reference=movement.payment_ref or movement.subject_ref,
        state=PaymentState.SUCCEEDED.value,
        amount_minor=movement.amount_minor,
        currency=movement.currency,
        trace_id=current().trace_id,
        occurred_at=movement.occurred_at,
    )


def _count(movement: Movement, *, payment: Payment) -> None:
    """Add the movement to what of its payment is booked, refunded or disputed."""
    match movement.kind:
        case MovementKind.CHARGE:
            payment.booked_minor += movement.amount_minor
        case MovementKind.REFUND:
            payment.refunded_minor -= movement.amount_minor
        case MovementKind.DISPUTE | MovementKind.DISPUTE_REVERSAL:
            payment.disputed_minor -= movement.amount_minor
        case _:
            pass
    payment.save(update_fields=["booked_minor", "refunded_minor", "disputed_minor"])
