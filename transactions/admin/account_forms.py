"""What staff fill in to stop an account's money, or to change its floor."""

from datetime import UTC
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.states import FreezeMode, FreezeReason
from audit.adminparts import PlainText
from transactions.admin.amounts import read_money
from transactions.admin.fields import typed_amount
from transactions.services.freezes import FreezeTerms


def _moment(label: str, help_text: str) -> forms.DateTimeField:
    widget = UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"})
    return forms.DateTimeField(label=label, required=False, widget=widget, help_text=help_text)


class FreezeForm(forms.Form):
    """What a freeze stops, on whose order, and from when until when."""

    mode = forms.ChoiceField(
        label="What it stops",
        choices=[choice for choice in FreezeMode.choices if choice[0] != FreezeMode.NONE],
        widget=UnfoldAdminSelectWidget,
    )
    amount = typed_amount("Only to hold an amount back, e.g. 1250.00", is_required=False)
    reason_code = forms.ChoiceField(
        label="Kind of reason", choices=FreezeReason.choices, widget=UnfoldAdminSelectWidget
    )
    legal_reference = PlainText(
        max_length=80,
        widget=UnfoldAdminTextInputWidget,
        help_text="The order, case or rule it rests on.",
    )
    starts_at = _moment("From (UTC)", "Empty: at once.")
    ends_at = _moment("Until (UTC)", "Empty: until two people lift it.")

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        """Read amounts in the account's currency."""
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean(self) -> dict[str, Any]:
        """Read the amount, which goes with the mode that holds one back and with no other."""
        found = super().clean() or {}
        wants_amount = found.get("mode") == FreezeMode.AMOUNT
        if wants_amount != bool(found.get("amount")):
            self.add_error("amount", "An amount goes with “An amount is held back”, and only so.")
        elif wants_amount:
            try:
                found["money"] = read_money(str(found["amount"]), currency=self.currency)
            except ValueError as error:
                self.add_error("amount", str(error))
        return found

    @property
    def mode_chosen(self) -> FreezeMode:
        """Return what a valid form stops."""
        return FreezeMode(self.cleaned_data["mode"])

    @property
    def terms(self) -> FreezeTerms:
        """Return the terms that a valid form spells."""
        found = self.cleaned_data
        money = found.get("money")
        return FreezeTerms(
            reason_code=FreezeReason(found["reason_code"]),
            amount_minor=money.amount_minor if money else None,
            starts_at=found["starts_at"].astimezone(UTC) if found["starts_at"] else None,
            ends_at=found["ends_at"].astimezone(UTC) if found["ends_at"] else None,
        )


class FloorForm(forms.Form):
    """How far below zero an account may stand."""

    overdraft = typed_amount(
        "In the account's currency, e.g. 1250.00; 0 for none.", label="Overdraft"
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        """Read the amount in the account's currency."""
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean_overdraft(self) -> int:
        """Return the floor that the overdraft makes, in minor units."""
        text = str(self.cleaned_data["overdraft"])
        if not text.strip("0."):
            return 0
        try:
            return -read_money(text, currency=self.currency).amount_minor
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
