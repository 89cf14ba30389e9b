"""Limits: asked for by one, set once two agree, counted anew as they are set."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from accounts.errors import AlreadyAsked
from accounts.models import Approval
from accounts.selectors.accounts import access_account
from accounts.selectors.approvals import access_approval
from accounts.selectors.partners import access_partner
from accounts.services.approvals import ask, consume
from audit.actors import Actor
from audit.canonical import Json
from audit.commands import command
from audit.constraints import refuse_on
from audit.errors import Invalid
from audit.services.recording import later, record
from audit.typeids import typeid
from transactions.errors import NothingChanged
from transactions.ledger.limits import recounting
from transactions.models import Limit
from transactions.money import AMOUNT_MINOR_MAX, EXPONENTS
from transactions.selectors.limits import access_limit
from transactions.states import LimitKind, LimitWindow

SET_LIMIT: Final = "transactions.set_limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Maxima:
    """The most that a limit allows: in all, how often, or both. Neither allows everything."""

    amount_minor: int | None = None
    count: int | None = None


@command
def request_limit(
    *,
    actor: Actor,
    account_id: UUID,
    kind: LimitKind,
    window: LimitWindow,
    maxima: Maxima,
    reason: str,
) -> Approval:
    """Ask for a limit on what may leave an account, or for another or none.

    Refuses with NotFound, Invalid, NothingChanged and AlreadyAsked.
    """
    account = access_account(account_id, actor=actor)
    wanted = Limit(
        book_id=account.book_id,
        account_id=account.pk,
        currency=account.currency,
        kind=kind,
        window=window,
    )
    return _ask(wanted, actor=actor, maxima=maxima, about=account.name, reason=reason)


@command
def request_partner_limit(
    *,
    actor: Actor,
    partner_id: UUID,
    currency: str,
    kind: LimitKind,
    window: LimitWindow,
    maxima: Maxima,
    reason: str,
) -> Approval:
    """Ask for a limit on what may leave all of a partner's accounts in a currency together.

    Refuses with NotFound, Invalid, NothingChanged and AlreadyAsked.
    """
    partner = access_partner(partner_id, actor=actor)
    if currency not in EXPONENTS:
        raise Invalid(fields={"currency": "is not one that is kept here"})
    wanted = Limit(book_id=partner.book_id, currency=currency, kind=kind, window=window)
    return _ask(wanted, actor=actor, maxima=maxima, about=partner.name, reason=reason)


@command
def set_limit(*, actor: Actor, approval_id: UUID) -> Limit:
    """Carry out an approval: from now on no more may leave than was agreed.

    What left before counts. Waits for who is spending; whoever comes after is
    held to it. Refuses with StaleApproval and AlreadyDecided.
    """
    approval = access_approval(approval_id, actor=actor)
    limit = access_limit(approval.subject_id, actor=actor, lock=True)
    agreed = approval.payload
    maxima = Maxima(amount_minor=agreed["amount_max_minor"], count=agreed["count_max"])
    about, reason = str(agreed["about"]), str(agreed["reason"])
    consume(approval, payload=_payload(limit, maxima=maxima, about=about, reason=reason))
    limit.amount_max_minor, limit.count_max = maxima.amount_minor, maxima.count
    limit.changed_under = approval
    limit.save(update_fields=["amount_max_minor", "count_max", "changed_under"])
    later(recounting(limit.pk))
    record(
        "limit.set",
        actor=actor,
        target=limit,
        facts={"amount_max_minor": maxima.amount_minor, "count_max": maxima.count},
        rows=[limit, approval],
    )
    return limit


def _ask(wanted: Limit, *, actor: Actor, maxima: Maxima, about: str, reason: str) -> Approval:
    """Open the request on the limit there is, or on a new one that allows everything so far."""
    _check(wanted, maxima=maxima)
    limit = _kept(wanted)
    is_new = limit is wanted
    if (limit.amount_max_minor, limit.count_max) == (maxima.amount_minor, maxima.count):
        raise NothingChanged(ref=limit.audit_ref)
    with refuse_on({"limit_once": AlreadyAsked(ref=limit.audit_ref)}):
        if is_new:
            limit.save(force_insert=True)
    payload = _payload(limit, maxima=maxima, about=about, reason=reason)
    approval = ask(
        SET_LIMIT,
        actor=actor,
        subject_ref=limit.audit_ref,
        book_id=limit.book_id,
        payload=payload,
    )
    record(
        "limit.requested",
        actor=actor,
        target=limit,
        facts=payload,
        rows=[approval, *([limit] if is_new else [])],
    )
    return approval


def _check(wanted: Limit, *, maxima: Maxima) -> None:
    """Refuse maxima that make no sense."""
    for name, most in (("amount_max", maxima.amount_minor), ("count_max", maxima.count)):
        if most is not None and not 0 <= most <= AMOUNT_MINOR_MAX:
            raise Invalid(fields={name: "must be zero or above"})
    if wanted.window == LimitWindow.TRANSFER and maxima.count is not None:
        raise Invalid(fields={"count_max": "a single transfer is not counted"})


def _kept(wanted: Limit) -> Limit:
    """Return the limit that is kept on just that, or the one wanted where none is."""
    found = Limit.objects.filter(
        book_id=wanted.book_id,
        account_id=wanted.account_id,
        currency=wanted.currency,
        kind=wanted.kind,
        window=wanted.window,
    ).first()
    return found or wanted


def _payload(limit: Limit, *, maxima: Maxima, about: str, reason: str) -> dict[str, Json]:
    """Return what a checker is shown. `after` is the last change: after another, it is stale."""
    return {
        "scope": limit.scope.value,
        "about": about,
        "account": typeid("acc", limit.account_id) if limit.account_id else "",
        "currency": limit.currency,
        "kind": limit.kind,
        "window": limit.window,
        "amount_max_minor": maxima.amount_minor,
        "amount_max_now_minor": limit.amount_max_minor,
        "count_max": maxima.count,
        "count_max_now": limit.count_max,
        "after": str(limit.changed_under_id or ""),
        "reason": reason,
    }
