"""Suspense: money whose owner nobody has named, what remains of it, and giving it to its owner."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.frontdesk.staff import step_up
from accounts.models import Account
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin, Step, allowed
from audit.adminparts import (
    PlainText,
    action,
    amount,
    copyable,
    display,
    instant,
    page_of,
    spoken,
    table,
)
from audit.typeids import uuid7
from transactions.admin.amounts import read_money
from transactions.admin.fields import typed_amount
from transactions.models import SuspensePosting
from transactions.money import Money
from transactions.proposals import Allocation
from transactions.selectors.suspense import account_called, allocations_of, suspense_items
from transactions.services.suspense import propose_allocation


class AllocationForm(forms.Form):
    """Whose the money is, and how much of it. `number` makes it one, however often it is sent."""

    number = forms.UUIDField(widget=forms.HiddenInput)
    account = PlainText(
        label="Account it was meant for",
        max_length=60,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Its id (acc_…) or its alias, of any partner.",
    )
    amount = typed_amount("All that remains, or a part of it.")

    def __init__(self, data: Any, /, *, row: SuspensePosting, actor: Actor) -> None:
        """Begin with all that remains."""
        left = Money(max(_remains(row), 0), row.currency).figures()
        super().__init__(data, initial={"number": uuid7(), "amount": left})
        self.row, self.actor = row, actor

    def clean_account(self) -> Account:
        """Find the account."""
        found = account_called(str(self.cleaned_data["account"]).strip(), to=self.actor)
        if found is None:
            raise forms.ValidationError("There is no account of this id or alias.")
        return found

    def clean_amount(self) -> Money:
        """Read the amount in the item's currency."""
        try:
            return read_money(str(self.cleaned_data["amount"]), currency=self.row.currency)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def allocation(self, reason: str) -> Allocation:
        """Return the allocation that a valid form spells."""
        found = self.cleaned_data
        return Allocation(
            id=found["number"],
            posting_id=UUID(str(self.row.pk)),
            account_id=found["account"].pk,
            amount_minor=found["amount"].amount_minor,
            reason=reason,
        )


class OpenFilter(admin.SimpleListFilter):
    """Shows what remains, unless everything is asked for."""

    title = "what remains"
    parameter_name = "remains"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer those that are done, too."""
        del request, model_admin
        return [("nothing", "All allocated"), ("any", "Everything")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        del request
        match self.value():
            case "nothing":
                return queryset.filter(remains_minor__lte=0)
            case "any":
                return queryset
            case _:
                return queryset.filter(remains_minor__gt=0)

    def choices(self, changelist: Any) -> Any:
        """Call the default by its name."""
        first, *others = super().choices(changelist)
        yield {**first, "display": "Something"}
        yield from others


@admin.register(SuspensePosting)
class SuspensePage(LookOnlyAdmin[SuspensePosting]):
    """One row a sum that arrived for nobody."""

    list_display = ("amount", "remains", "book", "why", "about", "arrived")
    list_filter = (OpenFilter,)
    search_help_text = "Key: exactly as written"
    empty_sentence = (
        "Money that arrives and belongs to nobody we know waits here until it is allocated."
    )
    actions_detail = ("allocate",)
    fieldsets = (
        (None, {"fields": ("standing", "amount", "remains", "book", "why", "about", "arrived")}),
        ("Proposed and allocated", {"fields": ("allocations",)}),
        ("References", {"fields": ("key", "journal")}),
    )
    amount = amount
    has_allocate_permission = allowed("transactions.propose_allocation")

    def scoped(
        self, queryset: QuerySet[SuspensePosting], actor: Actor
    ) -> QuerySet[SuspensePosting]:
        """Return those of books the officer may see."""
        del queryset
        return suspense_items(to=actor)

    @display(description="Where it stands")
    def standing(self, row: SuspensePosting) -> str:
        """Say what comes next."""
        if _remains(row) <= 0:
            return "Nothing remains: it was allocated, or the provider took it back."
        return "It waits for somebody to find its owner. A second person approves who gets it."

    @display(description="Remains")
    def remains(self, row: SuspensePosting) -> str:
        """Show what may still be allocated."""
        return str(Money(_remains(row), row.currency))

    @display(description="Book")
    def book(self, row: SuspensePosting) -> str:
        """Show in whose book it waits."""
        return str(vars(row)["book_name"])

    @display(description="Came by")
    def why(self, row: SuspensePosting) -> str:
        """Show what brought it."""
        return spoken(str(getattr(row, "purpose", "")))

    @display(description="About")
    def about(self, row: SuspensePosting) -> SafeString:
        """Lead to the payment, where it is one."""
        ref = str(getattr(row, "subject_ref", ""))
        noun, _, key = ref.partition(":")
        if noun != "payment":
            return copyable(ref)
        return page_of("transactions.payment", key, text="Payment")

    @display(description="Arrived")
    def arrived(self, row: SuspensePosting) -> str:
        """Show since when it waits."""
        return instant(row.occurred_at)

    @display(description="Key")
    def key(self, row: SuspensePosting) -> SafeString:
        """Show the key."""
        return copyable(row.pk)

    @display(description="Journal")
    def journal(self, row: SuspensePosting) -> SafeString:
        """Lead to the journal that brought it."""
        return page_of("transactions.journal", row.journal_id, text="The journal that brought it")

    @display(description="Allocations")
    def allocations(self, row: SuspensePosting) -> SafeString:
        """Show what was proposed for it, and how far each is."""
        rows = [
            (
                Money(one.amount_minor, row.currency),
                page_of("transactions.ledgeraccount", one.account_id, text=one.account),
                one.reason,
                page_of("accounts.approval", one.approval_id, text=spoken(one.approval.state)),
            )
            for one in allocations_of(row.pk)
        ]
        return table(["Amount", "To", "Why", "Approval"], rows=rows)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer to allocate what remains."""
        row = self.get_object(request, str(object_id))
        if row is None or _remains(row) <= 0:
            return []
        offered: list[Any] = super().get_actions_detail(request, object_id)
        return offered

    @action(
        description="Allocate",
        url_path="allocate",
        permissions=["allocate"],
        icon="move_item",
        variant=ActionVariant.PRIMARY,
    )
    @step_up
    def allocate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Propose whose it is; a second person approves it."""

        def step(row: SuspensePosting, actor: Actor) -> Step:
            form = AllocationForm(request.POST or None, row=row, actor=actor)
            return Step(
                title="Allocate this money",
                facts={
                    "Arrived": row.money,
                    "Remains": self.remains(row),
                    "Waits in book": self.book(row),
                    "What it does": "Asks a second person. Once approved, the money leaves"
                    " suspense and arrives in the account, by inter-book clearing if need be.",
                },
                button="Ask for this allocation",
                act=lambda why: propose_allocation(actor=actor, allocation=form.allocation(why)),
                form=form,
                done="asked for. A second person must approve it.",
            )

        return self.confirm_on(request, object_id=object_id, step=step)


def _remains(row: SuspensePosting) -> int:
    return int(getattr(row, "remains_minor", 0))
