"""Charging a transfer's fee: decided with its amount, booked by a journal of its own beside it."""

from datetime import datetime
from typing import Final

from audit.typeids import typeid
from transactions.errors import BalanceTooLarge
from transactions.ledger.posting import Draft, Line
from transactions.models import FeeRule, Transfer
from transactions.money import AMOUNT_MINOR_MAX
from transactions.standing import Standing

FEE: Final = "fee"


def charge(transfer: Transfer, *, source: Standing) -> None:
    """Let the rule in force for its kind, told with the locked account, say what it costs.

    Refuses with BalanceTooLarge what no account could ever pay.
    """
    rate = source.fees.get(transfer.kind)
    if rate is None:
        return
    transfer.fee_minor = rate.terms.on(transfer.amount_minor)
    if transfer.fee_minor > AMOUNT_MINOR_MAX:
        raise BalanceTooLarge(account=typeid("acc", source.account_id))
    # As much of the rule as booking needs, without asking for it.
    transfer.fee_rule = FeeRule(pk=rate.rule_id, account_id=rate.account_id)


def fee_origin(transfer: Transfer) -> str:
    """Return what causes the fee's journal."""
    return f"{transfer.audit_ref}:fee"


def fee_drafts(
    transfer: Transfer, *, occurred_at: datetime, is_reserved: bool = False
) -> list[Draft]:
    """Return the journal of a transfer's fee, none where it costs nothing.

    Where it `is_reserved`, it is paid out of its reservation.
    """
    fee, rule = transfer.fee_minor, transfer.fee_rule
    if rule is None or not fee:
        return []
    return [
        Draft(
            book_id=transfer.book_id,
            purpose=FEE,
            subject_ref=transfer.audit_ref,
            origin=fee_origin(transfer),
            occurred_at=occurred_at,
            trace_id=transfer.trace_id,
            lines=[
                Line(
                    account_id=transfer.source_id,
                    amount_minor=-fee,
                    currency=transfer.currency,
                    release_minor=fee if is_reserved else 0,
                ),
                Line(
                    account_id=rule.account_id,  # type: ignore[arg-type] # one in force has it
                    amount_minor=fee,
                    currency=transfer.currency,
                ),
            ],
        )
    ]
