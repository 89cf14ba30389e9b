"""Finance's own work in the demo world: payees signed by two, a journal and money to decide on."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from accounts.models import Approval
from accounts.roles import Role
from accounts.services.partners import set_payee_policy
from accounts.states import PayeePolicy
from audit.actors import Actor
from audit.typeids import uuid7
from config.sandbox.cast import payee
from config.sandbox.house import FOUNDER, House, provider
from config.sandbox.signing import sign
from transactions.meanings import Movement, MovementKind
from transactions.orders import Payee
from transactions.proposals import Allocation, ManualJournal, Move
from transactions.rounds.approvals import carry_out_approvals
from transactions.selectors.suspense import open_suspense
from transactions.services.journals import propose_manual_journal
from transactions.services.movements import book_movement
from transactions.services.payees import propose_payee, propose_payee_change
from transactions.services.suspense import propose_allocation

COOLING_HOURS: Final = 24
KNOWN: Final = ("Anna Malli", "Contoso Office Supplies", "Fabrikam Logistics", "Northwind Foods")
Officers = Mapping[Role, Actor]


def known_payee(name: str) -> Payee:
    """Return the registered details of a payee in `KNOWN`."""
    return payee(name, number=9000 + KNOWN.index(name))


def register_payees(houses: Sequence[House], *, officers: Officers) -> None:
    """Register the payees that staff pay, as long ago as it takes to have cooled."""
    finance, checker = officers[Role.FINANCE_OPERATOR], officers[Role.COMPLIANCE_OFFICER]
    for house in houses:
        _set_policy(house, cooling_hours=0)
        for name in KNOWN:
            asked = _propose(house, name, details=known_payee(name), finance=finance)
            sign(asked, checker=checker, reason="Called them on the number in the contract")
        carry_out_approvals()
        _set_policy(house, cooling_hours=COOLING_HOURS)


def leave_to_decide(house: House, *, officers: Officers) -> None:
    """Leave a payee, a change, a journal and an allocation waiting for a second person."""
    finance = officers[Role.FINANCE_OPERATOR]
    _propose(house, "Juan Nadie", details=payee("Juan Nadie", number=9100), finance=finance)
    changed = Approval.objects.filter(
        action="transactions.activate_payee", book_id=house.partner.book_id, state="used"
    ).earliest("requested_at")
    propose_payee_change(
        actor=finance,
        payee_id=changed.subject_id,
        details=payee("Anna Malli", number=9101),
        reason="A letter says that they changed banks",
    )
    giver, taker = (house.purse("EUR", number=number) for number in (1, 2))
    propose_manual_journal(
        actor=finance,
        journal=ManualJournal(
            id=uuid7(),
            book_id=house.partner.book_id,
            moves=[
                Move(account_id=giver.pk, amount_minor=-25_00),
                Move(account_id=taker.pk, amount_minor=25_00),
            ],
            reason="Order W-0002 was booked on the wrong account",
            evidence="FIN-204, e-mail of the partner",
        ),
    )
    item = _stray_money()
    propose_allocation(
        actor=finance,
        allocation=Allocation(
            id=uuid7(),
            posting_id=item,
            account_id=taker.pk,
            amount_minor=50_00,
            reason="The payer named order W-0002 on the phone",
        ),
    )


def _set_policy(house: House, *, cooling_hours: int) -> None:
    set_payee_policy(
        actor=FOUNDER,
        partner_id=house.partner.pk,
        policy=PayeePolicy.ANY,
        cooling_hours=cooling_hours,
    )


def _propose(house: House, name: str, *, details: Payee, finance: Actor) -> Approval:
    made = propose_payee(
        actor=finance,
        payee_id=uuid7(),
        partner_id=house.partner.pk,
        alias=name,
        details=details,
        reason="Their contract, page 2",
    )
    return Approval.objects.get(subject_ref=made.audit_ref)


def _stray_money() -> UUID:
    """Let money arrive that nobody expects; return the suspense item."""
    now = timezone.now()
    book_movement(
        actor=provider("stripe"),
        movement=Movement(
            provider="stripe",
            reference="txn_3WorldStray0001",
            kind=MovementKind.CHARGE,
            amount_minor=120_00,
            fee_minor=2_05,
            currency="EUR",
            occurred_at=now - timedelta(hours=3),
            payment_ref="ch_3WorldStray0001",
            subject_ref="ch_3WorldStray0001",
            account_id=None,
        ),
    )
    return open_suspense(limit=1_000, to=FOUNDER)[-1].id
