"""The register of payees: who may be paid, and how their bank details came to be these."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.errors import AlreadyAsked
from accounts.frontdesk.forms import is_iban
from accounts.frontdesk.staff import step_up
from accounts.models import Partner
from accounts.selectors.pages import visible_partners
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin, Step, allowed
from audit.adminparts import (
    PlainText,
    acted,
    action,
    display,
    instant,
    labelled,
    page_of,
    public_id,
    spoken,
    table,
)
from audit.typeids import uuid7
from transactions.admin.desks import Request, ask_with_form
from transactions.admin.standings import PAYEE_COLOURS, PAYEES
from transactions.models import RegisteredPayee
from transactions.orders import Payee
from transactions.proposals import REASON_CHARACTERS_MAX
from transactions.selectors.payees import changes_of, visible_payees
from transactions.services.payees import propose_payee, propose_payee_change, retire_payee
from transactions.states import PayeeState

CHANGED_HERE: Final = "asked for. Until a second person approves, the old details stand."


def _plain() -> forms.Widget:
    """Return an input that no browser fills in or corrects."""
    attrs = {"autocomplete": "off", "spellcheck": "false"}
    widget: forms.Widget = UnfoldAdminTextInputWidget(attrs=attrs)
    return widget


class DetailsForm(forms.Form):
    """Whom money goes to: a name and an IBAN with the right check digits."""

    name = PlainText(label="Name of the holder", max_length=70, widget=_plain())
    iban = PlainText(label="IBAN", max_length=42, widget=_plain())

    def clean_iban(self) -> str:
        """Take spaces out; insist on the check digits."""
        iban = "".join(str(self.cleaned_data["iban"]).split()).upper()
        if not is_iban(iban):
            raise forms.ValidationError("This is not an IBAN, or its check digits are wrong.")
        return iban

    @property
    def details(self) -> Payee:
        """Return the details that a valid form spells."""
        return Payee(name=self.cleaned_data["name"], iban=self.cleaned_data["iban"])


class NewPayeeForm(DetailsForm):
    """A payee to be registered. `origin` makes it one, however often it is sent."""

    origin = forms.UUIDField(widget=forms.HiddenInput)
    partner = forms.ChoiceField(widget=UnfoldAdminSelectWidget, help_text="Whose payee it is.")
    alias = PlainText(
        label="What we call it",
        max_length=80,
        widget=_plain(),
        help_text="Seen in lists and logs: a company or a role, never a private person's name.",
    )
    reason = PlainText(
        label="Why",
        max_length=REASON_CHARACTERS_MAX,
        widget=UnfoldAdminTextInputWidget,
        help_text="How you know that these details are theirs.",
    )
    field_order: Sequence[str] = ("partner", "alias", "name", "iban", "reason")

    def __init__(self, *args: Any, partners: Sequence[Partner], **kwargs: Any) -> None:
        """Offer `partners`."""
        super().__init__(*args, **kwargs)
        self.known = {str(partner.pk): partner for partner in partners}
        field: Any = self.fields["partner"]
        field.choices = [
            ("", "Choose a partner"),
            *((key, one.name) for key, one in self.known.items()),
        ]


@admin.register(RegisteredPayee)
class PayeePage(LookOnlyAdmin[RegisteredPayee]):
    """One row a payee."""

    list_display = ("alias", "partner", "masked_iban", "state_label", "payable", "shown_id")
    list_filter = ("state",)
    search_fields = ("alias",)
    search_help_text = "Id, or what we call it: exactly as written"
    empty_sentence = (
        "Register whom a partner pays with “New payee”. A second person approves it before"
        " anything is paid there."
    )
    actions_list = ("new_payee",)
    actions_detail = ("change_details", "retire")
    fieldsets = (
        (None, {"fields": ("standing", "alias", "partner", "state_label")}),
        ("Bank details", {"fields": ("masked_name", "masked_iban", "since", "payable")}),
        ("Changes", {"fields": ("changes",)}),
        ("References", {"fields": ("shown_id", "proposer", "proposed_at")}),
    )
    shown_id = public_id
    proposer = acted(of="proposed_by", title="Proposed by")
    state_label = labelled(PAYEE_COLOURS)
    has_propose_permission = allowed("transactions.propose_payee")
    has_change_details_permission = allowed("transactions.propose_payee_change")
    has_retire_permission = allowed("transactions.retire_payee")

    def scoped(
        self, queryset: QuerySet[RegisteredPayee], actor: Actor
    ) -> QuerySet[RegisteredPayee]:
        """Return those of books the officer may see."""
        del queryset
        return visible_payees(to=actor)

    @display(description="Where it stands")
    def standing(self, row: RegisteredPayee) -> str:
        """Say whether money may go there."""
        cools = row.payable_from is not None and row.payable_from > timezone.now()
        if not cools or row.state != PayeeState.ACTIVE:
            return PAYEES[row.state]
        until = instant(row.payable_from)
        return f"Registered. Its details are new: nothing is paid to them until {until}."

    @display(description="Name of the holder")
    def masked_name(self, row: RegisteredPayee) -> str:
        """Show the mask."""
        return row.name.masked

    @display(description="IBAN")
    def masked_iban(self, row: RegisteredPayee) -> str:
        """Show the mask."""
        return row.iban.masked

    @display(description="These details since")
    def since(self, row: RegisteredPayee) -> str:
        """Show when they were signed."""
        return instant(row.details_at)

    @display(description="Paid from")
    def payable(self, row: RegisteredPayee) -> str:
        """Show when they have cooled."""
        return instant(row.payable_from)

    @display(description="Changes")
    def changes(self, row: RegisteredPayee) -> SafeString:
        """Show what was proposed, and how far each is."""
        rows = [
            (
                instant(one.proposed_at),
                one.iban.masked,
                one.reason,
                page_of("accounts.approval", one.approval_id, text=spoken(one.approval.state)),
            )
            for one in changes_of(row.pk)
        ]
        return table(["Proposed", "New IBAN", "Why", "Approval"], rows=rows)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer to change and retire what is registered."""
        row = self.get_object(request, str(object_id))
        if row is None or row.state != PayeeState.ACTIVE:
            return []
        offered: list[Any] = super().get_actions_detail(request, object_id)
        return offered

    @action(
        description="New payee",
        url_path="new",
        permissions=["propose"],
        icon="add",
        variant=ActionVariant.PRIMARY,
    )
    @step_up
    def new_payee(self, request: HttpRequest) -> HttpResponse:
        """Propose a payee; a second person approves it."""
        actor = self.officer(request)
        form = NewPayeeForm(
            request.POST or None,
            partners=list(visible_partners(to=actor)),
            initial={"origin": uuid7()},
        )
        wanted = Request(
            title="New payee",
            what_it_does="A second person must approve it. Then its details cool, and after that"
            " they may be paid.",
            button="Ask for this payee",
            form=form,
            ask=lambda: _propose_once(form, actor=actor),
        )
        return ask_with_form(self, request, wanted=wanted)

    @action(
        description="Change bank details",
        url_path="change-details",
        permissions=["change_details"],
        icon="edit",
    )
    @step_up
    def change_details(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Propose to pay it elsewhere; a second person approves it."""
        form = DetailsForm(request.POST or None)
        return self.confirm_on(
            request,
            object_id=object_id,
            step=lambda row, actor: Step(
                title="Change bank details",
                facts={
                    "Payee": row.alias,
                    "Paid until now": row.iban.masked,
                    "What it does": "Asks a second person, and then cools. Call the payee on a"
                    " number you knew before: changed details are the commonest fraud.",
                },
                button="Ask for this change",
                act=lambda why: propose_payee_change(
                    actor=actor, payee_id=row.pk, details=form.details, reason=why
                ),
                form=form,
                done=CHANGED_HERE,
            ),
        )

    @action(
        description="Retire",
        url_path="retire",
        permissions=["retire"],
        icon="person_off",
        variant=ActionVariant.DANGER,
    )
    @step_up
    def retire(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take it out of the register."""
        return self.confirm_on(
            request,
            object_id=object_id,
            step=lambda row, actor: Step(
                title="Retire this payee",
                facts={
                    "Payee": row.alias,
                    "IBAN": row.iban.masked,
                    "What it does": "Takes it out at once. What is sent cannot be stopped.",
                },
                button="Retire",
                act=lambda why: retire_payee(actor=actor, payee_id=row.pk, reason=why),
            ),
        )


def _propose_once(form: NewPayeeForm, *, actor: Actor) -> tuple[UUID, str]:
    """Propose the payee; a form sent twice leads to the same one."""
    found = form.cleaned_data
    try:
        propose_payee(
            actor=actor,
            payee_id=found["origin"],
            partner_id=form.known[found["partner"]].pk,
            alias=found["alias"],
            details=form.details,
            reason=found["reason"],
        )
    except AlreadyAsked:
        return found["origin"], f"{found['alias']}: this was asked for already, and only once."
    return found["origin"], f"{found['alias']}: asked for. A second person must approve it."
