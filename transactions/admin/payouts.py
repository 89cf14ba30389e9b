"""New payout: a form, one command, and a page that a double submit cannot fool."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.frontdesk.forms import is_iban
from accounts.models import Account
from audit.actors import Actor
from audit.errors import Refusal
from audit.typeids import parse_typeid, uuid7
from transactions.admin.amounts import read_money
from transactions.admin.desks import Desk
from transactions.errors import AlreadyBooked
from transactions.models import Transfer
from transactions.orders import Payee, TransferOrder
from transactions.selectors.pages import accounts_to_choose_from, transfer_of_origin
from transactions.services.transfers import request_transfer


class PayoutForm(forms.Form):
    """What a payout needs to be asked for. `origin` makes it one, however often it is sent."""

    origin = forms.UUIDField(widget=forms.HiddenInput)
    account = forms.ChoiceField(
        widget=UnfoldAdminSelectWidget, help_text="The money leaves this account."
    )
    amount = forms.CharField(
        max_length=30,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text="In the account's currency, e.g. 1,250.00",
    )
    name = forms.CharField(label="Payee", max_length=70, widget=UnfoldAdminTextInputWidget)
    iban = forms.CharField(
        label="IBAN",
        max_length=42,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    reference = forms.CharField(
        max_length=140,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="What the payee reads on their statement.",
    )

    def __init__(self, *args: Any, accounts: list[Account], **kwargs: Any) -> None:
        """Offer `accounts`."""
        super().__init__(*args, **kwargs)
        self.known = {account.public_id: account for account in accounts}
        field = self.fields["account"]
        field.choices = [  # type: ignore[attr-defined]
            ("", "Choose an account"),
            *((key, f"{row.partner.name}: {row}") for key, row in self.known.items()),
        ]

    def clean_iban(self) -> str:
        """Take spaces out; insist on the check digits."""
        iban = "".join(str(self.cleaned_data["iban"]).split()).upper()
        if not is_iban(iban):
            raise forms.ValidationError("This is not an IBAN, or its check digits are wrong.")
        return iban

    def clean(self) -> dict[str, Any]:
        """Read the amount in the account's currency."""
        found = super().clean() or {}
        account = self.known.get(str(found.get("account")))
        if account is not None and "amount" in found:
            try:
                found["money"] = read_money(str(found["amount"]), currency=account.currency)
            except ValueError as error:
                self.add_error("amount", str(error))
        return found

    @property
    def order(self) -> TransferOrder:
        """Return the order that a valid form spells."""
        found = self.cleaned_data
        return TransferOrder(
            source_id=parse_typeid("acc", found["account"]),
            money=found["money"],
            payee=Payee(name=found["name"], iban=found["iban"]),
            reference=found["reference"],
        )


def ask_for_payout(page: Desk, request: HttpRequest) -> HttpResponse:
    """Show the form; when it comes back, ask once and lead to the transfer."""
    actor = page.officer(request)
    form = PayoutForm(
        request.POST or None,
        accounts=list(accounts_to_choose_from(to=actor)),
        initial={"origin": uuid7(), "account": request.GET.get("account", "")},
        auto_id="id_%s",
    )
    refused = ""
    if request.method == "POST" and form.is_valid():
        try:
            transfer, said = _ask_once(form, actor=actor)
        except Refusal as refusal:
            refused = refusal.title
        else:
            page.message_user(request, said, messages.SUCCESS)
            return HttpResponseRedirect(_address(transfer.pk))
    context = {
        **page.admin_site.each_context(request),
        "opts": Transfer._meta,  # noqa: SLF001 - Django's own interface
        "title": "New payout",
        "what_it_does": "The money is reserved at once. It is sent when a second person has"
        " approved it.",
        "button": "Ask for this payout",
        "form": form,
        "refused": refused,
        "back": reverse("admin:transactions_transfer_changelist"),
    }
    return TemplateResponse(request, "admin/ask.html", context)


def _ask_once(form: PayoutForm, *, actor: Actor) -> tuple[Transfer, str]:
    """Ask for the payout; for a form sent before, return what it led to the first time."""
    origin = f"staff:{form.cleaned_data['origin']}"
    try:
        transfer = request_transfer(actor=actor, order=form.order, origin=origin)
    except AlreadyBooked:
        known = transfer_of_origin(origin, actor=actor)
        if known is None:
            raise
        return known, f"{known}: this was asked for already, and only once."
    return transfer, f"{transfer}: asked for. A second person must approve it."


def _address(transfer_id: UUID) -> str:
    return reverse("admin:transactions_transfer_change", args=[transfer_id])
