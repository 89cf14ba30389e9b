"""Reading the register of payees, and what it says about a payout."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from accounts.crypto.vault import read_back
from accounts.models import Partner, VaultRecord
from accounts.scopes import visible_books
from audit.actors import Actor
from audit.errors import NotFound
from transactions.models import PayeeChange, RegisteredPayee, Transfer
from transactions.orders import Payee
from transactions.selectors.ledger import partner_of_book
from transactions.states import PayeeState

CHOICES_MAX: Final = 500
SHOWN_MAX: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeeStanding:
    """What the register says about whom a payout is for: in it, and past the cooling period."""

    payee: RegisteredPayee | None
    is_cooling: bool

    @property
    def is_firm(self) -> bool:
        """Say whether money may go there without another question."""
        return self.payee is not None and not self.is_cooling


class Register:
    """The register of payees, asked once for each book and each payee of many payouts.

    `known` are payees in the vault that it will be asked about: read in one query.
    """

    def __init__(self, known: Iterable[VaultRecord] = ()) -> None:
        """Read what the register says of those that are known."""
        self._partners: dict[UUID, Partner] = {}
        asked = {(each.book_id, each.blind) for each in known if each.blind}
        found = _active_payees({blind for _, blind in asked}) if asked else {}
        self._payees = {key: found.get(key) for key in asked}

    def policy(self, book_id: UUID) -> str:
        """Return what the register means for the payouts of a book's partner."""
        if book_id not in self._partners:
            self._partners[book_id] = partner_of_book(book_id)
        return self._partners[book_id].payee_policy

    def standing(self, iban: VaultRecord, *, book_id: UUID) -> PayeeStanding:
        """Return what the register of a book says about an IBAN in the vault."""
        key = (book_id, iban.blind)
        if key not in self._payees:
            self._payees[key] = _active_payees({iban.blind}).get(key)
        payee = self._payees[key]
        cools_until = payee.payable_from if payee else None
        is_cooling = cools_until is not None and cools_until > timezone.now()
        return PayeeStanding(payee=payee, is_cooling=is_cooling)


def _active_payees(blinds: Collection[str]) -> dict[tuple[UUID, str], RegisteredPayee]:
    """Return the active payees with these IBANs, by book and IBAN."""
    found = RegisteredPayee.objects.filter(iban_blind__in=blinds, state=PayeeState.ACTIVE)
    return {(each.book_id, each.iban_blind): each for each in found}


def visible_payees(*, to: Actor) -> QuerySet[RegisteredPayee]:
    """Return the payees `to` may know exist."""
    found = RegisteredPayee.objects.select_related("partner", "name", "iban")
    return visible_books(found, to=to)


def access_payee(payee_id: UUID, *, actor: Actor, lock: bool = False) -> RegisteredPayee:
    """Return one payee `actor` may see, or refuse as if it did not exist."""
    found = visible_payees(to=actor)
    if lock:
        found = found.select_for_update(no_key=True, of=("self",))
    payee = found.filter(pk=payee_id).first()
    if payee is None:
        raise NotFound(ref=f"registeredpayee:{payee_id}")
    return payee


def payees_to_choose_from(*, to: Actor) -> Sequence[RegisteredPayee]:
    """Return the active payees `to` may see, by partner and alias."""
    found = visible_payees(to=to).filter(state=PayeeState.ACTIVE)
    return list(found.order_by("partner__name", "alias")[:CHOICES_MAX])


def details_of(payee: RegisteredPayee) -> Payee:
    """Return whom to pay, out of the vault. For carrying out a payout, never for a screen."""
    return Payee(name=read_back(payee.name), iban=read_back(payee.iban))


def change_signed_by(approval_id: UUID) -> PayeeChange:
    """Return the change that a request for a second person is about, or refuse."""
    found = (
        PayeeChange.objects.select_related("name", "iban").filter(approval_id=approval_id).first()
    )
    if found is None:
        raise NotFound(ref=f"approval:{approval_id}")
    return found


def changes_of(payee_id: UUID) -> Sequence[PayeeChange]:
    """Return what was proposed for a payee, the newest first."""
    found = PayeeChange.objects.filter(payee_id=payee_id).select_related("iban", "approval")
    return list(found.order_by("-id")[:SHOWN_MAX])


def payee_note(transfer: Transfer) -> str:
    """Return what a checker should know about whom a payout is for, in one line.

    It says the same until the register changes, which makes the request stale.
    """
    if transfer.payee_iban is None:
        return ""
    payee = Register().standing(transfer.payee_iban, book_id=transfer.book_id).payee
    if payee is None:
        paid_before = Transfer.objects.filter(
            book_id=transfer.book_id, payee_iban__blind=transfer.payee_iban.blind
        )
        is_first = not paid_before.filter(pk__lt=transfer.pk).exists()
        return "not registered; first payment to this payee" if is_first else "not registered"
    if payee.version > 1 and payee.details_at is not None:
        return f"registered as {payee.alias}; bank details changed on {payee.details_at:%Y-%m-%d}"
    return f"registered as {payee.alias}"
