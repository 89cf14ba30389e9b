"""Booking what a provider says it moved: one movement, one journal."""

from dataclasses import dataclass
from uuid import UUID

from audit.actors import Actor
from audit.circumstances import current
from audit.commands import command
from audit.history import Guarded
from audit.typeids import typeid
from transactions.errors import AlreadyBooked, Contradiction
from transactions.ledger.accounts import SHORTFALL, SUSPENSE, bank, clearing, fees, newly_opened
from transactions.ledger.posting import Draft, Line
from transactions.meanings import Movement, MovementKind, PaymentState
from transactions.models import LedgerAccount, Payment
from transactions.services.gathering import subjects_of
from transactions.services.subjects import Subjects

TO_OUR_BANK = frozenset({MovementKind.PAYOUT, MovementKind.PAYOUT_FAILURE})


@command
def book_movement(*, actor: Actor, movement: Movement) -> None:
    """Post one movement of our balance with a provider, once for its origin.

    AlreadyBooked if it is in the books, Contradiction if as another sum.
    """
    subjects = subjects_of([movement], provider=movement.provider, actor=actor)
    book(movement, subjects=subjects, actor=actor)
    subjects.write()


def book(movement: Movement, *, subjects: Subjects, actor: Actor) -> None:
    """Decide on one movement: its journal, its payment, its letter and its entry.

    The gross goes to the account named (or the payment's, or suspense in the
    house's book), the net to the provider's clearing account, the fee to its
    fee account. What an account cannot bear goes to the book's shortfall:
    the money has moved, so the books must say so.
    """
    _check_new(movement, subjects=subjects)
    payment = subjects.payment(movement.payment_ref)
    over = _sides(movement, payment=payment, subjects=subjects)
    if movement.kind is MovementKind.CHARGE and payment is None:
        payment = _payment_of(movement, sides=over)
    subjects.post(_draft(movement, sides=over, payment=payment), net_minor=movement.net_minor)
    rows: list[Guarded] = [*newly_opened(over.counter, over.clear, over.fee, over.spill)]
    if payment is not None:
        _count(movement, payment=payment)
        subjects.name(payment)
        rows.append(payment)
    _tell(movement, sides=over, subjects=subjects)
    subjects.witness(
        "movement.booked",
        actor=actor,
        target=payment or over.counter,
        facts={"origin": movement.origin, "kind": movement.kind},
        rows=rows,
        book_id=over.book_id,
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


def _sides(movement: Movement, *, payment: Payment | None, subjects: Subjects) -> Sides:
    """Return the accounts that a movement runs over, opening the system's where they are new."""
    owner = _owner(movement, payment=payment, subjects=subjects)
    book_id = _book(owner, payment=payment, subjects=subjects)

    def ours(code: str) -> LedgerAccount:
        return subjects.system(code, book_id=book_id, currency=movement.currency)

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


def _check_new(movement: Movement, *, subjects: Subjects) -> None:
    """Refuse a movement that is in the books already, and above all as another sum."""
    if movement.origin not in subjects.booked:
        return
    booked = subjects.booked[movement.origin]
    if booked is not None and booked != movement.net_minor:
        said = f"booked as {booked}, now told as {movement.net_minor}"
        raise Contradiction(ref=movement.origin, detail=said)
    raise AlreadyBooked(origin=movement.origin)


def _tell(movement: Movement, *, sides: Sides, subjects: Subjects) -> None:
    """Leave the partner a letter about money that moved."""
    subjects.tell(
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


def _owner(
    movement: Movement, *, payment: Payment | None, subjects: Subjects
) -> LedgerAccount | None:
    """Return the account the money is for, None where nobody has said.

    What a payer's metadata names counts for a first charge only (and for our
    own payouts): metadata may change later, and a refund must come from the
    account that was paid.
    """
    is_first = payment is None or (payment.account_id is None and not payment.booked_minor)
    is_named = movement.kind in TO_OUR_BANK or (movement.kind is MovementKind.CHARGE and is_first)
    paid = payment.account_id if payment else None
    # A payment settled in another currency than its account's waits in suspense.
    return subjects.account_for_money(
        movement.account_id if is_named else paid, currency=movement.currency
    )


def _book(owner: LedgerAccount | None, *, payment: Payment | None, subjects: Subjects) -> UUID:
    """Return the book the money belongs to; the house's where nobody has said."""
    if owner is not None:
        return owner.book_id
    return payment.book_id if payment else subjects.house()


def _payment_of(movement: Movement, *, sides: Sides) -> Payment:
    """Return the payment a charge belongs to, where no notice has told of it yet."""
    return Payment(
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
