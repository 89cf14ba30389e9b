"""What finance fills in to propose a fee."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import Partner
from audit.adminparts import PlainText
from audit.typeids import uuid7
from transactions.admin.amounts import read_money
from transactions.admin.fields import typed_amount
from transactions.fees import BPS, FeeTerms
from transactions.models import FeeRule
from transactions.money import EXPONENTS, Money
from transactions.proposals import REASON_CHARACTERS_MAX
from transactions.services.fees import FeeProposal
from transactions.states import TransferKind


class FeeForm(forms.Form):
    """A fee rule to be proposed. `origin` makes it one, however often it is sent."""

    origin = forms.UUIDField(widget=forms.HiddenInput)
    partner = forms.ChoiceField(widget=UnfoldAdminSelectWidget, help_text="Who pays it.")
    kind = forms.ChoiceField(
        label="For", choices=TransferKind.choices, widget=UnfoldAdminSelectWidget
    )
    currency = forms.ChoiceField(
        choices=[(code, code) for code in sorted(EXPONENTS)], widget=UnfoldAdminSelectWidget
    )
    flat = typed_amount(
        "For each transfer, e.g. 0.25. Empty: nothing.", label="Flat part", is_required=False
    )
    bps = forms.IntegerField(
        label="Basis points",
        min_value=0,
        max_value=BPS,
        initial=0,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
        help_text="Of the amount: 29 is 0.29 %. Rounded half to even.",
    )
    minimum = typed_amount(
        "Flat part and share together cost at least this.", label="Minimum", is_required=False
    )
    cap = typed_amount("And at most this. Empty: no cap.", label="Cap", is_required=False)
    reason = PlainText(
        label="Why",
        max_length=REASON_CHARACTERS_MAX,
        widget=UnfoldAdminTextInputWidget,
        help_text="What was agreed, and where that is written.",
    )

    def __init__(self, *args: Any, partners: Sequence[Partner], **kwargs: Any) -> None:
        """Offer `partners`."""
        super().__init__(*args, **kwargs)
        field: Any = self.fields["partner"]
        choices = ((str(partner.pk), partner.name) for partner in partners)
        field.choices = [("", "Choose a partner"), *choices]

    def clean(self) -> dict[str, Any]:
        """Read the amounts in the rule's currency; a cap is not below the minimum."""
        found = super().clean() or {}
        if "currency" not in found:
            return found
        minor = {name: self._minor(name, found=found) for name in ("flat", "minimum", "cap")}
        if minor["cap"] is not None and minor["cap"] < (minor["minimum"] or 0):
            self.add_error("cap", "The cap is below the minimum.")
        found["terms"] = FeeTerms(
            flat_minor=minor["flat"] or 0,
            bps=found.get("bps") or 0,
            minimum_minor=minor["minimum"] or 0,
            cap_minor=minor["cap"],
        )
        return found

    @property
    def proposal(self) -> FeeProposal:
        """Return the proposal that a valid form spells."""
        found = self.cleaned_data
        return FeeProposal(
            id=found["origin"],
            partner_id=UUID(found["partner"]),
            kind=TransferKind(found["kind"]),
            currency=found["currency"],
            terms=found["terms"],
            reason=found["reason"],
        )

    def _minor(self, name: str, *, found: dict[str, Any]) -> int | None:
        """Return what an amount's field spells; None where it is empty, or wrong and said so."""
        text = str(found.get(name) or "").strip()
        if not text:
            return None
        try:
            return read_money(text, currency=found["currency"]).amount_minor
        except ValueError as error:
            self.add_error(name, str(error))
            return None


def initial_for(rule: FeeRule | None) -> dict[str, object]:
    """Return what a fresh form begins with: the terms of `rule`, of which it is a next version."""
    if rule is None:
        return {"origin": uuid7(), "currency": "EUR"}

    def figures(minor: int | None) -> str:
        return Money(minor, rule.currency).figures() if minor else ""

    return {
        "origin": uuid7(),
        "partner": str(rule.partner_id),
        "kind": rule.kind,
        "currency": rule.currency,
        "flat": figures(rule.flat_minor),
        "bps": rule.bps,
        "minimum": figures(rule.minimum_minor),
        "cap": figures(rule.cap_minor),
    }
