"""Closing, reopening, and the floor of an account: asked for by one, done once two agree."""

from typing import Final
from uuid import UUID

from django.utils import timezone

from accounts.errors import AlreadyAsked
from accounts.models import Account, Approval
from accounts.selectors.accounts import access_account
from accounts.selectors.approvals import access_approval
from accounts.selectors.freezes import freezes_not_over
from accounts.services.approvals import ask, consume
from audit.actors import Actor
from audit.canonical import Json
from audit.commands import command
from audit.constraints import refuse_on
from audit.errors import Invalid
from audit.services.recording import record
from transactions.errors import AccountClosed, AccountNotEmpty, NothingChanged
from transactions.ledger.posting import restrain, stand
from transactions.money import AMOUNT_MINOR_MAX
from transactions.selectors.dispatching import is_scheduled_on

CLOSE: Final = "transactions.close_account"
REOPEN: Final = "transactions.reopen_account"
FLOOR: Final = "transactions.set_floor"


@command
def request_closing(*, actor: Actor, account_id: UUID, reason: str) -> Approval:
    """Ask that an account be closed. AccountClosed, AccountNotEmpty, AlreadyAsked."""
    account = access_account(account_id, actor=actor, lock=True)
    _check_may_close(account)
    return _ask(CLOSE, account=account, actor=actor, payload=_payload(account, reason=reason))


@command
def close_account(*, actor: Actor, approval_id: UUID) -> Account:
    """Carry out an approval: no money arrives on the account or leaves it any more.

    AccountNotEmpty unless nothing is posted, reserved or frozen on it: the
    ledger looks under its lock. Never deleted; it may be reopened.
    """
    approval, account = _locked(approval_id, actor=actor)
    _check_may_close(account)
    consume(approval, payload=_payload(account, reason=_reason(approval)))
    account.closed_at = timezone.now()
    return _changed("account.closed", account=account, approval=approval, actor=actor)


@command
def request_reopening(*, actor: Actor, account_id: UUID, reason: str) -> Approval:
    """Ask that a closed account be opened again. NothingChanged, AlreadyAsked."""
    account = access_account(account_id, actor=actor, lock=True)
    _check_is_closed(account)
    return _ask(REOPEN, account=account, actor=actor, payload=_payload(account, reason=reason))


@command
def reopen_account(*, actor: Actor, approval_id: UUID) -> Account:
    """Carry out an approval: the account is open again. NothingChanged where it is."""
    approval, account = _locked(approval_id, actor=actor)
    _check_is_closed(account)
    consume(approval, payload=_payload(account, reason=_reason(approval)))
    account.closed_at = None
    return _changed("account.reopened", account=account, approval=approval, actor=actor)


@command
def request_floor(*, actor: Actor, account_id: UUID, floor_minor: int, reason: str) -> Approval:
    """Ask for another floor: 0, or an agreed overdraft below it.

    Refuses with AccountClosed, Invalid, NothingChanged and AlreadyAsked.
    """
    account = access_account(account_id, actor=actor, lock=True)
    if account.closed_at is not None:
        raise AccountClosed(account=account.public_id)
    if not -AMOUNT_MINOR_MAX <= floor_minor <= 0:
        raise Invalid(fields={"floor_minor": "must be zero or below it"})
    if floor_minor == account.floor_minor:
        raise NothingChanged(ref=account.audit_ref)
    payload = _floor_payload(account, floor_minor=floor_minor, reason=reason)
    return _ask(FLOOR, account=account, actor=actor, payload=payload)


@command
def set_floor(*, actor: Actor, approval_id: UUID) -> Account:
    """Carry out an approval: the account may stand as low as agreed, and no lower.

    Refuses with AccountClosed, and with InsufficientFunds a floor above what is there.
    """
    approval, account = _locked(approval_id, actor=actor)
    if account.closed_at is not None:
        raise AccountClosed(account=account.public_id)
    floor = int(approval.payload["floor_minor"])
    payload = _floor_payload(account, floor_minor=floor, reason=_reason(approval))
    consume(approval, payload=payload)
    account.floor_minor = floor
    return _changed("account.floor_set", account=account, approval=approval, actor=actor)


def _check_may_close(account: Account) -> None:
    """Refuse to close what is closed, frozen, not empty, or in a transfer that is yet to come."""
    if account.closed_at is not None:
        raise AccountClosed(account=account.public_id)
    standing = stand([account.pk])[account.pk]
    is_empty = not (standing.posted_minor or standing.pending_minor)
    if not is_empty or freezes_not_over(account.pk) or is_scheduled_on(account.pk):
        raise AccountNotEmpty(account=account.public_id)


def _check_is_closed(account: Account) -> None:
    if account.closed_at is None:
        raise NothingChanged(ref=account.audit_ref)


def _payload(account: Account, *, reason: str) -> dict[str, Json]:
    """Return what a checker is shown. `after` is the last such act: after another, it is stale."""
    return {
        "account": account.public_id,
        "name": account.name,
        "currency": account.currency,
        "after": str(account.changed_under_id or ""),
        "reason": reason,
    }


def _floor_payload(account: Account, *, floor_minor: int, reason: str) -> dict[str, Json]:
    floors: dict[str, Json] = {"floor_minor": floor_minor, "floor_now_minor": account.floor_minor}
    return _payload(account, reason=reason) | floors


def _reason(approval: Approval) -> str:
    return str(approval.payload.get("reason", ""))


def _ask(action: str, *, account: Account, actor: Actor, payload: dict[str, Json]) -> Approval:
    """Open the request and write it down, on the account."""
    with refuse_on({"approval_one_open": AlreadyAsked(ref=account.audit_ref)}):
        approval = ask(
            action,
            actor=actor,
            subject_ref=account.audit_ref,
            book_id=account.book_id,
            payload=payload,
        )
    record(
        "account.change_requested",
        actor=actor,
        target=account,
        facts={"action": action, **payload},
        rows=[approval],
        book_id=account.book_id,
    )
    return approval


def _locked(approval_id: UUID, *, actor: Actor) -> tuple[Approval, Account]:
    """Return an approval and, locked, the account it is about."""
    approval = access_approval(approval_id, actor=actor)
    return approval, access_account(approval.subject_id, actor=actor, lock=True)


def _changed(action: str, *, account: Account, approval: Approval, actor: Actor) -> Account:
    """Save what was approved, let the ledger obey it, and write it down."""
    account.changed_under = approval
    account.save(update_fields=["closed_at", "floor_minor", "changed_under"])
    restrain(account.pk)
    record(
        action,
        actor=actor,
        target=account,
        facts={"floor_minor": account.floor_minor, "reason": _reason(approval)},
        rows=[account, approval],
        book_id=account.book_id,
    )
    return account
