"""Steps that several commands on transfers share. Each runs in its caller's transaction."""

from datetime import datetime
from uuid import UUID

from accounts.services.mailbox import News, publish_all
from audit.canonical import Json
from audit.typeids import typeid
from transactions.ledger.accounts import clearing, newly_opened, system_account
from transactions.ledger.posting import Draft, Line, free, post, stand
from transactions.models import Hold, LedgerAccount, Transfer
from transactions.selectors.payees import payee_note
from transactions.services.charging import fee_drafts
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


def pay_out_of_hold(
    transfer: Transfer, *, hold: Hold, occurred_at: datetime
) -> tuple[UUID, list[LedgerAccount]]:
    """Turn the reservation into a journal: the money has left towards the provider.

    Returns the journal's id and the accounts that were opened for it.
    """
    hold.capture(transfer.total_minor)
    save_hold(hold)
    account = system_account(
        clearing(transfer.provider), book_id=transfer.book_id, currency=transfer.currency
    )
    amount = transfer.amount_minor
    journal_id = post(
        Draft(
            book_id=transfer.book_id,
            purpose="payout",
            subject_ref=transfer.audit_ref,
            origin=f"{transfer.audit_ref}:settled",
            occurred_at=occurred_at,
            lines=[
                Line(
                    account_id=transfer.source_id,
                    amount_minor=-amount,
                    currency=transfer.currency,
                    release_minor=amount,
                ),
                Line(account_id=account.pk, amount_minor=amount, currency=transfer.currency),
            ],
        )
    )
    for fee in fee_drafts(transfer, occurred_at=occurred_at, is_reserved=True):
        post(fee)
    return journal_id, newly_opened(account)


def save_hold(hold: Hold) -> None:
    """Save what became of reserved money."""
    hold.save(update_fields=["state", "captured_minor", "released_minor"])


def check_may_leave(account_id: UUID) -> None:
    """Refuse to let money out of a frozen account or for a suspended partner.

    Under the account's lock: a freeze that committed before us is seen.
    """
    stand([account_id])[account_id].check_may_leave()


def save_state(transfer: Transfer, *fields: str) -> None:
    """Save the transfer's state and what came with it."""
    transfer.save(update_fields=["state", "settled_at", "ask_at", *fields])
