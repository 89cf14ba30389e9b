"""Columns of a transfer's page: where its money comes from, where it goes, and what it costs."""

from django.utils.safestring import SafeString

from audit.adminparts import display, page_of
from transactions.admin.freezes import linked_account
from transactions.models import Transfer
from transactions.money import Money


@display(description="From")
def account(_: object, row: Transfer) -> SafeString:
    """Show the account that the money leaves."""
    return linked_account(row, key=row.source_id, unnamed="System account")


@display(description="To")
def payee(_: object, row: Transfer) -> SafeString | str:
    """Show the payee, masked, or the account here, another partner's by its alias."""
    if row.payee_name is not None and row.payee_iban is not None:
        return f"{row.payee_name.masked}, {row.payee_iban.masked}"
    named = f"Another partner's {row.destination_alias}" if row.destination_alias else ""
    return page_of("accounts.account", row.destination_id, text=named or "Another account here")


@display(description="Fee")
def fee(_: object, row: Transfer) -> str:
    """Show what it costs its partner."""
    return str(Money(row.fee_minor, row.currency)) if row.fee_minor else "None"


@display(description="Charged by")
def charged_by(_: object, row: Transfer) -> SafeString:
    """Lead to the version of the rule it was charged under."""
    return page_of("transactions.feerule", row.fee_rule_id, text="This version of the fee")
