"""The books' accounts: every place money can be."""

from typing import Any, Final, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.urls import path
from django.utils.safestring import SafeString

from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin
from audit.adminparts import EMPTY, address_of, display, page_of, public_id
from transactions.admin import months, statements, trial
from transactions.admin.pending import show_pending
from transactions.models import Balance, LedgerAccount
from transactions.money import Money
from transactions.selectors.clocks import with_balances
from transactions.selectors.pages import visible_ledger_accounts
from transactions.standing import CLOSED, CREDITS, DEBITS

STOPS: Final = {DEBITS: "debits", CREDITS: "credits", CLOSED: "closed"}


@admin.register(LedgerAccount)
class LedgerAccountPage(LookOnlyAdmin[LedgerAccount]):
    """One row a place money can be."""

    list_display = ("code", "book", "currency", "posted", "reserved", "stopped", "shown_id")
    search_fields = ("code",)
    search_help_text = "Id or code: exactly as written"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "standing",
                    "code",
                    "book",
                    "currency",
                    "posted",
                    "reserved",
                    "stopped",
                    "statement",
                )
            },
        ),
        ("Proposed and not decided", {"fields": ("proposed",)}),
        ("References", {"fields": ("shown_id", "owner")}),
    )
    shown_id = public_id

    def get_urls(self) -> list[Any]:
        """Serve the papers of the books beside their accounts, each behind the same door."""
        behind = cast("Any", self.admin_site).admin_view
        ours = [
            path(address, behind(view), name=name)
            for address, view, name in (
                ("<uuid:account_id>/statement/", statements.statement, "statement"),
                ("<uuid:account_id>/statement/export/", statements.export, "statement_export"),
                ("trial-balance/", trial.trial_balance, "trial_balance"),
                ("trial-balance/export/", trial.export, "trial_balance_export"),
                ("month-end/", months.month_end, "month_end"),
                ("month-end/close/", months.close, "month_close"),
            )
        ]
        return [*ours, *super().get_urls()]

    def scoped(self, queryset: QuerySet[LedgerAccount], actor: Actor) -> QuerySet[LedgerAccount]:
        """Return all, or those of customers the officer may see."""
        del queryset
        return with_balances(visible_ledger_accounts(to=actor))

    @display(description="Where it stands")
    def standing(self, row: LedgerAccount) -> str:
        """Say what kind of account it is."""
        if row.keeps_balance:
            return "A customer's or partner's account. Its balance is what its postings add up to."
        return (
            "An account of the house that mirrors money held elsewhere. It keeps no running"
            " balance: its balance is the sum of its postings."
        )

    @display(description="Balance")
    def posted(self, row: LedgerAccount) -> str:
        """Show what is posted."""
        return str(Money(row.stands_minor, row.currency))  # type: ignore[attr-defined]

    @display(description="Reserved")
    def reserved(self, row: LedgerAccount) -> str:
        """Show what is reserved."""
        balance = _balance(row)
        return str(Money(balance.pending_minor, row.currency)) if balance else EMPTY

    @display(description="Manual journals")
    def proposed(self, row: LedgerAccount) -> SafeString:
        """Show what waits for a second person."""
        return show_pending(row.pk)

    @display(description="Statement")
    def statement(self, row: LedgerAccount) -> SafeString:
        """Lead to the statement, and to how it stood on any day."""
        return address_of("statement", row.pk, text="Statement and balance as of any day")

    @display(description="Stopped")
    def stopped(self, row: LedgerAccount) -> str:
        """Show what the ledger stops on it, and what it holds back."""
        balance = _balance(row)
        if balance is None:
            return EMPTY
        said = [word for bit, word in STOPS.items() if balance.frozen & bit]
        if balance.held_back_minor:
            said.append(f"{Money(balance.held_back_minor, row.currency)} held back")
        return ", ".join(said).capitalize() or "Nothing"

    @display(description="Account")
    def owner(self, row: LedgerAccount) -> SafeString:
        """Lead to the account that partners know."""
        return page_of("accounts.account", row.pk if row.keeps_balance else None, text="Open")


def _balance(row: LedgerAccount) -> Balance | None:
    return getattr(row, "balance", None)
