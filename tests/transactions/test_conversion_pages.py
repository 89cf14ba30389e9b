"""Conversions at the desk: asked for once, checked against the rate, decided by another."""

from typing import Any

import pytest

from accounts.models import Account, Approval
from accounts.roles import Role
from audit.typeids import uuid7
from tests import factories
from tests.desk import Desk, seat
from transactions.models import Conversion

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "transactions_conversion_new_conversion"


@pytest.fixture
def company(transactional_db: None) -> factories.Cast:
    """A partner with euros."""
    return factories.cast()


@pytest.fixture
def yen(company: factories.Cast) -> Account:
    """Its empty account in yen."""
    return factories.account(company.portfolio, currency="JPY", holding_minor=0)


def _fields(company: factories.Cast, yen: Account, **changes: object) -> dict[str, Any]:
    return {
        "origin": uuid7(),
        "source": company.giver.alias,
        "destination": yen.public_id,
        "sold": "100.00",
        "bought": "16325",
        "rate": "163.25",
        "reason": "asked for by the partner",
        "evidence": "FX-17",
        **changes,
    }


def test_it_is_asked_for_once_and_the_second_person_sees_both_sides(
    company: factories.Cast, yen: Account
) -> None:
    desk, origin = seat(Role.FINANCE_OPERATOR), uuid7()
    first = desk.send(NEW, **_fields(company, yen, origin=origin))
    second = desk.send(NEW, **_fields(company, yen, origin=origin))
    made = Conversion.objects.get()
    assert first.redirect_chain[-1] == second.redirect_chain[-1]
    approval = Approval.objects.get(subject_ref=made.audit_ref)
    asked = seat(Role.COMPLIANCE_OFFICER).open("accounts_approval_change", approval.pk)
    for page in (first, asked):
        shown = page.content.decode()
        for part in ("-100.00 EUR", "16,325 JPY", "1 EUR = 163.25 JPY"):
            assert part in shown


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bought": "16000"}, "At this rate 100.00 EUR is 16,325 JPY."),
        ({"bought": "16325.5"}, "JPY has 0 decimals."),
        ({"rate": "1e3"}, "Write the rate with digits"),
        ({"source": "nobody"}, "There is no account of this id or alias."),
        ({"evidence": ""}, "This field is required."),
    ],
)
def test_what_is_wrong_is_said_beside_it(
    company: factories.Cast, yen: Account, changes: dict[str, object], said: str
) -> None:
    answer = seat(Role.FINANCE_OPERATOR).send(NEW, **_fields(company, yen, **changes))
    assert said in answer.content.decode()
    assert not Conversion.objects.exists()


def test_accounts_of_one_currency_or_two_partners_are_refused(
    company: factories.Cast, yen: Account
) -> None:
    desk, other = seat(Role.FINANCE_OPERATOR), factories.cast()
    same = desk.send(NEW, **_fields(company, yen, destination=company.taker.alias))
    assert "Is kept in EUR, too." in same.content.decode()
    strange = desk.send(NEW, **_fields(company, yen, source=other.giver.alias))
    assert "Belongs to another partner." in strange.content.decode()


@pytest.mark.parametrize("role", [Role.SUPPORT_AGENT, Role.COMPLIANCE_OFFICER, Role.AUDITOR])
def test_only_finance_may_ask(company: factories.Cast, yen: Account, role: Role) -> None:
    desk: Desk = seat(role)
    assert desk.send(NEW, **_fields(company, yen)).status_code == 403
    assert not Conversion.objects.exists()
