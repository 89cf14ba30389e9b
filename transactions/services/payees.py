"""The register of payees: proposed, signed by another, cooled down, changed the same way."""

from typing import Final
from uuid import UUID

from accounts.crypto.vault import lock_away
from accounts.errors import NameTaken
from accounts.models import VaultRecord
from accounts.selectors.approvals import access_approval, access_decided
from accounts.selectors.partners import access_partner
from accounts.services.approvals import ask, conclude, consume
from accounts.states import PayeePolicy
from audit.actors import Actor, ActorKind
from audit.canonical import Json
from audit.commands import command
from audit.constraints import refuse_on
from audit.errors import Invalid, Refusal
from audit.services.recording import record
from transactions.errors import PayeeCooling, PayeeNotRegistered, WrongState
from transactions.models import PayeeChange, RegisteredPayee, Transfer
from transactions.orders import Payee
from transactions.proposals import REASON_CHARACTERS_MAX
from transactions.selectors.payees import Register, access_payee, change_signed_by
from transactions.states import PayeeState

ACTIVATE: Final = "transactions.activate_payee"
CHANGE: Final = "transactions.change_payee"


@command
def propose_payee(
    *, actor: Actor, payee_id: UUID, partner_id: UUID, alias: str, details: Payee, reason: str
) -> RegisteredPayee:
    """Propose a payee. Nothing is paid to it before a second person has signed and it has cooled.

    Refuses with NotFound, NameTaken (alias or IBAN registered already), AlreadyAsked for an
    id proposed before, and Invalid without a reason.
    """
    _check_reason(reason)
    partner = access_partner(partner_id, actor=actor)
    name, iban = _into_the_vault(details, book_id=partner.book_id)
    payee = RegisteredPayee(
        id=payee_id,
        partner=partner,
        book_id=partner.book_id,
        alias=alias,
        name=name,
        iban=iban,
        iban_blind=iban.blind,
        proposed_by=actor.ref,
    )
    approval = ask(
        ACTIVATE,
        actor=actor,
        subject_ref=payee.audit_ref,
        book_id=partner.book_id,
        payload=payee_payload(payee, name=name, iban=iban),
    )
    with refuse_on(_taken(alias)):
        payee.save(force_insert=True)
    facts = {"reason": reason}
    record("payee.proposed", actor=actor, target=payee, facts=facts, rows=[payee, approval])
    return payee


@command
def activate_payee(*, actor: Actor, approval_id: UUID) -> RegisteredPayee:
    """Carry out an approval: the payee is in the register, and cools before it is paid."""
    approval = access_decided(approval_id, action=ACTIVATE, actor=actor)
    payee = access_payee(approval.subject_id, actor=actor, lock=True)
    consume(approval, payload=payee_payload(payee, name=payee.name, iban=payee.iban))
    payee.state = PayeeState.ACTIVE
    _save(payee, "state")
    record("payee.activated", actor=actor, target=payee, rows=[payee, approval])
    return payee


@command
def decline_payee(*, actor: Actor, approval_id: UUID) -> RegisteredPayee:
    """Carry out a rejection or withdrawal: the payee stays out, and on record."""
    approval = access_approval(approval_id, actor=actor, lock=True)
    payee = access_payee(approval.subject_id, actor=actor, lock=True)
    if payee.state != PayeeState.PROPOSED:
        raise WrongState(state=payee.state, wanted=PayeeState.DECLINED)
    payee.state = PayeeState.DECLINED
    payee.save(update_fields=["state"])
    conclude(approval)
    record("payee.declined", actor=actor, target=payee, rows=[payee, approval])
    return payee


@command
def propose_payee_change(
    *, actor: Actor, payee_id: UUID, details: Payee, reason: str
) -> PayeeChange:
    """Propose to pay a registered payee elsewhere; until it is signed, the old details stand.

    Refuses with WrongState unless the payee is active, AlreadyAsked while
    another change waits, and Invalid without a reason.
    """
    _check_reason(reason)
    payee = access_payee(payee_id, actor=actor, lock=True)
    if payee.state != PayeeState.ACTIVE:
        raise WrongState(state=payee.state, wanted=PayeeState.ACTIVE)
    name, iban = _into_the_vault(details, book_id=payee.book_id)
    change = PayeeChange(
        payee=payee,
        version=payee.version + 1,
        name=name,
        iban=iban,
        iban_blind=iban.blind,
        reason=reason,
        proposed_by=actor.ref,
    )
    change.approval = ask(
        CHANGE,
        actor=actor,
        subject_ref=payee.audit_ref,
        book_id=payee.book_id,
        payload=change_payload(change, payee=payee),
    )
    change.save(force_insert=True)
    rows = [change, change.approval]
    record("payee.change_proposed", actor=actor, target=payee, rows=rows)
    return change


@command
def change_payee(*, actor: Actor, approval_id: UUID) -> RegisteredPayee:
    """Carry out an approved change: the new details stand, and cool before they are paid."""
    approval = access_decided(approval_id, action=CHANGE, actor=actor)
    change = change_signed_by(approval.pk)
    payee = access_payee(change.payee_id, actor=actor, lock=True)
    if payee.state != PayeeState.ACTIVE:
        raise WrongState(state=payee.state, wanted=PayeeState.ACTIVE)
    consume(approval, payload=change_payload(change, payee=payee))
    payee.name, payee.iban, payee.iban_blind = change.name, change.iban, change.iban_blind
    payee.version = change.version
    with refuse_on(_taken(payee.alias)):
        _save(payee, "name", "iban", "iban_blind", "version")
    record("payee.changed", actor=actor, target=payee, rows=[payee, approval])
    return payee


@command
def retire_payee(*, actor: Actor, payee_id: UUID, reason: str) -> RegisteredPayee:
    """Take a payee out of the register at once. WrongState unless it is active."""
    payee = access_payee(payee_id, actor=actor, lock=True)
    if payee.state != PayeeState.ACTIVE:
        raise WrongState(state=payee.state, wanted=PayeeState.RETIRED)
    payee.state = PayeeState.RETIRED
    payee.save(update_fields=["state"])
    record("payee.retired", actor=actor, target=payee, facts={"reason": reason}, rows=[payee])
    return payee


def wants_signature_for_payee(transfer: Transfer, *, actor: Actor, register: Register) -> bool:
    """Say whether whom a payout is for makes it wait for a second person, as a step of asking.

    Staff pay registered payees only, and so does a partner whose policy says so:
    PayeeNotRegistered, or PayeeCooling while new details are too young.
    """
    if transfer.payee_iban is None:
        return False
    policy = register.policy(transfer.book_id)
    standing = register.standing(transfer.payee_iban, book_id=transfer.book_id)
    if actor.kind is ActorKind.STAFF or policy == PayeePolicy.REGISTERED:
        if standing.payee is None:
            raise PayeeNotRegistered
        if standing.is_cooling:
            raise PayeeCooling(payable_from=f"{standing.payee.payable_from:%Y-%m-%dT%H:%M:%SZ}")
    return policy == PayeePolicy.SIGNED and not standing.is_firm


def payee_payload(
    payee: RegisteredPayee, *, name: VaultRecord, iban: VaultRecord
) -> dict[str, Json]:
    """Return exactly what a checker is shown of a payee's details."""
    return {
        "payee": payee.public_id,
        "alias": payee.alias,
        "partner": payee.partner.name,
        "payee_name": name.masked,
        "payee_iban": iban.masked,
        "payee_token": str(iban.pk),
        "cooling_hours": payee.partner.payee_cooling_hours,
        "requested_by": payee.proposed_by,
    }


def change_payload(change: PayeeChange, *, payee: RegisteredPayee) -> dict[str, Json]:
    """Return exactly what a checker is shown of a change: the new details beside the old."""
    return payee_payload(payee, name=change.name, iban=change.iban) | {
        "paid_until_now": payee.iban.masked,
        "version": change.version,
        "reason": change.reason,
        "requested_by": change.proposed_by,
    }


def _into_the_vault(details: Payee, *, book_id: UUID) -> tuple[VaultRecord, VaultRecord]:
    return (
        lock_away(details.name, label="name", book_id=book_id),
        lock_away(details.iban, label="iban", book_id=book_id),
    )


def _taken(alias: str) -> dict[str, Refusal]:
    """Return what a broken rule of uniqueness says."""
    return {
        "payee_alias_once": NameTaken(name=alias),
        "payee_iban_once": NameTaken(name="this IBAN"),
    }


def _save(payee: RegisteredPayee, *fields: str) -> None:
    """Save new details, and read when the database lets them be paid."""
    payee.save(update_fields=list(fields))
    payee.refresh_from_db(fields=["details_at", "payable_from"])


def _check_reason(reason: str) -> None:
    """Refuse an act without a reason."""
    if not 0 < len(reason.strip()) <= REASON_CHARACTERS_MAX:
        raise Invalid(fields={"reason": f"between 1 and {REASON_CHARACTERS_MAX} characters"})
