"""What went back of a transfer, and asking a second person for more of it to go back."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.models import Approval
from audit.actors import Actor
from audit.adminkit import Step
from audit.adminparts import page_of, spoken, table
from transactions.admin.amounts import read_money
from transactions.admin.bars import bar
from transactions.admin.fields import typed_amount
from transactions.models import Transfer
from transactions.money import Money
from transactions.services.reversals import REVERSE, request_reversal


class ReversalForm(forms.Form):
    """How much goes back, in the transfer's currency."""

    amount = typed_amount("All that is left of it, or a part.")

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
        initial={"amount": left.figures()},
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


def way_back(row: Transfer) -> SafeString | str:
    """Return how much of a transfer went back and how much stays, as a bar."""
    if not row.reversed_minor:
        return "Nothing"
    back = Money(row.reversed_minor, row.currency)
    stays = Money(row.amount_minor - row.reversed_minor, row.currency)
    return bar(
        [
            ("gone", stays.amount_minor, f"{stays} stays there"),
            ("back", back.amount_minor, f"{back} went back"),
        ]
    )


def asked_back(requests: Iterable[Approval]) -> SafeString:
    """Return those of the requests that are for a reversal, each with the way to its page."""
    rows = [
        (
            page_of("accounts.approval", each.pk, text=each.public_id),
            Money(each.payload["amount_minor"], each.payload["currency"]),
            spoken(each.state),
            each.maker_label,
        )
        for each in requests
        if each.action == REVERSE
    ]
    return table(["Approval", "Amount", "State", "Asked by"], rows=rows)
