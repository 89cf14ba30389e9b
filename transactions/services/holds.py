"""Commands on a partner's holds: setting money aside, capturing it, and giving it back."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from accounts.services.mailbox import publish
from audit.actors import Actor
from audit.canonical import Json
from audit.circumstances import current
from audit.commands import command
from audit.constraints import refuse_on
from audit.errors import Invalid
from audit.services.recording import later, record
from audit.typeids import typeid
from transactions.errors import AlreadyBooked, HoldExpired, NothingChanged
from transactions.ledger.limits import counting
from transactions.ledger.posting import Draft, Line, post, reserving
from transactions.limits import Spending
from transactions.models import Hold
from transactions.orders import HoldOrder
from transactions.selectors.holds import access_hold
from transactions.services.intake import stand_for
from transactions.services.steps import release_hold, save_hold
from transactions.standing import move, sides
from transactions.states import HoldState, LimitKind

LASTS_MIN: Final = timedelta(minutes=1)
LASTS_MAX: Final = timedelta(days=31)


@command
def create_hold(*, actor: Actor, order: HoldOrder, origin: str) -> Hold:
    """Set money aside until `order.expires_at`, exactly once for its `origin`.

    It counts against the account's limits now, and not again when captured.
    Refuses, in this order: NotFound, Invalid (to itself), CurrencyMismatch, Invalid (too
    short, too long), LimitExceeded, AccountFrozen, BalanceTooLarge, InsufficientFunds;
    AlreadyBooked for a known origin.
    """
    named = {key for key in (order.source_id, order.destination_id) if key}
    amount = order.money.amount_minor
    spending = Spending(
        account_ids=frozenset({order.source_id}),
        kinds=frozenset({LimitKind.HOLD}),
        amount_minor=amount,
        times=1,
    )
    source, _ = sides(
        order.source_id,
        order.destination_id,
        currency=order.money.currency,
        standings=stand_for(named, actor=actor, spending=spending),
    )
    _check_form(order)
    if uses := move(amount, kind=LimitKind.HOLD, source=source, destination=None):
        later(counting(uses))
    later(reserving({source.account_id: amount}))
    hold = Hold(
        book_id=source.book_id,
        account_id=source.account_id,
        destination_id=order.destination_id,
        amount_minor=amount,
        reference=order.reference,
        metadata=order.metadata,
        origin=origin,
        requested_by=actor.ref,
        trace_id=current().trace_id,
        created_at=source.told_at,
        expires_at=order.expires_at,
    )
    with refuse_on({"hold_origin_once": AlreadyBooked(origin=origin)}):
        hold.save(force_insert=True)
    _tell("created", hold=hold, occurred_at=hold.created_at)
    record("hold.created", actor=actor, target=hold, facts={"origin": origin}, rows=[hold])
    return hold


@command
def capture_hold(
    *,
    actor: Actor,
    hold_id: UUID,
    origin: str,
    amount_minor: int | None = None,
    destination_id: UUID | None = None,
    is_final: bool = False,
) -> Hold:
    """Move held money to its destination: all that is left, or `amount_minor` of it.

    With `is_final` the rest is released. `destination_id` where the hold named
    none. Each capture is one journal, once for its `origin`. Refuses with
    NotFound, Invalid, HoldExpired, WrongState, HoldExceeded, AccountFrozen,
    BalanceTooLarge and CurrencyMismatch; AlreadyBooked for a known origin.
    """
    hold = access_hold(hold_id, actor=actor, lock=True)
    chosen = _destination(hold, named=destination_id)
    standings = stand_for([hold.account_id, chosen], actor=actor)
    source, _ = sides(hold.account_id, chosen, currency=hold.account.currency, standings=standings)
    amount = hold.remaining_minor if amount_minor is None else amount_minor
    freed = hold.capture(amount, is_final=is_final)
    with refuse_on({"hold_in_time": HoldExpired(ref=hold.audit_ref)}):
        save_hold(hold)
    source.check_may_leave()
    now = timezone.now()
    journal_id = _post_capture(
        hold, to_id=chosen, amount_minor=amount, freed_minor=freed, origin=origin, at=now
    )
    taken: dict[str, Json] = {
        "amount_minor": amount,
        "destination_account": typeid("acc", chosen),
    }
    _tell("captured", hold=hold, occurred_at=now, capture=taken)
    record(
        "hold.captured",
        actor=actor,
        target=hold,
        facts={"journal": journal_id, **taken},
        rows=[hold],
    )
    return hold


@command
def void_hold(*, actor: Actor, hold_id: UUID) -> Hold:
    """Give back what is left of a hold. WrongState once nothing is; NotFound if not yours."""
    hold = access_hold(hold_id, actor=actor, lock=True)
    release_hold(hold)
    _tell("voided", hold=hold, occurred_at=timezone.now())
    record("hold.voided", actor=actor, target=hold, rows=[hold])
    return hold


@command
def expire_hold(*, actor: Actor, hold_id: UUID) -> Hold:
    """Give back what is left of a hold whose time is up. NothingChanged if it is not, or ended."""
    hold = access_hold(hold_id, actor=actor, lock=True)
    if hold.state != HoldState.OPEN:
        raise NothingChanged(ref=hold.audit_ref)
    with refuse_on({"hold_in_time": NothingChanged(ref=hold.audit_ref)}):
        release_hold(hold, as_=HoldState.EXPIRED)
    _tell("expired", hold=hold, occurred_at=timezone.now())
    record("hold.expired", actor=actor, target=hold, rows=[hold])
    return hold


def _check_form(order: HoldOrder) -> None:
    """Refuse a hold too short or too long."""
    lasts = order.expires_at - timezone.now()
    if not LASTS_MIN <= lasts <= LASTS_MAX:
        said = f"must be {LASTS_MIN.seconds} seconds to {LASTS_MAX.days} days from now"
        raise Invalid(fields={"expires_at": said})


def _destination(hold: Hold, *, named: UUID | None) -> UUID:
    """Return where a capture goes: what the hold says, or what is named where it says nothing."""
    chosen = hold.destination_id or named
    if chosen is None:
        raise Invalid(fields={"destination_account": "is needed: the hold names none"})
    if named not in (None, chosen):
        raise Invalid(fields={"destination_account": "is another than the hold's own"})
    return chosen


def _post_capture(
    hold: Hold,
    *,
    to_id: UUID,
    amount_minor: int,
    freed_minor: int,
    origin: str,
    at: datetime,
) -> UUID:
    """Post one capture, and free what is no longer reserved with it; return its journal."""
    giver = Line(
        account_id=hold.account_id,
        amount_minor=-amount_minor,
        currency=hold.currency,
        release_minor=freed_minor,
    )
    taker = Line(account_id=to_id, amount_minor=amount_minor, currency=hold.currency)
    return post(
        Draft(
            book_id=hold.book_id,
            purpose="hold_capture",
            subject_ref=hold.audit_ref,
            origin=origin,
            occurred_at=at,
            lines=[giver, taker],
        )
    )


def _tell(
    what: str, *, hold: Hold, occurred_at: datetime, capture: dict[str, Json] | None = None
) -> None:
    """Leave the partner a letter that says what became of a hold."""
    publish(
        f"hold.{what}",
        book_id=hold.book_id,
        occurred_at=occurred_at,
        payload={
            "id": hold.public_id,
            "state": hold.state,
            "amount_minor": hold.amount_minor,
            "captured_minor": hold.captured_minor,
            "released_minor": hold.released_minor,
            "remaining_minor": hold.remaining_minor,
            "currency": hold.currency,
            "reference": hold.reference,
            "source_account": typeid("acc", hold.account_id),
            "capture": capture,
        },
    )
