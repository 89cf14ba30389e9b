"""Freezing: at once by one person, confirmed and lifted only by two, ended by the clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from accounts.errors import AlreadyAsked, AlreadyFrozen, FreezeOver
from accounts.models import Account, Approval, Freeze
from accounts.selectors.accounts import access_account
from accounts.selectors.approvals import access_approval, approvals_not_used
from accounts.selectors.freezes import access_freeze, modes_in_force
from accounts.services.approvals import ask, consume, withdraw
from accounts.states import FreezeMode, FreezeReason, FreezeState
from audit.actors import Actor
from audit.canonical import Json
from audit.commands import command
from audit.constraints import refuse_on
from audit.errors import Invalid
from audit.history import Guarded, plain
from audit.services.recording import record
from audit.typeids import typeid
from transactions.errors import AccountClosed
from transactions.ledger.posting import restrain
from transactions.money import AMOUNT_MINOR_MAX

CONFIRM: Final = "transactions.confirm_freeze"
LIFT: Final = "transactions.lift_freeze"
# How long one person's word is enough before it becomes an alarm.
CONFIRM_WITHIN: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeTerms:
    """Why in one word, how much where an amount is held back, and from when until when.

    Without `starts_at` it stops at once, without `ends_at` until two people lift it.
    """

    reason_code: FreezeReason = FreezeReason.OTHER
    amount_minor: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


PLAIN: Final = FreezeTerms()


@command
def freeze_account(
    *,
    actor: Actor,
    account_id: UUID,
    mode: FreezeMode,
    reason: str,
    legal_reference: str,
    terms: FreezeTerms = PLAIN,
) -> Freeze:
    """Stop an account's money at once, or from `terms.starts_at` on, and ask a second person.

    Refuses with Invalid (terms that make no sense), AccountClosed, and
    AlreadyFrozen in this way under this reference.
    """
    account = access_account(account_id, actor=actor, lock=True)
    now = timezone.now()
    _check(mode, terms=terms, now=now)
    if account.closed_at is not None:
        raise AccountClosed(account=account.public_id)
    is_later = terms.starts_at is not None and terms.starts_at > now
    freeze = Freeze(
        account=account,
        book_id=account.book_id,
        mode=mode,
        amount_minor=terms.amount_minor,
        state=FreezeState.SCHEDULED if is_later else FreezeState.IN_FORCE,
        reason_code=terms.reason_code,
        reason=reason,
        legal_reference=legal_reference,
        placed_by=actor.ref,
        starts_at=terms.starts_at,
        ends_at=terms.ends_at,
        confirm_by=now + CONFIRM_WITHIN,
    )
    with refuse_on({"freeze_once_a_reference": AlreadyFrozen(account=account.public_id)}):
        freeze.save(force_insert=True)
    _obey(account)
    asked = _ask(CONFIRM, freeze=freeze, actor=actor, payload=freeze_payload(freeze))
    rows = [account, freeze, asked]
    action = "freeze.scheduled" if is_later else "account.frozen"
    _record(action, freeze=freeze, actor=actor, rows=rows, facts=freeze_payload(freeze))
    return freeze


@command
def confirm_freeze(*, actor: Actor, approval_id: UUID) -> Freeze:
    """Carry out an approval: two people stand behind the freeze. FreezeOver where it is over."""
    approval = access_approval(approval_id, actor=actor)
    freeze = access_freeze(approval.subject_id, actor=actor, lock=True)
    _expect(freeze, FreezeState.SCHEDULED, FreezeState.IN_FORCE)
    consume(approval, payload=freeze_payload(freeze))
    freeze.confirmed_at = timezone.now()
    freeze.save(update_fields=["confirmed_at"])
    _record("freeze.confirmed", freeze=freeze, actor=actor, rows=[freeze, approval])
    return freeze


@command
def request_lifting(*, actor: Actor, freeze_id: UUID, reason: str) -> Approval:
    """Ask that a freeze be lifted, which a second person must approve. It stands until then.

    Refuses with FreezeOver and AlreadyAsked.
    """
    freeze = access_freeze(freeze_id, actor=actor, lock=True)
    _expect(freeze, FreezeState.SCHEDULED, FreezeState.IN_FORCE)
    payload = _lifting_payload(freeze, why=reason)
    asked = _ask(LIFT, freeze=freeze, actor=actor, payload=payload)
    facts = {"reason": reason}
    _record("freeze.lifting_requested", freeze=freeze, actor=actor, rows=[asked], facts=facts)
    return asked


@command
def lift_freeze(*, actor: Actor, approval_id: UUID) -> Freeze:
    """Carry out an approval: the freeze stops nothing any more; others on the account stay.

    Refuses with FreezeOver, AlreadyDecided and StaleApproval.
    """
    approval = access_approval(approval_id, actor=actor)
    freeze = _locked(approval.subject_id, actor=actor)
    _expect(freeze, FreezeState.SCHEDULED, FreezeState.IN_FORCE)
    why = str(approval.payload.get("why_lifted", ""))
    consume(approval, payload=_lifting_payload(freeze, why=why))
    _turn(freeze, FreezeState.LIFTED)
    others = _without_requests(freeze)
    rows = [freeze.account, freeze, approval, *others]
    _record("freeze.lifted", freeze=freeze, actor=actor, rows=rows, facts={"reason": why})
    return freeze


@command
def start_freeze(*, actor: Actor, freeze_id: UUID) -> Freeze:
    """Let a freeze begin whose time has come. FreezeOver where it has begun or is over."""
    freeze = _locked(freeze_id, actor=actor)
    _expect(freeze, FreezeState.SCHEDULED)
    _turn(freeze, FreezeState.IN_FORCE)
    _record("account.frozen", freeze=freeze, actor=actor, rows=[freeze.account, freeze])
    return freeze


@command
def end_freeze(*, actor: Actor, freeze_id: UUID) -> Freeze:
    """Let a freeze end whose time is over. FreezeOver where it is; the database knows the time."""
    freeze = _locked(freeze_id, actor=actor)
    _expect(freeze, FreezeState.SCHEDULED, FreezeState.IN_FORCE)
    _turn(freeze, FreezeState.ENDED)
    rows = [freeze.account, freeze, *_without_requests(freeze)]
    _record("freeze.ended", freeze=freeze, actor=actor, rows=rows)
    return freeze


def freeze_payload(freeze: Freeze) -> dict[str, Json]:
    """Return exactly what a checker is shown of a freeze."""
    amount = {} if freeze.amount_minor is None else {"amount_minor": freeze.amount_minor}
    return {
        "freeze": freeze.public_id,
        "account": typeid("acc", freeze.account_id),
        "currency": freeze.account.currency,
        "mode": str(freeze.mode),
        **amount,
        "reason_code": str(freeze.reason_code),
        "reason": freeze.reason,
        "legal_reference": freeze.legal_reference,
        "placed_by": freeze.placed_by,
        "starts_at": plain(freeze.starts_at),
        "ends_at": plain(freeze.ends_at),
    }


def _lifting_payload(freeze: Freeze, *, why: str) -> dict[str, Json]:
    return {**freeze_payload(freeze), "why_lifted": why}


def _check(mode: FreezeMode, *, terms: FreezeTerms, now: datetime) -> None:
    """Refuse terms that make no sense."""
    wrong = {}
    if mode is FreezeMode.NONE:
        wrong["mode"] = "must stop something"
    amount = terms.amount_minor
    if (mode is FreezeMode.AMOUNT) != (amount is not None):
        wrong["amount_minor"] = "goes with the mode that holds back an amount, and only with it"
    elif amount is not None and not 0 < amount <= AMOUNT_MINOR_MAX:
        wrong["amount_minor"] = "must be above zero and within what the books can hold"
    if terms.ends_at is not None and terms.ends_at <= max(now, terms.starts_at or now):
        wrong["ends_at"] = "must be later than its start, and not past"
    if wrong:
        raise Invalid(fields=wrong)


def _locked(freeze_id: UUID, *, actor: Actor) -> Freeze:
    """Return a freeze, its account locked before it: whoever changes one account's queue here."""
    account_id = access_freeze(freeze_id, actor=actor).account_id
    account = access_account(account_id, actor=actor, lock=True)
    freeze = access_freeze(freeze_id, actor=actor, lock=True)
    freeze.account = account
    return freeze


def _expect(freeze: Freeze, *wanted: FreezeState) -> None:
    if freeze.state not in wanted:
        raise FreezeOver(ref=freeze.audit_ref, state=freeze.state)


def _turn(freeze: Freeze, to: FreezeState) -> None:
    """Move a freeze on in its life, and let its account and the ledger follow."""
    freeze.state = to
    if to in (FreezeState.LIFTED, FreezeState.ENDED):
        freeze.lifted_at = timezone.now()
    freeze.save(update_fields=["state", "lifted_at"])
    _obey(freeze.account)


def _obey(account: Account) -> None:
    """Say on the account, and in the ledger, what its freezes in force stop together."""
    account.freeze_mode = FreezeMode.union(modes_in_force(account.pk))
    account.save(update_fields=["freeze_mode"])
    restrain(account.pk)


def _ask(action: str, *, freeze: Freeze, actor: Actor, payload: Mapping[str, Json]) -> Approval:
    """Ask a second person about a freeze; AlreadyAsked where somebody did."""
    with refuse_on({"approval_one_open": AlreadyAsked(ref=freeze.audit_ref)}):
        return ask(
            action,
            actor=actor,
            subject_ref=freeze.audit_ref,
            book_id=freeze.book_id,
            payload=payload,
        )


def _without_requests(freeze: Freeze) -> list[Approval]:
    """Close and return what a second person was asked about a freeze that is over."""
    pointless = approvals_not_used(freeze.audit_ref)
    for approval in pointless:
        withdraw(approval)
    return pointless


def _record(
    action: str,
    *,
    freeze: Freeze,
    actor: Actor,
    rows: Sequence[Guarded],
    facts: Mapping[str, object] | None = None,
) -> None:
    """Write down what became of a freeze, on its account."""
    record(
        action,
        actor=actor,
        target=freeze.account,
        facts={"freeze": freeze.public_id, "mode": freeze.mode, **(facts or {})},
        rows=rows,
        book_id=freeze.book_id,
    )
