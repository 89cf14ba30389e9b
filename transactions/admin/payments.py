"""Money in, as providers tell it: payments and disputes."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin
from audit.adminparts import (
    amount,
    copyable,
    display,
    instant,
    labelled,
    page_of,
    public_id,
    sentence,
    spoken,
    trace,
)
from transactions.admin.freezes import linked_account
from transactions.admin.standings import (
    DISPUTE_COLOURS,
    DISPUTES,
    PAYMENT_COLOURS,
    PAYMENTS,
)
from transactions.meanings import DisputeState, PaymentState
from transactions.models import Dispute, Payment
from transactions.money import Money
from transactions.selectors.pages import disputes_for_pages, payments_for_pages


class StateFilter(admin.SimpleListFilter):
    """Filters by a state whose words are known, without asking the table for them."""

    title = "state"
    parameter_name = "state__exact"
    words: tuple[str, ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the states."""
        del request, model_admin
        return [(word, spoken(word)) for word in self.words]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to the chosen state; an unknown one finds nothing."""
        del request
        return queryset.filter(state=self.value()) if self.value() else queryset


class PaymentStateFilter(StateFilter):
    """The states of payments."""

    words = tuple(state.value for state in PaymentState)


class DisputeStateFilter(StateFilter):
    """The states of disputes."""

    words = tuple(state.value for state in DisputeState)


@admin.register(Payment)
class PaymentPage(LookOnlyAdmin[Payment]):
    """One row a payer's payment."""

    list_display = ("amount", "state_label", "account_link", "refunded", "happened", "called")
    list_filter = (PaymentStateFilter,)
    search_fields = ("reference", "intent_ref", "trace_id")
    search_help_text = "Id, the provider's reference, or trace: exactly as written"
    fieldsets = (
        (None, {"fields": ("standing", "amount", "state_label", "account_link", "happened")}),
        ("In the books", {"fields": ("booked", "refunded", "disputed", "failure_code")}),
        (
            "References",
            {"fields": ("shown_id", "provider", "called", "intent", "shown_trace")},
        ),
    )
    amount = amount
    shown_id = public_id
    shown_trace = trace
    standing = sentence(PAYMENTS)
    state_label = labelled(PAYMENT_COLOURS)

    def scoped(self, queryset: QuerySet[Payment], actor: Actor) -> QuerySet[Payment]:
        """Return those to accounts the officer may see."""
        del queryset
        return payments_for_pages(to=actor)

    @display(description="To account")
    def account_link(self, row: Payment) -> SafeString | str:
        """Lead to the account that was paid."""
        if row.account_id is None:
            return "Nobody's yet: held in suspense"
        return linked_account(row, key=row.account_id, unnamed="Account")

    @display(description="Booked")
    def booked(self, row: Payment) -> str:
        """Show what of it is booked."""
        return str(Money(row.booked_minor, row.currency))

    @display(description="Refunded")
    def refunded(self, row: Payment) -> str:
        """Show what went back."""
        return str(Money(row.refunded_minor, row.currency))

    @display(description="Disputed")
    def disputed(self, row: Payment) -> str:
        """Show what is disputed."""
        return str(Money(row.disputed_minor, row.currency))

    @display(description="Happened")
    def happened(self, row: Payment) -> str:
        """Show when."""
        return instant(row.occurred_at)

    @display(description="Provider's reference")
    def called(self, row: Payment) -> SafeString:
        """Show what the provider calls it."""
        return copyable(row.reference)

    @display(description="Intent")
    def intent(self, row: Payment) -> SafeString:
        """Show the intent."""
        return copyable(row.intent_ref)


@admin.register(Dispute)
class DisputePage(LookOnlyAdmin[Dispute]):
    """One row a payer's objection."""

    list_display = ("disputed", "state_label", "why", "payment", "happened", "called")
    list_filter = (DisputeStateFilter,)
    search_fields = ("reference", "payment_ref", "trace_id")
    search_help_text = "Id, the provider's reference, the payment's, or trace: exactly as written"
    fieldsets = (
        (None, {"fields": ("standing", "disputed", "state_label", "why", "payment", "happened")}),
        ("References", {"fields": ("shown_id", "provider", "called", "shown_trace")}),
    )
    shown_id = public_id
    shown_trace = trace
    standing = sentence(DISPUTES)
    state_label = labelled(DISPUTE_COLOURS)

    def scoped(self, queryset: QuerySet[Dispute], actor: Actor) -> QuerySet[Dispute]:
        """Return those of payments the officer may see."""
        del queryset
        return disputes_for_pages(to=actor)

    @display(description="Amount")
    def disputed(self, row: Dispute) -> str:
        """Show the amount."""
        return str(row.money)

    @display(description="The payer says")
    def why(self, row: Dispute) -> str:
        """Show the reason."""
        return spoken(row.reason)

    @display(description="Payment")
    def payment(self, row: Dispute) -> SafeString:
        """Lead to the payment."""
        found = getattr(row, "payment_id", None)
        return page_of("transactions.payment", found, text=row.payment_ref)

    @display(description="Happened")
    def happened(self, row: Dispute) -> str:
        """Show when."""
        return instant(row.occurred_at)

    @display(description="Provider's reference")
    def called(self, row: Dispute) -> SafeString:
        """Show what the provider calls it."""
        return copyable(row.reference)
