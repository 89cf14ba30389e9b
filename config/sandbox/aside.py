"""Today in the demo world, on the side: money that is held, that goes back, that goes later."""

from datetime import timedelta
from itertools import count
from typing import Any, Final

from django.utils import timezone

from audit.actors import Actor
from config.sandbox.cast import payee
from config.sandbox.house import House
from transactions.models import Hold, Transfer
from transactions.money import Money
from transactions.orders import HoldOrder, TransferOrder
from transactions.services.holds import capture_hold, create_hold, void_hold
from transactions.services.reversals import request_reversal, reverse_transfer
from transactions.services.schedules import schedule_transfer
from transactions.services.transfers import request_transfer

BRIEF: Final = timedelta(seconds=75)
LONG: Final = timedelta(days=7)
_numbers = count(1)


def set_aside(house: House, *, finance: Actor) -> None:
    """Let a partner hold, capture, void, reverse and schedule; leave one of each under way."""
    _hold_rooms(house)
    _give_back(house, finance=finance)
    _plan_ahead(house)


def _hold_rooms(house: House) -> None:
    """Hold five times: untouched, captured in part, captured for good, voided, soon expired."""
    _hold(house, amount=180_00)
    part, whole = _hold(house, amount=240_00), _hold(house, amount=95_00)
    for amount in (60_00, 45_50):
        _capture(house, part, amount_minor=amount)
    _capture(house, whole, amount_minor=80_00, is_final=True)
    void_hold(actor=house.actor, hold_id=_hold(house, amount=310_00).pk)
    _hold(house, amount=25_00, lasts=BRIEF)


def _give_back(house: House, *, finance: Actor) -> None:
    """Reverse one transfer whole and one in part, of which finance asks for more."""
    whole, part = _move(house, amount=36_00), _move(house, amount=84_00)
    for moved, amount in ((whole, None), (part, 20_00)):
        reverse_transfer(
            actor=house.actor,
            transfer_id=moved.pk,
            origin=_origin(),
            reason="Delivered twice",
            amount_minor=amount,
        )
    request_reversal(
        actor=finance, transfer_id=part.pk, amount_minor=14_00, reason="Complaint 2207, agreed"
    )


def _plan_ahead(house: House) -> None:
    """Schedule a rent inside the house and a payout, for later days."""
    giver, taker = house.purse("EUR"), house.purse("EUR", number=1)
    for days, to in ((3, taker.pk), (12, None)):
        number = next(_numbers)
        order = TransferOrder(
            source_id=giver.pk,
            destination_id=to,
            payee=None if to else payee("Example Power and Light", number=7000 + number),
            money=Money(410_00, giver.currency),
            reference=f"Plan P-{number:04d}",
        )
        schedule_transfer(
            actor=house.actor,
            order=order,
            execute_at=timezone.now() + timedelta(days=days),
            origin=_origin(),
        )


def _hold(house: House, *, amount: int, lasts: timedelta = LONG) -> Hold:
    """Set money of the partner's first account aside for its second."""
    giver, taker = house.purse("EUR"), house.purse("EUR", number=1)
    return create_hold(
        actor=house.actor,
        order=HoldOrder(
            source_id=giver.pk,
            destination_id=taker.pk,
            money=Money(amount, giver.currency),
            expires_at=timezone.now() + lasts,
            reference=f"Room R-{next(_numbers):03d}",
        ),
        origin=_origin(),
    )


def _capture(house: House, held: Hold, **details: Any) -> Hold:
    return capture_hold(actor=house.actor, hold_id=held.pk, origin=_origin(), **details)


def _move(house: House, *, amount: int) -> Transfer:
    """Move money from the partner's first account to its second."""
    giver, taker = house.purse("EUR"), house.purse("EUR", number=1)
    return request_transfer(
        actor=house.actor,
        order=TransferOrder(
            source_id=giver.pk,
            destination_id=taker.pk,
            money=Money(amount, giver.currency),
            reference=f"Delivery D-{next(_numbers):04d}",
        ),
        origin=_origin(),
    )


def _origin() -> str:
    return f"key:aside-{next(_numbers)}"
