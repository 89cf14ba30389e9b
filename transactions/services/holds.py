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
from audit.services.recording import record
from audit.typeids import typeid
from transactions.errors import AlreadyBooked, CurrencyMismatch, HoldExpired, NothingChanged
from transactions.ledger.posting import Draft, Line, lock, post, reserve
from transactions.models import Hold, LedgerAccount
from transactions.orders import HoldOrder
from transactions.selectors.holds import access_hold
from transactions.selectors.ledger import access_ledger_account
from transactions.services.steps import check_limits, check_may_leave, release_hold, save_hold
from transactions.states import HoldState

LASTS_MIN: Final = timedelta(minutes=1)
LASTS_MAX: Final = timedelta(days=31)
ITSELF: Final = "must be another account"


@command
def create_hold(*, actor: Actor, order: HoldOrder, origin: str) -> Hold:
    """Set money aside until `order.expires_at`, exactly once for its `origin`.

    It counts against the account's limits now, and not again when captured.
    Refuses, in this order: NotFound, Invalid, CurrencyMismatch, LimitExceeded,
    AccountFrozen, InsufficientFunds; AlreadyBooked for a known origin.
    """
    source = access_ledger_account(order.source_id, actor=actor)
    destination = (
        access_ledger_account(order.destination_id, actor=actor) if order.destination_id else None
    )
    _check_form(order, source=source, destination=destination)
    lock(source.pk)
    check_limits(source.pk, amount_minor=order.money.amount_minor)
    check_may_leave(source.pk, book_id=source.book_id)
    reserve(source.pk, amount_minor=order.money.amount_minor)
    hold = Hold(
        book_id=source.book_id,
        account=source,
        destination=destination,
        amount_minor=order.money.amount_minor,
        reference=order.reference,
        metadata=order.metadata,
        origin=origin,
        requested_by=actor.ref,
        trace_id=current().trace_id,
        expires_at=order.expires_at,
    )
    again, itself = AlreadyBooked(origin=origin), Invalid(fields={"destination_account": ITSELF})
    with refuse_on({"hold_origin_once": again, "hold_not_to_itself": itself}):
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
    NotFound, Invalid, HoldExpired, WrongState, HoldExceeded, AccountFrozen
    and CurrencyMismatch; AlreadyBooked for a known origin.
    """
    hold = access_hold(hold_id, actor=actor, lock=True)
    destination = _destination(hold, actor=actor, named=destination_id)
    amount = hold.remaining_minor if amount_minor is None else amount_minor
    freed = hold.capture(amount, is_final=is_final)
    with refuse_on({"hold_in_time": HoldExpired(ref=hold.audit_ref)}):
        save_hold(hold)
    now = timezone.now()
    journal_id = _post_capture(
        hold, to=destination, amount_minor=amount, freed_minor=freed, origin=origin, at=now
    )
    taken: dict[str, Json] = {
        "amount_minor": amount,
        "destination_account": typeid("acc", destination.pk),
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


def _check_form(
    order: HoldOrder, *, source: LedgerAccount, destination: LedgerAccount | None
) -> None:
    """Refuse a hold too short or too long, or an amount in another currency than its accounts'."""
    lasts = order.expires_at - timezone.now()
    if not LASTS_MIN <= lasts <= LASTS_MAX:
        said = f"must be {LASTS_MIN.seconds} seconds to {LASTS_MAX.days} days from now"
        raise Invalid(fields={"expires_at": said})
    for name, account in (("source_account", source), ("destination_account", destination)):
        if account is not None:
            _check_currency(account, currency=order.money.currency, name=name)


def _check_currency(account: LedgerAccount, *, currency: str, name: str) -> None:
    if account.currency != currency:
        raise CurrencyMismatch(fields={"currency": f"{name} is kept in {account.currency}"})


def _destination(hold: Hold, *, actor: Actor, named: UUID | None) -> LedgerAccount:
    """Return where a capture goes: what the hold says, or what is named where it says nothing."""
    chosen = hold.destination_id or named
    problem = ""
    if chosen is None:
        problem = "is needed: the hold names none"
    elif named not in (None, chosen):
        problem = "is another than the hold's own"
    elif chosen == hold.account_id:
        problem = ITSELF
    if problem or chosen is None:
        raise Invalid(fields={"destination_account": problem})
    destination = access_ledger_account(chosen, actor=actor)
    _check_currency(destination, currency=hold.currency, name="destination_account")
    return destination


def _post_capture(
    hold: Hold,
    *,
    to: LedgerAccount,
    amount_minor: int,
    freed_minor: int,
    origin: str,
    at: datetime,
) -> UUID:
    """Post one capture, and free what is no longer reserved with it; return its journal."""
    lock(hold.account_id, to.pk)
    check_may_leave(hold.account_id, book_id=hold.book_id)
    giver = Line(
        account_id=hold.account_id,
        amount_minor=-amount_minor,
        currency=hold.currency,
        release_minor=freed_minor,
    )
    taker = Line(account_id=to.pk, amount_minor=amount_minor, currency=hold.currency)
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
