"""Transfers to another partner's account, of which the giver knows the alias and nothing else."""

from datetime import datetime
from typing import Final
from uuid import UUID

from accounts.services.mailbox import publish
from audit.actors import Actor
from audit.commands import command
from audit.services.recording import later
from audit.typeids import typeid
from transactions.errors import DestinationUnavailable, SignatureNeeded
from transactions.ledger.limits import counting
from transactions.ledger.posting import stand
from transactions.limits import Spending
from transactions.models import LedgerAccount, Transfer
from transactions.orders import PartnerOrder, TransferOrder
from transactions.selectors.consents import payable_account
from transactions.selectors.ledger import access_ledger_account, name_of_book
from transactions.services.charging import charge, fee_drafts
from transactions.services.intake import Instruction, draft_transfer
from transactions.services.interbook import Passage, drafts_of, passing
from transactions.services.steps import settlement_of, tell
from transactions.services.storing import Taken, store, tell_taken
from transactions.standing import Standing, move, sides
from transactions.states import LimitKind, TransferKind, TransferState

PURPOSE: Final = "partner_transfer"


@command
def request_partner_transfer(*, actor: Actor, order: PartnerOrder, origin: str) -> Transfer:
    """Move money to another partner's account at once, exactly once for its `origin`.

    Refuses, in this order: NotFound, CurrencyMismatch, AccountClosed,
    DestinationUnavailable (the one answer to whatever keeps the other account
    from taking it: no such alias, no consent, another currency, frozen, closed, full),
    LimitExceeded, AccountFrozen, InsufficientFunds, SignatureNeeded; AlreadyBooked
    for a known origin.
    """
    source, taker = _sides(order, actor=actor)
    transfer = _draft(order, origin=origin, actor=actor, source=source, taker=taker)
    charge(transfer, source=source)
    uses = move(
        transfer.amount_minor,
        kind=LimitKind.PARTNER,
        source=source,
        destination=taker,
        fee_minor=transfer.fee_minor,
    )
    if order.money.amount_minor >= source.threshold_minor:
        raise SignatureNeeded(threshold_minor=source.threshold_minor)
    store([Taken(transfer=transfer)])
    if uses:
        later(counting(uses))
    drafts, opened = drafts_of(passage_of(transfer))
    drafts += fee_drafts(transfer, occurred_at=transfer.occurred_at)
    later(passing(drafts, unwanted=DestinationUnavailable(alias=order.alias)))
    amount, at = transfer.amount_minor, transfer.occurred_at
    tell(transfer, occurred_at=at)
    tell_taker("transfer.received", transfer=transfer, amount_minor=amount, occurred_at=at)
    tell_taken(Taken(transfer=transfer, rows=tuple(opened)), actor=actor)
    return transfer


def passage_of(transfer: Transfer) -> Passage:
    """Return the way of a transfer's money."""
    taker_id: UUID = transfer.destination_id  # type: ignore[assignment]
    accounts = LedgerAccount.objects.in_bulk([transfer.source_id, taker_id])
    return Passage(
        giver=accounts[transfer.source_id],
        taker=accounts[taker_id],
        money=transfer.money,
        purpose=PURPOSE,
        subject_ref=transfer.audit_ref,
        origin=settlement_of(transfer.pk),
        occurred_at=transfer.occurred_at,
        taker_ref=f"arrival:{transfer.pk}" if transfer.kind == TransferKind.PARTNER else "",
    )


def tell_taker(
    type: str,  # noqa: A002 - the public word for it
    *,
    transfer: Transfer,
    amount_minor: int,
    occurred_at: datetime,
) -> None:
    """Leave the taker's partner a letter: what moved on its account, and who paid; no more."""
    taker_id: UUID = transfer.destination_id  # type: ignore[assignment]
    publish(
        type,
        book_id=LedgerAccount.objects.get(pk=taker_id).book_id,
        payload={
            "account": typeid("acc", taker_id),
            "payer": name_of_book(transfer.book_id),
            "amount_minor": amount_minor,
            "currency": transfer.currency,
            "reference": transfer.reference,
        },
        occurred_at=occurred_at,
    )


def _sides(order: PartnerOrder, *, actor: Actor) -> tuple[Standing, Standing]:
    """Lock both accounts and return them; what is amiss with the taker's has one name."""
    amount, currency = order.money.amount_minor, order.money.currency
    access_ledger_account(order.source_id, actor=actor)  # a stranger's is not even locked
    taker_id = payable_account(order.alias, payer_book_id=actor.book, currency=currency)
    spending = Spending(
        account_ids=frozenset({order.source_id}),
        kinds=frozenset({LimitKind.PARTNER}),
        amount_minor=amount,
        times=1,
    )
    standings = stand([key for key in (order.source_id, taker_id) if key], spending=spending)
    mine = {key: each for key, each in standings.items() if each.book_id == actor.book}
    source, _ = sides(order.source_id, None, currency=currency, standings=mine)
    taker = standings.get(taker_id) if taker_id else None
    if taker is None or not taker.may_credit or amount > taker.room_minor:
        raise DestinationUnavailable(alias=order.alias)
    return source, taker


def _draft(
    order: PartnerOrder, *, origin: str, actor: Actor, source: Standing, taker: Standing
) -> Transfer:
    """Return the transfer, settled at once."""
    inside = TransferOrder(
        source_id=order.source_id,
        destination_id=taker.account_id,
        payee=None,
        money=order.money,
        reference=order.reference,
        metadata=order.metadata,
    )
    transfer = draft_transfer(Instruction(order=inside, origin=origin), actor=actor, source=source)
    transfer.kind, transfer.destination_alias = TransferKind.PARTNER, order.alias
    transfer.state, transfer.settled_at = TransferState.SETTLED, source.told_at
    return transfer
