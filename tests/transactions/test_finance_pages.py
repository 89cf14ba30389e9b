"""Finance at the desk: a journal sheet, stray money, payees; each asked once, by those who may."""

from typing import Any, Final

import pytest
from django.urls import reverse

from accounts.models import Approval
from accounts.roles import Role
from audit.typeids import uuid7
from config.sandbox.cast import iban
from tests import factories
from tests.conftest import STAGE
from tests.desk import Desk, seat
from tests.staff import age_proofs
from transactions.models import JournalProposal, PayeeChange, RegisteredPayee, SuspenseAllocation
from transactions.services.movements import book_movement

pytestmark = pytest.mark.django_db(transaction=True)
SHEET = "transactions_journalproposal_new_journal"


@pytest.fixture
def company(transactional_db: None) -> factories.Cast:
    """A partner with money."""
    return factories.cast()


def _sheet(company: factories.Cast, **changes: object) -> dict[str, object]:
    return {
        "number": uuid7(),
        "lines": 4,
        "line-0-account": f"account:{company.giver.alias} EUR",
        "line-0-amount": "-1250.00",
        "line-1-account": f"account:{company.taker.alias} EUR",
        "line-1-amount": "1250",
        "reason": "booked on the wrong account",
        "evidence": "FIN-17",
        "step": "submit",
        **changes,
    }


def _write(desk: Desk, company: factories.Cast, **changes: object) -> Any:
    where = f"{reverse(f'admin:{SHEET}')}?book={company.partner.book_id}"
    return desk.client.post(where, _sheet(company, **changes), follow=True)


def _said(answer: Any) -> str:
    return " ".join(str(one) for one in answer.context["messages"])


def test_a_sheet_is_previewed_changed_and_asked_for_once(company: factories.Cast) -> None:
    desk, number = seat(Role.FINANCE_OPERATOR), uuid7()

    shown = _write(desk, company, step="preview").content.decode()
    assert "10,000.00 EUR" in shown
    assert "8,750.00 EUR" in shown
    assert not JournalProposal.objects.exists()
    again = _write(desk, company, step="edit").content.decode()
    assert 'value="-1250.00"' in again
    first = _write(desk, company, number=number)
    second = _write(desk, company, number=number)

    made = JournalProposal.objects.get()
    where = reverse("admin:transactions_journalproposal_change", args=[made.pk])
    assert first.redirect_chain[-1][0] == second.redirect_chain[-1][0] == where
    assert "already, and only once" in _said(second)
    assert (
        "booked on the wrong account"
        in desk.open("accounts_account_change", company.taker.pk).content.decode()
    )


WRONG: Final[dict[str, dict[str, object]]] = {
    "Does not add up: -250.00 EUR is left over": {"line-1-amount": "1000.00"},
    "A journal has at least two lines": {"line-1-account": "", "line-1-amount": ""},
    "No account of this book is called so": {"line-1-account": "account:nobody EUR"},
    "EUR has 2 decimals": {"line-0-amount": "-1.234"},
    "no commas, e.g. 1250.00": {"line-0-amount": "-1,250"},
    "This field is required": {"evidence": ""},
    "Open this page again": {"number": "x"},
}


def test_a_wrong_sheet_is_answered_beside_its_line(company: factories.Cast) -> None:
    desk = seat(Role.FINANCE_OPERATOR)
    for said, changes in WRONG.items():
        assert said in _write(desk, company, **changes).content.decode()
    assert "is called so" in _write(desk, company, **{"line-2-amount": "5"}).content.decode()
    assert not JournalProposal.objects.exists()


def test_more_lines_are_added_and_nothing_typed_is_lost(company: factories.Cast) -> None:
    desk = seat(Role.FINANCE_OPERATOR)
    answer = _write(desk, company, step="more").content.decode()
    assert 'name="line-7-account"' in answer
    assert 'value="FIN-17"' in answer
    assert desk.open(SHEET, book=str(uuid7())).status_code == 404
    assert "In which one does the money move?" in desk.open(SHEET).content.decode()


def _stray() -> Any:
    paid = factories.charge(None, amount_minor=9_000, fee_minor=0)
    with STAGE.as_role("worker"):
        book_movement(actor=factories.provider(), movement=paid)
    return factories.suspense_of(paid)


def test_stray_money_is_listed_and_proposed_to_its_owner(company: factories.Cast) -> None:
    desk, item = seat(Role.FINANCE_OPERATOR), _stray()
    page, fields = "transactions_suspenseposting_allocate", {"number": uuid7(), "reason": "phone"}

    assert "90.00 EUR" in desk.open("transactions_suspenseposting_changelist").content.decode()
    for wrong, said in (
        ({"account": "nobody", "amount": "90.00"}, "no account of this id or alias"),
        ({"account": company.taker.alias, "amount": "90.001"}, "EUR has 2 decimals"),
    ):
        assert said in desk.send(page, item.id, **fields, **wrong).content.decode()
    much = desk.send(page, item.id, **fields, account=company.taker.alias, amount="90.01")
    assert "more than what remains" in _said(much)
    done = desk.send(page, item.id, **fields, account=company.taker.public_id, amount="40.00")
    assert "A second person must approve it" in _said(done)
    assert SuspenseAllocation.objects.get().amount_minor == 4_000
    twice = desk.send(page, item.id, **fields, account=company.taker.alias, amount="40.00")
    assert "asked for already" in _said(twice)


def _payee(company: factories.Cast, **changes: object) -> dict[str, object]:
    return {
        "origin": uuid7(),
        "partner": company.partner.pk,
        "alias": "Example Power",
        "name": "Example Power and Light",
        "iban": iban(7),
        "reason": "their contract",
        **changes,
    }


def test_a_payee_is_proposed_once_and_its_details_are_not_shown(company: factories.Cast) -> None:
    desk, page = seat(Role.FINANCE_OPERATOR), "transactions_registeredpayee_new_payee"
    fields = _payee(company)
    assert "check digits" in desk.send(page, **(fields | {"iban": "DE00"})).content.decode()
    for said in ("A second person must approve it", "already, and only once"):
        assert said in _said(desk.send(page, **fields))
    made = RegisteredPayee.objects.get()
    shown = desk.open("transactions_registeredpayee_change", made.pk).content.decode()
    assert iban(7) not in shown
    assert "Power and Light" not in shown


def test_a_registered_payee_is_changed_and_retired(company: factories.Cast) -> None:
    desk, payee = seat(Role.FINANCE_OPERATOR), factories.registered(company)
    page = "transactions_registeredpayee_change_details"
    fields = {"name": "Example", "iban": iban(8), "reason": "they wrote"}
    assert "old details stand" in _said(desk.send(page, payee.pk, **fields))
    assert PayeeChange.objects.get().payee_id == payee.pk
    desk.send("transactions_registeredpayee_retire", payee.pk, reason="contract ended")
    assert RegisteredPayee.objects.get().state == "retired"


def test_a_payout_goes_to_a_payee_of_the_same_partner(company: factories.Cast) -> None:
    desk, other = seat(Role.FINANCE_OPERATOR), factories.registered(factories.cast())
    answer = desk.send(
        "transactions_transfer_new_payout",
        origin=uuid7(),
        account=company.giver.public_id,
        amount="5",
        payee=other.public_id,
    )
    assert "not of theirs" in answer.content.decode()


def test_what_was_approved_in_vain_says_why_and_may_be_tried_again(
    company: factories.Cast,
) -> None:
    officer = seat(Role.COMPLIANCE_OFFICER)
    asked = Approval.objects.get(subject_ref=factories.manual_journal(company).audit_ref)
    factories.obstruct(asked)
    shown = officer.open("accounts_approval_change", asked.pk)
    assert "could not be carried out. The account is frozen" in shown.content.decode()
    offered = [one["path"] for one in shown.context["actions_detail"]]
    assert len(offered) == 1
    assert "retry" in offered[0]
    officer.send("accounts_approval_retry", asked.pk)
    assert Approval.objects.get(pk=asked.pk).try_at is not None
    assert "Approved in vain" in officer.open("index").content.decode()


def test_only_finance_asks_and_with_a_fresh_code(company: factories.Cast) -> None:
    payee, item = factories.registered(company), _stray()
    pages: dict[str, tuple[Any, ...]] = {
        SHEET: (),
        "transactions_suspenseposting_allocate": (item.id,),
        "transactions_registeredpayee_new_payee": (),
        "transactions_registeredpayee_change_details": (payee.pk,),
        "transactions_registeredpayee_retire": (payee.pk,),
    }
    auditor, finance = seat(Role.AUDITOR), seat(Role.FINANCE_OPERATOR)
    for page, keys in pages.items():
        assert auditor.open(page, *keys).status_code == 403, page
        assert auditor.send(page, *keys, reason="x").status_code == 403, page
    age_proofs(finance.client, seconds=301)
    for page, keys in pages.items():
        assert finance.open(page, *keys).status_code == 302, page
