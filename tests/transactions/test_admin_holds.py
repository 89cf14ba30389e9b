"""Holds and reversals on the staff's pages: what is left, and taking back by two people."""

import pytest

from accounts.roles import Role
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.conftest import STAGE
from tests.desk import seat
from transactions.models import Hold, Transfer
from transactions.rounds.approvals import carry_out_approvals
from transactions.services.holds import capture_hold
from transactions.services.reversals import reverse_transfer

pytestmark = pytest.mark.django_db(transaction=True)


@factories.set_up
def part_captured(company: factories.Cast) -> Hold:
    """Return a hold of ten euros of which four were captured."""
    held = factories.hold(company, reference="room 12")
    return capture_hold(
        actor=company.actor, hold_id=held.pk, origin=factories.origin(), amount_minor=400
    )


@factories.set_up
def part_reversed(company: factories.Cast) -> Transfer:
    """Return a transfer of ten euros of which three went back."""
    moved = factories.internal(company)
    return reverse_transfer(
        actor=company.actor,
        transfer_id=moved.pk,
        origin=factories.origin(),
        reason="broken",
        amount_minor=300,
    )


def test_a_hold_shows_what_was_captured_and_what_is_left() -> None:
    held, desk = part_captured(factories.cast()), seat(Role.AUDITOR)
    for page in (
        desk.open("transactions_hold_changelist", q="room 12"),
        desk.open("transactions_hold_change", held.pk),
    ):
        text = page.content.decode()
        assert "4.00 EUR captured, 6.00 EUR reserved" in text
        assert '<rect class="cs-bar-gone" x="0" y="0" width="64" height="8">' in text
    assert "Hold capture" in text
    assert "/hold/" in desk.open("transactions_journal_changelist").content.decode()


def test_a_transfer_shows_its_reversals_beside_the_original() -> None:
    moved, desk = part_reversed(factories.cast()), seat(Role.AUDITOR)
    text = desk.open("transactions_transfer_change", moved.pk).content.decode()
    assert text.index(">Internal</a>") < text.index(">Reversal</a>")
    assert "7.00 EUR stays there, 3.00 EUR went back" in text
    original = moved.audit_ref
    found = desk.open("transactions_journal_changelist", q=original).context["cl"].result_list
    back, first = found
    assert ">Reversal</a>" in desk.open("transactions_journal_change", first.pk).content.decode()
    undoing = desk.open("transactions_journal_change", back.pk).content.decode()
    assert f"/admin/transactions/journal/{first.pk}/change/" in undoing


def test_finance_asks_and_another_person_lets_it_go_back() -> None:
    company = factories.cast()
    moved = part_reversed(company)
    finance, officer = seat(Role.FINANCE_OPERATOR), seat(Role.COMPLIANCE_OFFICER)
    form = finance.open("transactions_transfer_reverse", moved.pk).content.decode()
    assert 'value="7.00"' in form
    for wrong in ("8.00", "1.234", "0"):
        page = finance.send(
            "transactions_transfer_reverse", moved.pk, amount=wrong, reason="complaint"
        )
        assert "done." not in page.content.decode()
    page = finance.send("transactions_transfer_reverse", moved.pk, amount="2.50", reason="again")
    assert "2.50 EUR" in page.content.decode()
    (asked,) = page.context["original"].__dict__["asked_back"]
    assert stands_at(company.taker.pk) == (700, 0)
    officer.send(
        "accounts_approval_approve", asked.pk, shown_hash=asked.payload_hash, reason="looked"
    )
    with STAGE.as_role("worker"):
        carry_out_approvals()
    assert stands_at(company.taker.pk) == (450, 0)
    assert_books_hold()


@pytest.mark.parametrize("role", [Role.COMPLIANCE_OFFICER, Role.AUDITOR])
def test_nobody_else_may_ask_for_a_reversal(role: Role) -> None:
    moved, desk = part_reversed(factories.cast()), seat(role)
    assert desk.open("transactions_transfer_reverse", moved.pk).status_code == 403


def test_what_cannot_go_back_is_not_offered_to_go_back() -> None:
    company, desk = factories.cast(), seat(Role.FINANCE_OPERATOR)
    paid = factories.payout(company)
    said = desk.open("transactions_transfer_change", paid.pk).content.decode()
    assert f"/transfer/{paid.pk}/reverse" not in said
    moved = part_reversed(company)
    said = desk.open("transactions_transfer_change", moved.pk).content.decode()
    assert f"/transfer/{moved.pk}/reverse" in said
