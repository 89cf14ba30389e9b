"""Accounts: whose money it is, how much, and whether it may move."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.frontdesk.staff import step_up
from accounts.models import Account
from accounts.scopes import visible_accounts
from accounts.states import FreezeMode
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin, Step, allowed
from audit.adminparts import (
    EMPTY,
    action,
    address_of,
    display,
    labelled,
    page_of,
    public_id,
    sentence,
)
from transactions.admin.pending import show_pending
from transactions.admin.standings import FREEZES
from transactions.models import Balance
from transactions.money import Money
from transactions.selectors.pages import balance_of
from transactions.services.books import freeze_account


class FreezeForm(forms.Form):
    """What a freeze stops, and on whose order."""

    mode = forms.ChoiceField(
        label="What it stops",
        choices=[choice for choice in FreezeMode.choices if choice[0] != FreezeMode.NONE],
        widget=UnfoldAdminSelectWidget,
    )
    legal_reference = forms.CharField(
        max_length=80,
        widget=UnfoldAdminTextInputWidget,
        help_text="The order, case or rule it rests on.",
    )


@admin.register(Account)
class AccountPage(LookOnlyAdmin[Account]):
    """One row an account."""

    list_display = ("name", "partner", "customer_link", "currency", "frozen", "alias", "shown_id")
    list_filter = ("freeze_mode",)
    list_select_related = ("partner", "customer__name")
    search_fields = ("alias", "name")
    search_help_text = "Id, alias or name: exactly as written"
    actions_detail = ("freeze",)
    fieldsets = (
        (None, {"fields": ("standing", "name", "partner", "portfolio", "customer_link")}),
        ("Money", {"fields": ("posted", "reserved", "available", "frozen", "statement")}),
        ("Proposed and not decided", {"fields": ("proposed",)}),
        ("References", {"fields": ("shown_id", "alias", "created_at")}),
    )
    shown_id = public_id
    standing = sentence(FREEZES, of="freeze_mode")
    frozen = labelled(
        {"none": "success", "debits": "danger", "credits": "danger", "all": "danger"},
        of="freeze_mode",
        title="Freeze",
    )

    def scoped(self, queryset: QuerySet[Account], actor: Actor) -> QuerySet[Account]:
        """Return those the officer may see."""
        del queryset
        return visible_accounts(to=actor)

    @display(description="Customer")
    def customer_link(self, row: Account) -> SafeString:
        """Lead to the customer, masked."""
        return page_of("accounts.customer", row.customer_id, text=row.customer)

    @display(description="Balance")
    def posted(self, row: Account) -> str:
        """Show what is in the books."""
        balance = balance_of(row.pk)
        return str(Money(balance.posted_minor, row.currency)) if balance else EMPTY

    @display(description="Reserved")
    def reserved(self, row: Account) -> str:
        """Show what is reserved for payouts under way."""
        balance = balance_of(row.pk)
        return str(Money(balance.pending_minor, row.currency)) if balance else EMPTY

    @display(description="Available")
    def available(self, row: Account) -> str:
        """Show what may still be spent."""
        balance: Balance | None = balance_of(row.pk)
        return str(Money(balance.available_minor, row.currency)) if balance else EMPTY

    @display(description="Manual journals")
    def proposed(self, row: Account) -> SafeString:
        """Show what waits for a second person."""
        return show_pending(row.pk)

    @display(description="Statement")
    def statement(self, row: Account) -> SafeString:
        """Lead to the statement, and to how it stood on any day."""
        return address_of("statement", row.pk, text="Statement and balance as of any day")

    has_freeze_permission = allowed("transactions.freeze_account")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer to freeze what is not frozen."""
        row = self.get_object(request, str(object_id))
        if row is None or row.freeze_mode != FreezeMode.NONE:
            return []
        offered: list[Any] = super().get_actions_detail(request, object_id)
        return offered

    @action(
        description="Freeze",
        url_path="freeze",
        permissions=["freeze"],
        icon="ac_unit",
        variant=ActionVariant.DANGER,
    )
    @step_up
    def freeze(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Stop the account's money at once."""
        form = FreezeForm(request.POST or None, initial={"mode": FreezeMode.DEBITS})
        return self.confirm_on(
            request,
            object_id=object_id,
            step=lambda row, actor: Step(
                title="Freeze this account",
                facts={
                    "Account": row,
                    "Partner": row.partner,
                    "Balance": self.posted(row),
                    "Reserved": self.reserved(row),
                    "What it does": "Stops the money at once, for API and staff alike."
                    " Payouts already sent cannot be stopped.",
                },
                button="Freeze",
                act=lambda why: freeze_account(
                    actor=actor,
                    account_id=row.pk,
                    mode=FreezeMode(form.cleaned_data["mode"]),
                    reason=why[:200],
                    legal_reference=form.cleaned_data["legal_reference"],
                ),
                form=form,
            ),
        )
