"""What staff fill in to ask for a limit."""

from collections.abc import Sequence
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from transactions.admin.amounts import read_money
from transactions.admin.fields import typed_amount
from transactions.services.limits import Maxima
from transactions.states import LimitKind, LimitWindow


class LimitForm(forms.Form):
    """What may leave, in which window, and the most of it."""

    kind = forms.ChoiceField(
        label="What it limits", choices=LimitKind.choices, widget=UnfoldAdminSelectWidget
    )
    window = forms.ChoiceField(
        label="Window", choices=LimitWindow.choices, widget=UnfoldAdminSelectWidget
    )
    amount = typed_amount(
        "e.g. 10000.00; 0 for nothing. Empty: any amount.",
        label="At most in all",
        is_required=False,
    )
    count = forms.IntegerField(
        label="At most so often",
        min_value=0,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text="e.g. 50; 0 for never. Empty: any number of times.",
    )

    def __init__(self, *args: Any, currency: str = "", **kwargs: Any) -> None:
        """Read the amount in the account's currency."""
        super().__init__(*args, **kwargs)
        self.kept_in = currency

    def clean(self) -> dict[str, Any]:
        """Read the amount; a count belongs to a window that holds more than one transfer."""
        found = super().clean() or {}
        kept_in = found.get("currency", self.kept_in)
        if found.get("amount") and kept_in:
            try:
                found["amount_minor"] = _amount(found["amount"], currency=kept_in)
            except ValueError as error:
                self.add_error("amount", str(error))
        if found.get("window") == LimitWindow.TRANSFER and found.get("count") is not None:
            self.add_error("count", "A single transfer is not counted: choose another window.")
        return found

    @property
    def terms(self) -> dict[str, Any]:
        """Return what a valid form asks for."""
        found = self.cleaned_data
        return {
            "kind": LimitKind(found["kind"]),
            "window": LimitWindow(found["window"]),
            "maxima": Maxima(amount_minor=found.get("amount_minor"), count=found["count"]),
        }


class PartnerLimitForm(LimitForm):
    """A limit on all of a partner's accounts in one currency."""

    currency = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    field_order = ("currency",)

    def __init__(self, *args: Any, currencies: Sequence[str], **kwargs: Any) -> None:
        """Offer the currencies that the partner has accounts in."""
        super().__init__(*args, **kwargs)
        self.fields["currency"].choices = [(each, each) for each in currencies]  # type: ignore[attr-defined]

    @property
    def terms(self) -> dict[str, Any]:
        """Return what a valid form asks for, with its currency."""
        return {**super().terms, "currency": self.cleaned_data["currency"]}


def _amount(text: str, *, currency: str) -> int:
    """Return what a text spells in minor units; nothing is allowed, too."""
    if not text.strip("0.,"):
        return 0
    return read_money(text, currency=currency).amount_minor
