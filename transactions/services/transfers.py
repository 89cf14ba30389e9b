"""Commands on transfers as their owners know them: asking for one, and calling it off."""

from uuid import UUID

from django.utils import timezone

from accounts.crypto.vault import lock_away
from accounts.models import Partner
from accounts.selectors.approvals import access_approval
from accounts.services.approvals import ask, withdraw
from accounts.states import ApprovalState
from audit.actors import Actor, ActorKind
from audit.circumstances import current
from audit.commands import command
from audit.constraints import refuse_on
from audit.doorbell import ring
from audit.errors import Invalid, NotPermitted
from audit.history import Guarded
from audit.services.recording import record
from audit.typeids import typeid
from transactions.errors import AlreadyBooked, CurrencyMismatch, LimitExceeded
from transactions.ledger.posting import Draft, Line, lock, post, reserve
from transactions.models import Hold, LedgerAccount, Transfer
from transactions.orders import TransferOrder
from transactions.selectors.ledger import (
    access_ledger_account,
    limits_on,
    partner_of_book,
    sent_today,
)
from transactions.selectors.transfers import access_transfer
from transactions.services.payees import wants_signature_for_payee
from transactions.services.steps import approval_payload, release_hold, save_state, tell
from transactions.states import LimitWindow, TransferKind, TransferState

PAYOUT_PROVIDER = "testbank"
RELEASE = "transactions.release_transfer"


@command
def request_transfer(*, actor: Actor, order: TransferOrder, origin: str) -> Transfer:
    """Take an instruction to move money, exactly once for its `origin`.

    An internal transfer is posted at once. A payout is reserved; at or above
    the partner's threshold, or when staff asks, or as the payee register wants
    it, it waits for a second person. Refuses, in this order: NotFound,
    CurrencyMismatch, LimitExceeded, PayeeNotRegistered, PayeeCooling,
    AccountFrozen, InsufficientFunds; AlreadyBooked for a known origin, and
    Invalid from an account to itself.
    """
    source = access_ledger_account(order.source_id, actor=actor)
    destination = (
        access_ledger_account(order.destination_id, actor=actor) if order.destination_id else None
    )
    if actor.kind is ActorKind.STAFF and order.payee is None:
        # A payout of staff's waits for a second person; moving money inside would not.
        raise NotPermitted(permission="transactions.request_internal_transfer")
    _check_form(order, source=source, destination=destination)
    lock(*(account.pk for account in (source, destination) if account))
    _check_limits(order, source=source)
    transfer = _draft(order, actor=actor, source=source, origin=origin)
    if order.payee is None:
        rows = _move_at_once(transfer)
    else:
        rows = _set_aside(transfer, actor=actor, partner=partner_of_book(source.book_id))
    tell(transfer, occurred_at=transfer.occurred_at)
    record(
        "transfer.requested",
        actor=actor,
        target=transfer,
        facts={"origin": origin, "state": transfer.state},
        rows=[transfer, *rows],
        book_id=transfer.book_id,
    )
    return transfer


@command
def cancel_transfer(*, actor: Actor, transfer_id: UUID) -> Transfer:
    """Call off a payout that has not been sent. WrongState once it has; NotFound if not yours."""
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    transfer.advance(TransferState.CANCELLED)
    save_state(transfer)
    release_hold(transfer.hold)
    rows: list[Guarded] = [transfer, transfer.hold]
    if transfer.approval_id is not None:
        approval = access_approval(transfer.approval_id, actor=actor, lock=True)
        if approval.state != ApprovalState.USED:
            withdraw(approval)
            rows.append(approval)
    tell(transfer, occurred_at=timezone.now())
    record("transfer.cancelled", actor=actor, target=transfer, rows=rows)
    return transfer


@command
def flag_transfer(*, actor: Actor, transfer_id: UUID, reason: str) -> Transfer:
    """Mark a transfer as one that somebody should look at, and say why."""
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    transfer.is_flagged = True
    transfer.save(update_fields=["is_flagged"])
    record(
        "transfer.flagged", actor=actor, target=transfer, facts={"reason": reason}, rows=[transfer]
    )
    return transfer


@command
def note_on_transfer(*, actor: Actor, transfer_id: UUID, text: str) -> Transfer:
    """Leave a note on a transfer's timeline. Changes nothing else."""
    transfer = access_transfer(transfer_id, actor=actor)
    record("transfer.noted", actor=actor, target=transfer, facts={"note": text})
    return transfer


@command
def escalate_transfer(*, actor: Actor, transfer_id: UUID, reason: str) -> Transfer:
    """Hand a transfer to compliance: flagged, with the reason on its timeline."""
    transfer = access_transfer(transfer_id, actor=actor, lock=True)
    transfer.is_flagged = True
    transfer.save(update_fields=["is_flagged"])
    record(
        "transfer.escalated",
        actor=actor,
        target=transfer,
        facts={"reason": reason},
        rows=[transfer],
    )
    return transfer


def _check_form(
    order: TransferOrder, *, source: LedgerAccount, destination: LedgerAccount | None
) -> None:
    """Refuse an amount in another currency than its accounts'."""
    for name, account in (("source_account", source), ("destination_account", destination)):
        if account is not None and account.currency != order.money.currency:
            said = f"{name} is kept in {account.currency}"
            raise CurrencyMismatch(fields={"currency": said})


def _check_limits(order: TransferOrder, *, source: LedgerAccount) -> None:
    """Refuse what would pass a limit; under the account's lock, so two cannot pass together."""
    for limit in limits_on(source.pk):
        used = sent_today(source.pk) if limit.window == LimitWindow.DAY else 0
        if used + order.money.amount_minor > limit.amount_max_minor:
            raise LimitExceeded(
                account=typeid("acc", source.pk),
                window=limit.window,
                limit_minor=limit.amount_max_minor,
            )


def _draft(order: TransferOrder, *, actor: Actor, source: LedgerAccount, origin: str) -> Transfer:
    """Return the transfer, not saved yet; a payee's name and IBAN are in the vault."""
    transfer = Transfer(
        book_id=source.book_id,
        kind=TransferKind.PAYOUT if order.payee else TransferKind.INTERNAL,
        source=source,
        destination_id=order.destination_id,
        amount_minor=order.money.amount_minor,
        currency=order.money.currency,
        reference=order.reference,
        metadata=order.metadata,
        origin=origin,
        requested_by=actor.ref,
        trace_id=current().trace_id,
        occurred_at=timezone.now(),
    )
    if order.payee is not None:
        transfer.provider = PAYOUT_PROVIDER
        transfer.payee_name = lock_away(order.payee.name, label="name", book_id=source.book_id)
        transfer.payee_iban = lock_away(order.payee.iban, label="iban", book_id=source.book_id)
    return transfer


def _insert(transfer: Transfer) -> None:
    """Save a new transfer; refuse a known origin, and a transfer from an account to itself."""
    again = AlreadyBooked(origin=transfer.origin)
    itself = Invalid(fields={"destination_account": "must be another account"})
    with refuse_on({"transactions_transfer_origin_key": again, "transfer_not_to_itself": itself}):
        transfer.save(force_insert=True)


def _move_at_once(transfer: Transfer) -> list[Guarded]:
    """Post an internal transfer and save it as settled."""
    transfer.state = TransferState.SETTLED
    transfer.settled_at = transfer.occurred_at
    _insert(transfer)
    amount, currency = transfer.amount_minor, transfer.currency
    destination_id: UUID = transfer.destination_id  # type: ignore[assignment]
    post(
        Draft(
            book_id=transfer.book_id,
            purpose="internal",
            subject_ref=transfer.audit_ref,
            origin=f"{transfer.audit_ref}:settled",
            occurred_at=transfer.occurred_at,
            lines=[
                Line(account_id=transfer.source_id, amount_minor=-amount, currency=currency),
                Line(account_id=destination_id, amount_minor=amount, currency=currency),
            ],
        )
    )
    return []


def _set_aside(transfer: Transfer, *, actor: Actor, partner: Partner) -> list[Guarded]:
    """Reserve a payout's money, and ask for a second signature where one is needed."""
    is_unusual = wants_signature_for_payee(transfer, actor=actor)
    reserve(transfer.source_id, amount_minor=transfer.amount_minor)
    transfer.state = TransferState.ACCEPTED
    rows: list[Guarded] = []
    is_large = transfer.amount_minor >= partner.approval_threshold_minor
    if is_large or is_unusual or actor.kind is ActorKind.STAFF:
        transfer.state = TransferState.AWAITING_APPROVAL
        transfer.approval = ask(
            RELEASE,
            actor=actor,
            subject_ref=transfer.audit_ref,
            book_id=transfer.book_id,
            payload=approval_payload(transfer),
        )
        rows.append(transfer.approval)
    else:
        ring("integrations.send_payouts")
    _insert(transfer)
    hold = Hold.objects.create(
        transfer=transfer,
        book_id=transfer.book_id,
        account_id=transfer.source_id,
        amount_minor=transfer.amount_minor,
    )
    return [*rows, hold]
