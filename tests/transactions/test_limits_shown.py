"""Limits as staff see them: what they allow, what is used, and asking for another."""

from html import unescape

import pytest

from accounts.models import Approval
from accounts.roles import Role
from tests import factories, four_eyes
from tests.desk import seat
from tests.factories import Cast
from transactions.models import Limit
from transactions.services.transfers import request_transfer
from transactions.states import LimitKind, LimitWindow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """A partner whose transactions really commit."""
    return factories.cast()


def test_staff_see_what_is_used_of_a_limit_wherever_it_counts(cast: Cast) -> None:
    made = factories.limit(cast.giver, window=LimitWindow.DAY, amount_max_minor=100_000)
    factories.limit(cast.partner, kind=LimitKind.PAYOUT, window=LimitWindow.DAYS_30, count_max=4)
    order = factories.order(cast.giver, amount_minor=25_000)
    factories.set_up(request_transfer)(actor=cast.actor, order=order, origin=factories.origin())
    desk = seat(Role.AUDITOR)
    for page, key in (
        ("accounts_account_change", cast.giver.pk),
        ("transactions_limit_change", made.pk),
    ):
        shown = unescape(desk.open(page, key).content.decode())
        assert "250.00 EUR used" in shown
        assert "750.00 EUR left" in shown
    for page, key in (
        ("accounts_account_change", cast.giver.pk),
        ("accounts_partner_change", cast.partner.pk),
    ):
        shown = unescape(desk.open(page, key).content.decode())
        assert "1 time used" in shown
        assert "3 left" in shown
    listed = unescape(desk.open("transactions_limit_changelist").content.decode())
    assert "250.00 EUR used" in listed
    assert f"All of {cast.partner.name} in EUR" in listed


def test_finance_asks_for_a_limit_and_a_second_person_reads_what_it_is(cast: Cast) -> None:
    desk, officer = seat(Role.FINANCE_OPERATOR), seat(Role.COMPLIANCE_OFFICER)
    form = {
        "kind": "any",
        "window": "day",
        "amount": "1250.00",
        "count": "",
        "reason": "contract",
    }
    asked = desk.send("accounts_account_limit", cast.giver.pk, **form)
    assert "asked; a second person decides." in asked.content.decode()
    approval = Approval.objects.get()
    shown = unescape(officer.open("accounts_approval_change", approval.pk).content.decode())
    assert "1,250.00 EUR" in shown
    assert cast.giver.name in shown
    assert four_eyes.carry_out(approval).state == "used"
    made = Limit.objects.get()
    assert (made.amount_max_minor, made.count_max) == (125_000, None)
    desk.send("transactions_limit_ask", made.pk, amount="", count="3", reason="new contract")
    assert four_eyes.carry_out(Approval.objects.latest("id")).state == "used"
    made.refresh_from_db()
    assert (made.amount_max_minor, made.count_max) == (None, 3)


def test_a_form_that_makes_no_sense_is_shown_again_with_why(cast: Cast) -> None:
    desk = seat(Role.FINANCE_OPERATOR)
    form = {"kind": "any", "window": "transfer", "count": "3", "amount": "12.345", "reason": "x"}
    shown = desk.send("accounts_partner_limit", cast.partner.pk, currency="EUR", **form)
    said = unescape(shown.content.decode())
    assert "A single transfer is not counted" in said
    assert "EUR has 2 decimals." in said
    assert not Approval.objects.exists()
