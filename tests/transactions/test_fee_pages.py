"""Fees at the desk: proposed once with an example, decided by another, shown on the transfer."""

import pytest

from accounts.models import Approval
from accounts.roles import Role
from audit.typeids import uuid7
from tests import factories
from tests.desk import Desk, seat
from transactions.fees import FeeTerms
from transactions.models import FeeRule

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "transactions_feerule_new_fee"


@pytest.fixture
def company(transactional_db: None) -> factories.Cast:
    """A partner with money."""
    return factories.cast()


def _fields(company: factories.Cast, **changes: object) -> dict[str, object]:
    return {
        "origin": uuid7(),
        "partner": company.partner.pk,
        "kind": "payout",
        "currency": "EUR",
        "flat": "0.25",
        "bps": "29",
        "minimum": "0.50",
        "cap": "20",
        "reason": "contract of 1 March, §4",
        **changes,
    }


def test_a_fee_is_asked_for_once_and_shows_what_it_costs(company: factories.Cast) -> None:
    desk, origin = seat(Role.FINANCE_OPERATOR), uuid7()
    first = desk.send(NEW, **_fields(company, origin=origin))
    second = desk.send(NEW, **_fields(company, origin=origin))
    rule = FeeRule.objects.get()
    assert first.redirect_chain[-1] == second.redirect_chain[-1]
    shown = first.content.decode()
    for part in (
        "0.29 % (29 basis points)",
        "0.54 EUR",
        "100.54 EUR",
        "20.00 EUR",
        "Proposed.",
        desk.member.user.email,
    ):
        assert part in shown
    approval = Approval.objects.get(subject_ref=rule.audit_ref)
    asked = seat(Role.COMPLIANCE_OFFICER).open("accounts_approval_change", approval.pk)
    assert "100.00 EUR costs 0.54 EUR" in asked.content.decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cap": "0.10"}, "The cap is below the minimum."),
        ({"flat": "0.255"}, "EUR has 2 decimals."),
        ({"bps": "10001"}, "less than or equal to 10000"),
        ({"partner": ""}, "This field is required."),
    ],
)
def test_what_is_wrong_is_said_beside_it(
    company: factories.Cast, changes: dict[str, object], said: str
) -> None:
    answer = seat(Role.FINANCE_OPERATOR).send(NEW, **_fields(company, **changes))
    assert said in answer.content.decode()
    assert not FeeRule.objects.exists()


def test_the_next_version_begins_with_what_is_charged_now(company: factories.Cast) -> None:
    rule = factories.fee(company, FeeTerms(flat_minor=25, bps=29, cap_minor=2_000))
    desk = seat(Role.FINANCE_OPERATOR)
    form = desk.open("transactions_feerule_new_version", rule.pk).content.decode()
    for value in ('value="0.25"', 'value="29"', 'value="20.00"'):
        assert value in form


def test_a_transfer_shows_its_fee_and_leads_to_the_rule(company: factories.Cast) -> None:
    rule = factories.fee(company, FeeTerms(flat_minor=25))
    made = factories.internal(company)
    page = seat(Role.AUDITOR).open("transactions_transfer_change", made.pk).content.decode()
    assert "0.25 EUR" in page
    assert f"/feerule/{rule.pk}/" in page


@pytest.mark.parametrize("role", [Role.SUPPORT_AGENT, Role.COMPLIANCE_OFFICER, Role.AUDITOR])
def test_only_finance_may_ask(company: factories.Cast, role: Role) -> None:
    desk: Desk = seat(role)
    assert desk.send(NEW, **_fields(company)).status_code == 403
    assert not FeeRule.objects.exists()
