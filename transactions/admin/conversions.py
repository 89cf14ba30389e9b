"""Conversions: money changed into another currency, and whether it is in the books."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.enums import ActionVariant

from accounts.errors import AlreadyAsked
from accounts.frontdesk.staff import step_up
from accounts.models import Account
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin, allowed
from audit.adminparts import acted, action, display, page_of, public_id, table, tag
from audit.typeids import uuid7
from transactions.admin.amounts import read_money, unbroken
from transactions.admin.desks import Request, ask_with_form
from transactions.admin.fields import typed
from transactions.admin.standings import APPROVAL_COLOURS
from transactions.errors import AlreadyBooked
from transactions.models import Conversion
from transactions.money import Money
from transactions.proposals import EVIDENCE_CHARACTERS_MAX, REASON_CHARACTERS_MAX, Exchange
from transactions.rates import read_rate
from transactions.selectors.conversions import visible_conversions
from transactions.selectors.ledger import journal_of_origin
from transactions.selectors.proposals import NOT_DONE
from transactions.selectors.suspense import account_called
from transactions.services.conversions import propose_conversion


class ConversionForm(forms.Form):
    """An exchange to be proposed. `origin` makes it one, however often it is sent."""

    origin = forms.UUIDField(widget=forms.HiddenInput)
    source = typed("From account", "Its id or alias.")
    destination = typed("To account", "Of the same partner, in another currency.")
    sold = typed("Leaves", "In the first account's currency, e.g. 1250.00", most=30)
    bought = typed("Arrives", "In the second account's currency.", most=30)
    rate = typed(
        "Quoted rate", "What one unit of the first is worth in the second: 163.25", most=21
    )
    reason = typed("Why", "Kept with the conversion.", most=REASON_CHARACTERS_MAX)
    evidence = typed(
        "Evidence", "Where the quote is kept: a ticket, a file.", most=EVIDENCE_CHARACTERS_MAX
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        """Find accounts that `actor` may see."""
        super().__init__(*args, **kwargs)
        self.actor = actor

    def clean_source(self) -> Account:
        """Find the account that money leaves."""
        return self._account("source")

    def clean_destination(self) -> Account:
        """Find the account that money arrives in."""
        return self._account("destination")

    def clean(self) -> dict[str, Any]:
        """Read the amounts, and insist that they are each other's at the quoted rate."""
        found = super().clean() or {}
        source, destination = found.get("source"), found.get("destination")
        if source is None or destination is None:
            return found
        if source.book_id != destination.book_id:
            self.add_error("destination", "Belongs to another partner.")
        elif source.currency == destination.currency:
            self.add_error("destination", f"Is kept in {source.currency}, too.")
        else:
            self._read_amounts(found, currencies=(source.currency, destination.currency))
        return found

    @property
    def exchange(self) -> Exchange:
        """Return the exchange that a valid form spells."""
        found = self.cleaned_data
        return Exchange(
            id=found["origin"],
            source_id=found["source"].pk,
            destination_id=found["destination"].pk,
            sold_minor=found["sold_money"].amount_minor,
            bought_minor=found["bought_money"].amount_minor,
            rate=found["rate"],
            reason=found["reason"],
            evidence=found["evidence"],
        )

    def _account(self, name: str) -> Account:
        found = account_called(str(self.cleaned_data[name]).strip(), to=self.actor)
        if found is None:
            raise forms.ValidationError("There is no account of this id or alias.")
        return found

    def _read_amounts(self, found: dict[str, Any], *, currencies: tuple[str, str]) -> None:
        for name, currency in zip(("sold", "bought"), currencies, strict=True):
            try:
                found[f"{name}_money"] = read_money(str(found.get(name, "")), currency=currency)
            except ValueError as error:
                self.add_error(name, str(error))
        try:
            rate = read_rate(str(found.get("rate", "")))
        except ValueError as error:
            self.add_error("rate", str(error))
            return
        sold, bought = found.get("sold_money"), found.get("bought_money")
        if sold and bought and (due := rate.of(sold, into=bought.currency)) != bought:
            self.add_error("bought", f"At this rate {sold} is {due}.")


@admin.register(Conversion)
class ConversionPage(LookOnlyAdmin[Conversion]):
    """One row an exchange that somebody proposed."""

    list_display = ("what", "rate_label", "book", "state_label", "proposed_at", "shown_id")
    list_filter = ("approval__state",)
    search_fields = ("evidence",)
    search_help_text = "Id, or where the evidence is kept: exactly as written"
    empty_sentence = (
        "Change a partner's money into another currency with “New conversion”. A second person"
        " approves exactly its amounts before anything moves."
    )
    actions_list = ("new_conversion",)
    fieldsets = (
        (None, {"fields": ("standing", "state_label", "book", "rate_label")}),
        ("What moves", {"fields": ("moves", "reason", "evidence")}),
        ("References", {"fields": ("shown_id", "proposer", "proposed_at", "asked", "journal")}),
    )
    shown_id = public_id
    proposer = acted(of="proposed_by", title="Proposed by")
    has_propose_permission = allowed("transactions.propose_conversion")

    def scoped(self, queryset: QuerySet[Conversion], actor: Actor) -> QuerySet[Conversion]:
        """Return those of books the officer may see."""
        del queryset
        return visible_conversions(to=actor)

    @display(description="Where it stands")
    def standing(self, row: Conversion) -> str:
        """Say what comes next."""
        if row.approval.state in NOT_DONE:
            return "Proposed. Nothing moves until a second person has approved it."
        if row.approval.state == "used":
            return "Approved and posted: one journal, balanced in each currency."
        return "Given up. It was never posted, and stays on record."

    @display(description="State")
    def state_label(self, row: Conversion) -> SafeString:
        """Show how far its approval is."""
        state = row.approval.state
        return tag(row.approval.get_state_display(), colour=APPROVAL_COLOURS.get(state, ""))

    @display(description="Changes")
    def what(self, row: Conversion) -> str:
        """Show what it changes into what."""
        return str(row)

    @display(description="Quoted rate")
    def rate_label(self, row: Conversion) -> str:
        """Show the rate as people say it."""
        return row.quote

    @display(description="Accounts")
    def moves(self, row: Conversion) -> SafeString:
        """Show both accounts and what moves on each."""
        sides: tuple[tuple[Any, Money], ...] = (
            (row.source, -row.sold),
            (row.destination, row.bought),
        )
        rows = [
            (page_of("transactions.ledgeraccount", account.pk, text=account), unbroken(money))
            for account, money in sides
        ]
        return table(["Account", "Amount"], rows=rows)

    @display(description="Approval")
    def asked(self, row: Conversion) -> SafeString:
        """Lead to the request for a second person."""
        return page_of("accounts.approval", row.approval_id, text=row.approval.public_id)

    @display(description="Journal")
    def journal(self, row: Conversion) -> SafeString:
        """Lead to the journal, once it is posted."""
        return page_of(
            "transactions.journal", journal_of_origin(row.audit_ref), text="In the books"
        )

    @action(
        description="New conversion",
        url_path="new",
        permissions=["propose"],
        icon="add",
        variant=ActionVariant.PRIMARY,
    )
    @step_up
    def new_conversion(self, request: HttpRequest) -> HttpResponse:
        """Propose an exchange; a second person approves it."""
        actor = self.officer(request)
        form = ConversionForm(request.POST or None, actor=actor, initial={"origin": uuid7()})
        wanted = Request(
            title="New conversion",
            what_it_does="A second person must approve exactly these amounts. Both amounts must"
            " be each other's at the quoted rate, rounded half to even.",
            button="Ask for this conversion",
            form=form,
            ask=lambda: _propose_once(form, actor=actor),
        )
        return ask_with_form(self, request, wanted=wanted)


def _propose_once(form: ConversionForm, *, actor: Actor) -> tuple[UUID, str]:
    """Propose the exchange; a form sent twice leads to the same one."""
    exchange = form.exchange
    try:
        propose_conversion(actor=actor, exchange=exchange)
    except (AlreadyAsked, AlreadyBooked):
        return exchange.id, "This conversion was asked for already, and only once."
    return exchange.id, "Asked for. A second person must approve it; until then nothing moves."
