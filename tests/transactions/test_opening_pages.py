"""Opening an account at the desk: asked for once, shown whole to the second person, then there."""

from typing import Any, Final

import pytest
from django.urls import reverse

from accounts.models import Account, Approval
from accounts.roles import Role
from audit.typeids import uuid7
from tests import factories
from tests.desk import Desk, seat
from tests.four_eyes import carry_out

pytestmark = pytest.mark.django_db(transaction=True)
NEW: Final = "accounts_account_new_account"
WRONG: Final[list[tuple[dict[str, object], str]]] = [
    ({"alias": "Acme Savings"}, "At most 40 small letters, digits and single dashes."),
    ({"alias": ""}, "This field is required."),
    ({"currency": "XXX"}, "Select a valid choice."),
    ({"currency": ""}, "This field is required."),
    ({"portfolio": ""}, "This field is required."),
    ({"portfolio": uuid7()}, "Select a valid choice."),
    ({"customer": "Erika"}, "This is not the id of a customer."),
    ({"reason": ""}, "This field is required."),
    ({"origin": ""}, "the form has lost its number"),
]


@pytest.fixture
def company(transactional_db: None) -> factories.Cast:
    """A partner."""
    return factories.cast()


def _fields(company: factories.Cast, **changes: object) -> dict[str, Any]:
    return {
        "origin": uuid7(),
        "portfolio": company.portfolio.pk,
        "customer": "",
        "name": "Savings",
        "currency": "EUR",
        "alias": "acme-savings-eur",
        "reason": "Contract of 1 March, §4",
        **changes,
    }


def test_it_is_asked_for_once_signed_by_another_and_there(company: factories.Cast) -> None:
    desk, origin = seat(Role.FINANCE_OPERATOR), uuid7()
    customer = factories.customer(company.portfolio)
    fields = _fields(company, origin=origin, customer=customer.public_id)
    first, second = desk.send(NEW, **fields), desk.send(NEW, **fields)
    asked = Approval.objects.get()
    shown_at = reverse("admin:accounts_approval_change", args=[asked.pk])
    assert first.redirect_chain[-1][0] == second.redirect_chain[-1][0] == shown_at
    assert "asked for already, and only once" in second.content.decode()

    checker = seat(Role.COMPLIANCE_OFFICER)
    for page in ("accounts_approval_change", "accounts_approval_approve"):
        shown = checker.open(page, asked.pk).content.decode()
        for part in ("Savings", "acme-savings-eur", company.portfolio.name, "§4"):
            assert part in shown
        assert customer.name.masked in shown
        assert str(customer.pk) in shown
    before = checker.open("accounts_approval_change", asked.pk).content.decode()
    assert "An account that is not open" in before

    carry_out(asked)
    account = Account.objects.get(pk=asked.subject_id)
    page = desk.open("accounts_account_change", account.pk)
    assert page.status_code == 200
    assert "0.00 EUR" in page.content.decode()
    after = checker.open("accounts_approval_change", asked.pk).content.decode()
    assert reverse("admin:accounts_account_change", args=[account.pk]) in after
    told = desk.open("timeline", "accounts", "account", account.pk).content.decode()
    assert "Contract of 1 March, §4" in told


def test_what_is_wrong_is_said_beside_it(company: factories.Cast) -> None:
    desk = seat(Role.FINANCE_OPERATOR)
    for changes, said in WRONG:
        answer = desk.send(NEW, **_fields(company, **changes))
        assert said in answer.content.decode(), changes
    assert not Approval.objects.exists()


def test_a_stranger_a_taken_alias_and_a_suspended_partner_are_refused_on_the_form(
    company: factories.Cast,
) -> None:
    desk, other = seat(Role.FINANCE_OPERATOR), factories.customer()
    strange = desk.send(NEW, **_fields(company, customer=other.public_id)).content.decode()
    assert "Is of another portfolio." in strange
    taken = desk.send(NEW, **_fields(company, alias=company.giver.alias)).content.decode()
    assert "Another account has this alias." in taken
    assert company.giver.alias in taken
    factories.changed(company.partner, is_active=False)
    refused = desk.send(NEW, **_fields(company)).content.decode()
    assert "The partner is suspended: no account is opened for it." in refused
    assert not Approval.objects.exists()


@pytest.mark.parametrize("role", [Role.SUPPORT_AGENT, Role.COMPLIANCE_OFFICER, Role.AUDITOR])
def test_only_finance_may_ask_and_nobody_else_sees_a_button(
    company: factories.Cast, role: Role
) -> None:
    desk: Desk = seat(role)
    assert desk.open(NEW).status_code == 403
    assert desk.send(NEW, **_fields(company)).status_code == 403
    assert not Approval.objects.exists()
    listed = "accounts_account_changelist"
    assert reverse(f"admin:{NEW}") not in desk.open(listed).content.decode()


def test_finance_finds_the_button_on_the_list_of_accounts(company: factories.Cast) -> None:
    desk = seat(Role.FINANCE_OPERATOR)
    assert reverse(f"admin:{NEW}") in desk.open("accounts_account_changelist").content.decode()
    form = desk.open(NEW).content.decode()
    assert f"{company.partner.name}: {company.portfolio.name}" in form
