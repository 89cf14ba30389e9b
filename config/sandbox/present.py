"""Today in the demo world: transfers in every state that is not an end, and work for everybody.

What is on its way goes on as soon as the processes run: the worker sends it and asks after it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from accounts.models import Account
from accounts.roles import Role
from accounts.services.approvals import decide_approval
from accounts.states import FreezeMode, FreezeReason, Verdict
from audit.actors import Actor
from audit.errors import Refusal
from config.sandbox.aside import set_aside
from config.sandbox.cast import payee
from config.sandbox.finance import known_payee, leave_to_decide, register_payees
from config.sandbox.house import House, provider
from integrations.providers.base import Genuine
from integrations.rounds.callbacks import drain_inbox
from integrations.rounds.dispatching import WORKER
from integrations.services.inbox import receive
from transactions.models import Transfer
from transactions.money import Money
from transactions.orders import TransferOrder
from transactions.rounds.approvals import carry_out_approvals
from transactions.services.dispatching import (
    claim_transfer,
    fail_transfer,
    note_acceptance,
    note_doubt,
    return_transfer,
    settle_transfer,
)
from transactions.services.freezes import FreezeTerms, freeze_account
from transactions.services.transfers import (
    cancel_transfer,
    escalate_transfer,
    flag_transfer,
    note_on_transfer,
    request_transfer,
)

BANK: Final = provider("testbank")
Officers = Mapping[Role, Actor]
_numbers = count(1)


def live(houses: Sequence[House], *, officers: Officers) -> None:
    """Let a day happen: money moves, is refused, waits, is doubted; and people look at it."""
    acme, borealis = houses
    register_payees(houses, officers=officers)
    for house in houses:
        _spend_inside(house)
    returned = _send_out(acme)
    _sign_twice(acme, borealis=borealis, officers=officers)
    _look_at(returned, officers=officers)
    _freeze(acme, officer=officers[Role.COMPLIANCE_OFFICER])
    _be_refused(acme, officers=officers)
    set_aside(acme, finance=officers[Role.FINANCE_OPERATOR])
    leave_to_decide(acme, officers=officers)
    _fill_inbox()
    _leave_on_the_way(acme, borealis=borealis)


def _spend_inside(house: House) -> None:
    """Move money between accounts of one partner, at once."""
    giver, *takers = [each for each in house.accounts if each.currency == "EUR"]
    for number, taker in enumerate(takers[:3], start=1):
        _ask(house, giver, amount=12_50 * number, to=taker)


def _send_out(house: House) -> Transfer:
    """Pay out below the threshold, with every end; return the one that came back."""
    giver = house.purse("EUR", number=1)
    for amount in (49_90, 120_00, 310_45):
        _settle(_claimed(_ask(house, giver, amount=amount, name="Northwind Foods")))
    failed = _claimed(_ask(house, giver, amount=75_00, name="Widgets and Sons"))
    fail_transfer(
        actor=BANK,
        transfer_id=failed.pk,
        reason="account_closed",
        occurred_at=timezone.now(),
    )
    returned = _settle(_claimed(_ask(house, giver, amount=260_00, name="Joe Bloggs")))
    return return_transfer(
        actor=BANK,
        transfer_id=returned.pk,
        reason="returned_by_beneficiary",
        occurred_at=timezone.now(),
    )


def _sign_twice(acme: House, *, borealis: House, officers: Officers) -> None:
    """Ask for large payouts: two carried out as decided, one called off, three left waiting."""
    checker = officers[Role.COMPLIANCE_OFFICER]
    yes = _ask(acme, acme.purse("EUR"), amount=1_850_00, name="Fabrikam Logistics")
    no = _ask(borealis, borealis.purse("EUR"), amount=4_200_00, name="Juan Nadie")
    _decide(yes, checker=checker, verdict=Verdict.APPROVE, reason="Invoice seen, payee known")
    _decide(no, checker=checker, verdict=Verdict.REJECT, reason="The payee is not on the contract")
    carry_out_approvals()
    _settle(_claimed(yes))
    off = _ask(acme, acme.purse("USD"), amount=2_100_00, name="Contoso Office Supplies")
    cancel_transfer(actor=acme.actor, transfer_id=off.pk)
    _ask(acme, acme.purse("EUR"), amount=2_400_00, name="Fabrikam Logistics")
    _ask(borealis, borealis.purse("EUR"), amount=3_100_00, name="Example Power and Light")
    request_transfer(
        actor=officers[Role.FINANCE_OPERATOR],
        order=replace(
            _order(acme.purse("EUR"), amount=480_00, name="Anna Malli"),
            payee=known_payee("Anna Malli"),
        ),
        origin=f"staff:world-{next(_numbers)}",
    )


def _look_at(returned: Transfer, *, officers: Officers) -> None:
    """Let support and compliance leave their marks on the payout that came back."""
    support, compliance = officers[Role.SUPPORT_AGENT], officers[Role.COMPLIANCE_OFFICER]
    note_on_transfer(
        actor=support,
        transfer_id=returned.pk,
        text="The customer asked where the money is; told them that it came back",
    )
    escalate_transfer(
        actor=support, transfer_id=returned.pk, reason="The second return for this payee"
    )
    flag_transfer(actor=compliance, transfer_id=returned.pk, reason="Watch this payee for a month")


def _freeze(house: House, *, officer: Actor) -> None:
    """Stop what may leave one account."""
    freeze_account(
        actor=officer,
        account_id=house.accounts[-1].pk,
        mode=FreezeMode.DEBITS,
        reason="Attachment by court order",
        legal_reference="AG Musterstadt 12 M 345/26",
        terms=FreezeTerms(reason_code=FreezeReason.COURT),
    )


def _be_refused(house: House, *, officers: Officers) -> None:
    """Try what must not work, so that the log shows how a no looks."""
    waiting = _ask(house, house.purse("USD"), amount=1_500_00, name="Ola Nordmann")
    for giver, amount in (
        (house.accounts[-1], 10_00),
        (house.purse("EUR", number=1), 6_000_00),
        (house.purse("USD", number=1), 900_000_00),
    ):
        try:
            _ask(house, giver, amount=amount, name="Ola Nordmann")
        except Refusal:
            continue
    try:
        _decide(
            waiting,
            checker=officers[Role.FINANCE_OPERATOR],
            verdict=Verdict.APPROVE,
            reason="I am sure",
        )
    except Refusal:
        return


def _fill_inbox() -> None:
    """Receive callbacks of kinds that we ignore, that make no sense, and that contradict."""
    for number, kind in enumerate(("customer.created", "invoice.finalized", "product.updated")):
        _receive(number, kind=kind, carried={"object": kind.partition(".")[0]})
    _receive(10, kind="charge.succeeded", carried={"object": "charge", "amount": "12,50"})
    _receive(11, kind="payout.paid", carried={"object": "balance"})
    _receive(1, kind="invoice.finalized", carried={"object": "invoice", "total": 1})
    drain_inbox()


def _receive(number: int, *, kind: str, carried: Mapping[str, Any]) -> None:
    body = {
        "id": f"evt_3World{number:04d}",
        "object": "event",
        "type": kind,
        "created": int((timezone.now() - timedelta(hours=number)).timestamp()),
        "livemode": False,
        "data": {"object": carried},
    }
    receive(
        "stripe",
        endpoint="main",
        event=Genuine(event_id=f"evt_3World{number:04d}", event_type=kind),
        body=json.dumps(body).encode(),
    )


def _leave_on_the_way(acme: House, *, borealis: House) -> None:
    """Leave payouts sent and doubted, sent, and waiting to be sent: the worker goes on with them.

    The bank does as the payees' names say, once it is asked.
    """
    for house, name in ((acme, "Bo NEVER-HEARD Roe"), (borealis, "Pat FORGETFUL Roe")):
        doubted = _claimed(_ask(house, house.purse("EUR", number=2), amount=64_00, name=name))
        note_doubt(actor=BANK, transfer_id=doubted.pk, because="no answer within 10 s")
    _claimed(_ask(acme, acme.purse("EUR", number=3), amount=33_30, name="Kim DELAY Roe"))
    for house in (acme, borealis):
        _ask(house, house.purse("EUR"), amount=18_75, name="Lorem Ipsum Print")


def _order(
    giver: Account, *, amount: int, to: Account | None = None, name: str = ""
) -> TransferOrder:
    number = next(_numbers)
    return TransferOrder(
        source_id=giver.pk,
        destination_id=to.pk if to else None,
        payee=None if to else payee(name, number=5000 + number),
        money=Money(amount, giver.currency),
        reference=f"Order W-{number:04d}",
        metadata={"order": f"W-{number:04d}"},
    )


def _ask(
    house: House, giver: Account, *, amount: int, to: Account | None = None, name: str = ""
) -> Transfer:
    """Let the partner ask for a transfer inside the house or to somebody outside."""
    return request_transfer(
        actor=house.actor,
        order=_order(giver, amount=amount, to=to, name=name),
        origin=f"key:world-{next(_numbers)}",
    )


def _claimed(asked: Transfer) -> Transfer:
    """Claim the one accepted payout there is."""
    transfer = claim_transfer(actor=WORKER)
    if transfer.pk != asked.pk:
        raise AssertionError(f"{transfer.public_id} was waiting in front of {asked.public_id}")
    return transfer


def _settle(transfer: Transfer) -> Transfer:
    """Let the bank take a payment and settle it."""
    ref = f"pay_world{next(_numbers):06d}"
    note_acceptance(actor=BANK, transfer_id=transfer.pk, provider_ref=ref)
    return settle_transfer(
        actor=BANK, transfer_id=transfer.pk, provider_ref=ref, occurred_at=timezone.now()
    )


def _decide(asked: Transfer, *, checker: Actor, verdict: Verdict, reason: str) -> None:
    """Let somebody decide on what the approval shows them."""
    approval = asked.approval
    approval_id: UUID = approval.pk if approval else asked.pk
    decide_approval(
        actor=checker,
        approval_id=approval_id,
        verdict=verdict,
        reason=reason,
        shown_hash=approval.payload_hash if approval else "",
    )
