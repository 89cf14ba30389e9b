"""Reverse: how much of a transfer is to go back, asked of a second person."""

from typing import Any

from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from audit.actors import Actor
from audit.adminkit import Step
from transactions.admin.amounts import read_money
from transactions.models import Transfer
from transactions.money import Money
from transactions.services.reversals import request_reversal


class ReversalForm(forms.Form):
    """How much goes back, in the transfer's currency."""

    amount = forms.CharField(
        max_length=30,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text="All that is left of it, or a part.",
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        """Read amounts in `currency`."""
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean_amount(self) -> int:
        """Return the amount in minor units."""
        try:
            return read_money(self.cleaned_data["amount"], currency=self.currency).amount_minor
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


def reversal_step(request: HttpRequest, *, row: Transfer, actor: Actor) -> Step:
    """Return the step that asks for a reversal of `row`."""
    left = Money(row.reversible_minor, row.currency)
    form = ReversalForm(
        request.POST or None,
        currency=row.currency,
        initial={"amount": str(left).removesuffix(f" {row.currency}")},
    )
    return Step(
        title="Ask for a reversal",
        facts={
            "Moved": row.money,
            "Went back already": Money(row.reversed_minor, row.currency),
            "Can still go back": left,
            "What it does": "A second person sees this. Once approved, the money leaves the"
            " account it reached, if it is still there, and returns to where it came from.",
        },
        button="Ask for the reversal",
        act=lambda why: request_reversal(
            actor=actor,
            transfer_id=row.pk,
            amount_minor=form.cleaned_data["amount"],
            reason=why,
        ),
        form=form,
    )
