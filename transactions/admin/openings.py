"""Opening an account at the desk: what finance fills in, for a second person to sign."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.errors import AlreadyAsked, NameTaken
from accounts.models import Customer, Portfolio
from accounts.selectors.approvals import requests_about
from accounts.selectors.pages import portfolios_for_pages
from audit.actors import Actor
from audit.typeids import parse_typeid, uuid7
from transactions.admin.desks import Request
from transactions.admin.fields import typed
from transactions.money import EXPONENTS
from transactions.proposals import (
    ALIAS_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    REASON_CHARACTERS_MAX,
    Opening,
)
from transactions.services.books import request_opening

ASKED: Final = "Asked for. A second person must approve it; until then there is no account."
ASKED_BEFORE: Final = "This account was asked for already, and only once."


class OpeningForm(forms.Form):
    """An account to be opened. `origin` makes it one, however often it is sent."""

    origin = forms.UUIDField(widget=forms.HiddenInput)
    portfolio = forms.ChoiceField(
        widget=UnfoldAdminSelectWidget, help_text="Whose account it is, and who may look at it."
    )
    customer = typed(
        "Customer",
        "Its id (cus_…), of the same portfolio. Empty: the partner's own account.",
        most=60,
        is_required=False,
    )
    name = typed(
        "Name",
        "As statements call it: what it is for, never a private person's name.",
        most=NAME_CHARACTERS_MAX,
    )
    currency = forms.ChoiceField(
        choices=[("", "Choose a currency"), *((code, code) for code in sorted(EXPONENTS))],
        widget=UnfoldAdminSelectWidget,
        help_text="For good: an account is kept in one.",
    )
    alias = typed(
        "Alias",
        "What others may pay it by, e.g. acme-savings-eur. Used once, and never changed.",
        most=ALIAS_CHARACTERS_MAX,
    )
    reason = typed(
        "Why", "What was agreed, and where that is written.", most=REASON_CHARACTERS_MAX
    )

    def __init__(self, *args: Any, portfolios: Iterable[Portfolio], **kwargs: Any) -> None:
        """Offer `portfolios`, each with its partner's name."""
        super().__init__(*args, **kwargs)
        field: Any = self.fields["portfolio"]
        choices = ((str(one.pk), f"{one.partner.name}: {one.name}") for one in portfolios)
        field.choices = [("", "Choose a portfolio"), *choices]

    def clean_customer(self) -> UUID | None:
        """Read the customer's id."""
        spelled = str(self.cleaned_data["customer"]).strip()
        try:
            return parse_typeid(Customer.prefix, spelled) if spelled else None
        except ValueError as error:
            raise forms.ValidationError("This is not the id of a customer.") from error

    @property
    def opening(self) -> Opening:
        """Return the opening that a valid form spells."""
        found = self.cleaned_data
        return Opening(
            id=found["origin"],
            portfolio_id=UUID(found["portfolio"]),
            customer_id=found["customer"],
            name=found["name"],
            currency=found["currency"],
            alias=found["alias"],
            reason=found["reason"],
        )


def opening_wanted(posted: Any, *, actor: Actor) -> Request:
    """Return what the page asks for: an account of a portfolio that `actor` may see."""
    portfolios = portfolios_for_pages(to=actor)
    form = OpeningForm(posted, portfolios=portfolios, initial={"origin": uuid7()})
    return Request(
        title="Open an account",
        what_it_does="A second person must approve exactly this. Then the account is there, with"
        " nothing on it, and money may arrive.",
        button="Ask for this account",
        form=form,
        ask=lambda: _ask_once(form, actor=actor),
        leads_to="accounts_approval",
    )


def _ask_once(form: OpeningForm, *, actor: Actor) -> tuple[UUID, str]:
    """Ask for the account; a form sent twice leads to the same request."""
    opening = form.opening
    try:
        return request_opening(actor=actor, opening=opening).pk, ASKED
    except AlreadyAsked as again:
        return requests_about(again.ref, to=actor).earliest("id").pk, ASKED_BEFORE
    except NameTaken:
        form.add_error("alias", "Another account has this alias.")
        raise
