"""Holds: money set aside, and how much of it was captured, is left, or went back."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin
from audit.adminparts import (
    EMPTY,
    acted,
    amount,
    display,
    instant,
    labelled,
    page_of,
    public_id,
    sentence,
    trace,
)
from transactions.admin.bars import bar
from transactions.admin.journals import journals_table
from transactions.admin.standings import HOLD_COLOURS, HOLDS
from transactions.models import Hold
from transactions.money import Money
from transactions.selectors.pages import holds_for_pages, journals_about


@admin.register(Hold)
class HoldPage(LookOnlyAdmin[Hold]):
    """One row a hold, a payout's or a partner's, newest first."""

    list_display = (
        "amount",
        "state_label",
        "account_name",
        "left",
        "reference",
        "until",
        "shown_id",
    )
    list_filter = ("state",)
    search_fields = ("reference", "trace_id", "origin")
    search_help_text = "Id, reference or trace: exactly as written"
    empty_sentence = "A hold reserves money: for a payout, or for a partner that asks for it."
    fieldsets = (
        (None, {"fields": ("standing", "amount", "state_label", "left")}),
        ("Whose, and where to", {"fields": ("account_name", "to", "reason", "until")}),
        ("Captures", {"fields": ("captures",)}),
        ("References", {"fields": ("shown_id", "reference", "asker", "shown_trace")}),
    )
    amount = amount
    shown_id = public_id
    asker = acted(of="requested_by", title="Requested by")
    shown_trace = trace
    standing = sentence(HOLDS)
    state_label = labelled(HOLD_COLOURS)

    def scoped(self, queryset: QuerySet[Hold], actor: Actor) -> QuerySet[Hold]:
        """Return those on accounts the officer may see."""
        del queryset
        return holds_for_pages(to=actor)

    def get_object(  # noqa: PLR0917 - Django's signature
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Hold | None:
        """Read the captures too, as whoever is looking may see them."""
        row: Hold | None = super().get_object(request, object_id, from_field)
        if row is not None:
            vars(row)["journals"] = journals_about(row.audit_ref, to=self.officer(request))
        return row

    @display(description="Account")
    def account_name(self, row: Hold) -> SafeString:
        """Show whose money it is."""
        name = getattr(row, "source_name", None) or "System account"
        return page_of("accounts.account", row.account_id, text=name)

    @display(description="Of which")
    def left(self, row: Hold) -> SafeString:
        """Show what was captured, what is still reserved, and what went back."""
        currency = row.currency
        parts = (
            ("gone", row.captured_minor, "captured"),
            ("kept", row.remaining_minor, "reserved"),
            ("back", row.released_minor, "released"),
        )
        return bar([(kind, part, f"{Money(part, currency)} {said}") for kind, part, said in parts])

    @display(description="Captures go to")
    def to(self, row: Hold) -> SafeString | str:
        """Show where captured money goes."""
        if row.transfer_id is not None:
            return "The payout's payee, by its bank"
        if row.destination_id is None:
            return "Each capture names its own account"
        return page_of("accounts.account", row.destination_id, text="Another account here")

    @display(description="For")
    def reason(self, row: Hold) -> SafeString | str:
        """Lead to the payout that it was reserved for."""
        if row.transfer_id is None:
            return "The partner's own use"
        return page_of("transactions.transfer", row.transfer_id, text="A payout")

    @display(description="Until")
    def until(self, row: Hold) -> str:
        """Show when it expires."""
        return instant(row.expires_at) if row.expires_at else EMPTY

    @display(description="Captures")
    def captures(self, row: Hold) -> SafeString:
        """Show each capture with the way to its journal."""
        return journals_table(vars(row)["journals"])
