"""New payout: to a registered payee, one command, and a page that a double submit cannot fool."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import Account
from audit.actors import Actor
from audit.adminparts import PlainText
from audit.typeids import parse_typeid, uuid7
from transactions.admin.amounts import read_money
from transactions.admin.desks import Desk, Request, ask_with_form
from transactions.admin.fields import typed_amount
from transactions.errors import AlreadyBooked
from transactions.models import RegisteredPayee
from transactions.orders import TransferOrder
from transactions.selectors.pages import accounts_to_choose_from, transfer_of_origin
from transactions.selectors.payees import details_of, payees_to_choose_from
from transactions.services.transfers import request_transfer


class PayoutForm(forms.Form):
    """What a payout needs to be asked for. `origin` makes it one, however often it is sent."""

    origin = forms.UUIDField(widget=forms.HiddenInput)
    account = forms.ChoiceField(
        widget=UnfoldAdminSelectWidget, help_text="The money leaves this account."
    )
    amount = typed_amount("In the account's currency, e.g. 1250.00")
    payee = forms.ChoiceField(
        widget=UnfoldAdminSelectWidget,
        help_text="Somebody else is registered under Payees first, by two people.",
    )
    reference = PlainText(
        max_length=140,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="What the payee reads on their statement.",
    )

    def __init__(
        self,
        *args: Any,
        accounts: Sequence[Account],
        payees: Sequence[RegisteredPayee],
        **kwargs: Any,
    ) -> None:
        """Offer `accounts` and `payees`."""
        super().__init__(*args, **kwargs)
        self.known = {account.public_id: account for account in accounts}
        self.payees = {payee.public_id: payee for payee in payees}
        self._offer(
            "account",
            {key: f"{row.partner.name}: {row}" for key, row in self.known.items()},
            first="Choose an account",
        )
        self._offer(
            "payee",
            {
                key: f"{row.partner.name}: {row} ({row.iban.masked})"
                for key, row in self.payees.items()
            },
            first="Choose a registered payee",
        )

    def _offer(self, name: str, choices: dict[str, str], *, first: str) -> None:
        self.fields[name].choices = [("", first), *choices.items()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Read the amount in the account's currency; insist on a payee of the same partner."""
        found = super().clean() or {}
        account = self.known.get(str(found.get("account")))
        payee = self.payees.get(str(found.get("payee")))
        if account is not None and "amount" in found:
            try:
                found["money"] = read_money(str(found["amount"]), currency=account.currency)
            except ValueError as error:
                self.add_error("amount", str(error))
        if account is not None and payee is not None and account.book_id != payee.book_id:
            self.add_error("payee", f"This is a payee of {payee.partner.name}'s, not of theirs.")
        return found

    @property
    def order(self) -> TransferOrder:
        """Return the order that a valid form spells."""
        found = self.cleaned_data
        return TransferOrder(
            source_id=parse_typeid("acc", found["account"]),
            money=found["money"],
            payee=details_of(self.payees[found["payee"]]),
            reference=found["reference"],
        )


def ask_for_payout(page: Desk, request: HttpRequest) -> HttpResponse:
    """Show the form; when it comes back, ask once and lead to the transfer."""
    actor = page.officer(request)
    form = PayoutForm(
        request.POST or None,
        accounts=accounts_to_choose_from(to=actor),
        payees=payees_to_choose_from(to=actor),
        initial={"origin": uuid7(), "account": request.GET.get("account", "")},
        auto_id="id_%s",
    )
    wanted = Request(
        title="New payout",
        what_it_does="The money is reserved at once. It is sent when a second person has"
        " approved it.",
        button="Ask for this payout",
        form=form,
        ask=lambda: _ask_once(form, actor=actor),
    )
    return ask_with_form(page, request, wanted=wanted)


def _ask_once(form: PayoutForm, *, actor: Actor) -> tuple[UUID, str]:
    """Ask for the payout; for a form sent before, return what it led to the first time."""
    origin = f"staff:{form.cleaned_data['origin']}"
    try:
        transfer = request_transfer(actor=actor, order=form.order, origin=origin)
    except AlreadyBooked:
        known = transfer_of_origin(origin, actor=actor)
        if known is None:
            raise
        return known.pk, f"{known}: this was asked for already, and only once."
    return transfer.pk, f"{transfer}: asked for. A second person must approve it."
