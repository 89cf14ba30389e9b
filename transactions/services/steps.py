"""Steps that several commands on transfers share. Each runs in its caller's transaction."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from accounts.services.mailbox import News, publish_all
from audit.canonical import Json
from audit.typeids import typeid
from transactions.ledger.posting import free, stand
from transactions.models import Hold, Transfer
from transactions.selectors.payees import payee_note
from transactions.states import HoldState


def tell(transfer: Transfer, *, occurred_at: datetime) -> None:
    """Leave the partner a letter that says where the transfer stands now."""
    publish_all([news_of(transfer, occurred_at=occurred_at)])


def news_of(transfer: Transfer, *, occurred_at: datetime, trace_id: str = "") -> News:
    """Return where a transfer stands now, as its partner is told."""
    return News(
        type=f"transfer.{transfer.state}",
        book_id=transfer.book_id,
        payload=letter_of(transfer),
        occurred_at=occurred_at,
        trace_id=trace_id,
    )


def letter_of(transfer: Transfer) -> dict[str, Json]:
    """Return what a partner is told about a transfer: ids and state, nothing personal."""
    return {
        "id": transfer.public_id,
        "kind": transfer.kind,
        "state": transfer.state,
        "amount_minor": transfer.amount_minor,
        "fee_minor": transfer.fee_minor,
        "currency": transfer.currency,
        "reference": transfer.reference,
        "source_account": typeid("acc", transfer.source_id),
        "failure_code": transfer.failure_code or None,
        "reversed_minor": transfer.reversed_minor,
    }


def settlement_of(transfer_id: UUID) -> str:
    """Return what causes the journal by which a payout leaves."""
    return f"transfer:{transfer_id}:settled"


def approval_payload(transfer: Transfer) -> dict[str, Json]:
    """Return exactly what a checker is shown, and what the act is checked against later."""
    return {
        "transfer": transfer.public_id,
        "kind": transfer.kind,
        "amount_minor": transfer.amount_minor,
        # Left out where nothing is charged, so that what was asked before there were fees stands.
        **({"fee_minor": transfer.fee_minor} if transfer.fee_minor else {}),
        "currency": transfer.currency,
        "source_account": typeid("acc", transfer.source_id),
        "payee_name": transfer.payee_name.masked if transfer.payee_name else "",
        "payee_iban": transfer.payee_iban.masked if transfer.payee_iban else "",
        "payee_token": str(transfer.payee_iban_id),
        "payee_note": payee_note(transfer),
        "reference": transfer.reference,
        "requested_by": transfer.requested_by,
    }


def release_hold(hold: Hold, *, as_: HoldState = HoldState.VOIDED) -> None:
    """Give what is still reserved back to the account."""
    freed = hold.release(as_)
    save_hold(hold)
    free(hold.account_id, amount_minor=freed)


def save_hold(hold: Hold) -> None:
    """Save what became of reserved money."""
    hold.save(update_fields=["state", "captured_minor", "released_minor"])


def check_may_leave(givers: Collection[UUID], *, beside: Collection[UUID] = ()) -> None:
    """Refuse to let money out of a closed or frozen account, or for a suspended partner.

    Under their locks, and those of whom it moves to (`beside`), taken together: what committed
    before us is seen. The books' own accounts are nobody's to stop.
    """
    standings = stand({*givers, *beside})
    for key in sorted(standings.keys() & set(givers)):
        standings[key].check_may_leave()


def save_state(transfer: Transfer, *fields: str) -> None:
    """Save the transfer's state and what came with it."""
    transfer.save(update_fields=["state", "settled_at", "ask_at", *fields])
