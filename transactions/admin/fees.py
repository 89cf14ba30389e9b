"""Fee rules: what partners pay for their transfers, version by version, with an example."""

from typing import Any, Final
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.enums import ActionVariant

from accounts.errors import AlreadyAsked
from accounts.frontdesk.staff import step_up
from accounts.selectors.pages import visible_partners
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin, allowed
from audit.adminparts import (
    EMPTY,
    acted,
    action,
    display,
    instant,
    labelled,
    page_of,
    public_id,
    table,
)
from transactions.admin.amounts import unbroken
from transactions.admin.desks import Request, ask_with_form
from transactions.admin.fee_forms import FeeForm, initial_for
from transactions.admin.standings import FEE_COLOURS, FEES
from transactions.errors import AlreadyBooked
from transactions.models import FeeRule
from transactions.money import EXPONENTS, Money
from transactions.selectors.fees import visible_fee_rules
from transactions.services.fees import propose_fee_rule
from transactions.states import FeeState

EXAMPLES: Final = (1, 10, 100, 1_000, 10_000)


@admin.register(FeeRule)
class FeeRulePage(LookOnlyAdmin[FeeRule]):
    """One row a version of a rule."""

    list_display = ("partner", "kind", "currency", "costs", "state_label", "version", "since")
    list_filter = ("state", "kind", "currency")
    search_fields = ("partner__name",)
    search_help_text = "Id, or the partner's name: exactly as written"
    empty_sentence = (
        "No partner pays for its transfers. Propose a fee with “New fee”; it is charged once a"
        " second person approves it."
    )
    actions_list = ("new_fee",)
    actions_detail = ("new_version",)
    fieldsets = (
        (None, {"fields": ("standing", "partner", "kind", "currency", "state_label", "version")}),
        ("What it costs", {"fields": ("flat", "share", "minimum", "cap", "examples")}),
        ("Since when, and who", {"fields": ("begins_at", "ends_at", "proposer", "second")}),
        ("References", {"fields": ("shown_id", "books_account")}),
    )
    shown_id = public_id
    proposer = acted(of="proposed_by", title="Proposed by")
    state_label = labelled(FEE_COLOURS)
    has_propose_permission = allowed("transactions.propose_fee_rule")

    def scoped(self, queryset: QuerySet[FeeRule], actor: Actor) -> QuerySet[FeeRule]:
        """Return those of books the officer may see."""
        del queryset
        return visible_fee_rules(to=actor)

    @display(description="Where it stands")
    def standing(self, row: FeeRule) -> str:
        """Say whether it is charged."""
        return FEES[row.state]

    @display(description="Costs")
    def costs(self, row: FeeRule) -> str:
        """Show the terms in a line."""
        parts = [part for part in (self.flat(row), self.share(row)) if part != EMPTY]
        least = f", at least {self.minimum(row)}" if row.minimum_minor else ""
        most = f", at most {self.cap(row)}" if row.cap_minor is not None else ""
        return (" + ".join(parts) or "Nothing") + least + most

    @display(description="Flat part")
    def flat(self, row: FeeRule) -> str:
        """Show what each transfer costs whatever its amount."""
        return _money(row, row.flat_minor)

    @display(description="Share of the amount")
    def share(self, row: FeeRule) -> str:
        """Show the basis points as per cent too."""
        whole, part = divmod(row.bps, 100)
        return f"{whole}.{part:02d} % ({row.bps} basis points)" if row.bps else EMPTY

    @display(description="Minimum")
    def minimum(self, row: FeeRule) -> str:
        """Show the least it costs."""
        return _money(row, row.minimum_minor)

    @display(description="Cap")
    def cap(self, row: FeeRule) -> str:
        """Show the most it costs."""
        return EMPTY if row.cap_minor is None else str(Money(row.cap_minor, row.currency))

    @display(description="For example")
    def examples(self, row: FeeRule) -> SafeString:
        """Show what transfers of round amounts cost, and what leaves the account in all."""
        lines = []
        for units in EXAMPLES:
            minor = units * 10 ** EXPONENTS[row.currency]
            fee = row.terms.on(minor)
            amounts = (minor, fee, minor + fee)
            lines.append([unbroken(Money(each, row.currency)) for each in amounts])
        return table(["A transfer of", "Costs", "Leaves the account"], rows=lines)

    @display(description="Since")
    def since(self, row: FeeRule) -> str:
        """Show when it came into force."""
        return instant(row.begins_at)

    @display(description="Approval")
    def second(self, row: FeeRule) -> SafeString:
        """Lead to the second person's word."""
        return page_of("accounts.approval", row.approval_id, text="The second person's word")

    @display(description="Goes to")
    def books_account(self, row: FeeRule) -> SafeString:
        """Lead to the account that its fees are on."""
        return page_of("transactions.ledgeraccount", row.account_id, text="The book's fees")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer another version of what is in force."""
        row = self.get_object(request, str(object_id))
        if row is None or row.state != FeeState.IN_FORCE:
            return []
        offered: list[Any] = super().get_actions_detail(request, object_id)
        return offered

    @action(
        description="New fee",
        url_path="new",
        permissions=["propose"],
        icon="add",
        variant=ActionVariant.PRIMARY,
    )
    @step_up
    def new_fee(self, request: HttpRequest) -> HttpResponse:
        """Propose a fee; a second person approves it."""
        return self._ask(request, after=None)

    @action(
        description="Propose another version",
        url_path="another",
        permissions=["propose"],
        icon="edit",
    )
    @step_up
    def new_version(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Propose what is charged next."""
        return self._ask(request, after=self.row_or_404(request, object_id))

    def _ask(self, request: HttpRequest, *, after: FeeRule | None) -> HttpResponse:
        actor = self.officer(request)
        form = FeeForm(
            request.POST or None,
            partners=list(visible_partners(to=actor)),
            initial=initial_for(after),
        )
        wanted = Request(
            title="Another version of this fee" if after else "New fee",
            what_it_does="A second person must approve it, and sees what it costs by an example."
            " Transfers decided from then on are charged by it; earlier ones keep what they were"
            " charged. Without flat part, share and minimum it costs nothing.",
            button="Ask for this fee",
            form=form,
            ask=lambda: _propose_once(form, actor=actor),
        )
        return ask_with_form(self, request, wanted=wanted)


def _money(row: FeeRule, minor: int) -> str:
    return str(Money(minor, row.currency)) if minor else EMPTY


def _propose_once(form: FeeForm, *, actor: Actor) -> tuple[UUID, str]:
    """Propose the rule; a form sent twice leads to the same one."""
    proposal = form.proposal
    try:
        propose_fee_rule(actor=actor, proposal=proposal)
    except (AlreadyAsked, AlreadyBooked):
        return proposal.id, "This fee was asked for already, and only once."
    return proposal.id, "Asked for. A second person must approve it; until then nothing changes."
