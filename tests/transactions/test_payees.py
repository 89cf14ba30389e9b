"""Whom money may go to: two people sign each detail, the database lets it cool, and only then."""

from collections.abc import Iterator

import pytest
from django.db import DatabaseError
from django.utils import timezone

from accounts.crypto.blind import blind_index
from accounts.errors import AlreadyAsked, NameTaken, OwnRequest, StaleApproval
from accounts.models import Approval
from accounts.roles import Role
from accounts.services.approvals import withdraw_approval
from accounts.states import ApprovalState, PayeePolicy, Verdict
from audit.errors import Invalid, NotFound
from audit.typeids import uuid7
from tests import factories
from tests.books import assert_books_hold
from tests.conftest import STAGE
from tests.factories import Cast, committed
from tests.four_eyes import carry_out, commit, decide, outcomes
from transactions.errors import PayeeCooling, PayeeNotRegistered, WrongState
from transactions.models import PayeeChange, RegisteredPayee, Transfer
from transactions.orders import Payee
from transactions.rounds.approvals import CLERK, carry_out_approvals
from transactions.selectors.payees import details_of, payee_note
from transactions.services.dispatching import release_transfer
from transactions.services.payees import (
    activate_payee,
    change_payee,
    propose_payee,
    propose_payee_change,
    retire_payee,
)
from transactions.services.transfers import request_transfer
from transactions.states import PayeeState, TransferState

__all__ = ["committed"]
pytestmark = pytest.mark.usefixtures("committed")
FINANCE = factories.colleague(Role.FINANCE_OPERATOR)
DAY_HOURS = 24


@pytest.fixture(scope="module", autouse=True)
def _books(committed: None) -> Iterator[None]:
    """Recompute the books after all of it, the forgeries included."""
    yield
    assert_books_hold()


@pytest.fixture
def cast() -> Cast:
    """A partner with money."""
    return factories.cast()


def again(payee: RegisteredPayee) -> RegisteredPayee:
    """Read a payee as it stands."""
    return RegisteredPayee.objects.select_related("iban", "name").get(pk=payee.pk)


def changed(payee: RegisteredPayee, details: Payee) -> PayeeChange:
    """Return a change of bank details that waits for a second person."""
    return propose_payee_change(
        actor=FINANCE, payee_id=payee.pk, details=details, reason="they wrote to us"
    )


def pay(company: Cast, details: Payee, *, by: str = "partner") -> Transfer:
    """Ask for a small payout, as the partner or as staff."""
    return request_transfer(
        actor=company.actor if by == "partner" else FINANCE,
        order=factories.order(company.giver, payee=details),
        origin=factories.origin(),
    )


def test_a_payee_is_registered_by_two_people_and_cools(cast: Cast) -> None:
    details = factories.somebody()
    factories.payee_policy(cast, cooling_hours=DAY_HOURS)
    asked = factories.proposed_payee(cast, details=details, by=FINANCE)
    with pytest.raises(OwnRequest):
        decide(asked, by=factories.colleague(person_id=FINANCE.person_id))
    assert carry_out(asked).state == ApprovalState.USED
    payee = RegisteredPayee.objects.get(pk=asked.subject_id)
    assert payee.state == PayeeState.ACTIVE
    assert payee.payable_from is not None
    hours = (payee.payable_from - timezone.now()).total_seconds() / 3600
    assert 23.9 < hours <= DAY_HOURS
    assert details_of(payee) == details
    assert details.iban not in str(asked.payload)


def test_a_rejected_payee_stays_on_record_and_its_iban_is_free(cast: Cast) -> None:
    details = factories.somebody()
    asked = factories.proposed_payee(cast, details=details)
    carry_out(asked, verdict=Verdict.REJECT)
    assert RegisteredPayee.objects.get(pk=asked.subject_id).state == PayeeState.DECLINED
    carry_out(factories.proposed_payee(cast, details=details))


def test_an_iban_is_registered_once_a_book(cast: Cast) -> None:
    details = factories.somebody()
    factories.registered(cast, details=details)
    with pytest.raises(NameTaken):
        propose_payee(
            actor=FINANCE,
            payee_id=uuid7(),
            partner_id=cast.partner.pk,
            alias="the same under another name",
            details=details,
            reason="x",
        )
    factories.registered(factories.cast(), details=details)


def test_changed_details_need_a_second_person_and_cool_again(cast: Cast) -> None:
    old, new = factories.somebody(), factories.somebody()
    payee = factories.registered(cast, details=old)
    factories.payee_policy(cast, PayeePolicy.REGISTERED, cooling_hours=DAY_HOURS)
    assert pay(cast, old).state == TransferState.ACCEPTED
    change = changed(payee, new)
    with pytest.raises(AlreadyAsked):
        changed(payee, factories.somebody())
    assert details_of(again(payee)) == old
    carry_out(change.approval)
    assert (details_of(again(payee)), again(payee).version) == (new, 2)
    with pytest.raises(PayeeCooling) as cooling:
        pay(cast, new)
    assert cooling.value.transient
    with pytest.raises(PayeeNotRegistered):
        pay(cast, old)


def test_a_retired_payee_is_paid_no_more_and_not_changed(cast: Cast) -> None:
    details = factories.somebody()
    payee = factories.registered(cast, details=details)
    assert pay(cast, details, by="staff").state == TransferState.AWAITING_APPROVAL
    waiting = changed(payee, factories.somebody())
    retire_payee(actor=FINANCE, payee_id=payee.pk, reason="contract ended")
    with pytest.raises(PayeeNotRegistered):
        pay(cast, details, by="staff")
    with pytest.raises(WrongState):
        changed(payee, factories.somebody())
    assert carry_out(waiting.approval).obstacle == "wrong_state"


def test_no_reason_no_payee(cast: Cast) -> None:
    payee = factories.registered(cast)
    with pytest.raises(Invalid):
        propose_payee_change(
            actor=FINANCE, payee_id=payee.pk, details=factories.somebody(), reason=" "
        )


# -- what the register means for a payout -----------------------------------------------------


def test_staff_pay_registered_payees_only_whatever_the_partners_policy(cast: Cast) -> None:
    with pytest.raises(PayeeNotRegistered):
        pay(cast, factories.somebody(), by="staff")
    young = factories.somebody()
    factories.registered(cast, details=young, cooling_hours=DAY_HOURS)
    with pytest.raises(PayeeCooling):
        pay(cast, young, by="staff")


def test_a_partner_with_the_signed_policy_waits_for_whom_we_do_not_know(cast: Cast) -> None:
    known, unknown = factories.somebody(), factories.somebody()
    factories.registered(cast, details=known)
    factories.payee_policy(cast, PayeePolicy.SIGNED)
    assert pay(cast, known).state == TransferState.ACCEPTED
    waits = pay(cast, unknown)
    assert waits.state == TransferState.AWAITING_APPROVAL
    assert waits.approval is not None
    said = waits.approval.payload["payee_note"]
    assert said == "not registered; first payment to this payee"
    assert payee_note(pay(cast, unknown)) == "not registered"


def test_a_partner_without_a_policy_pays_anybody(cast: Cast) -> None:
    assert pay(cast, factories.somebody()).state == TransferState.ACCEPTED


def test_a_checker_reads_when_bank_details_changed(cast: Cast) -> None:
    new = factories.somebody()
    payee = factories.registered(cast)
    carry_out(changed(payee, new).approval)
    waits = pay(cast, new, by="staff")
    assert waits.approval is not None
    assert "bank details changed on" in waits.approval.payload["payee_note"]


def test_a_payee_changed_after_the_approval_makes_it_stale(cast: Cast) -> None:
    details = factories.somebody()
    payee = factories.registered(cast, details=details)
    waits = pay(cast, details, by="staff")
    assert waits.approval is not None
    decide(waits.approval)
    retire_payee(actor=FINANCE, payee_id=payee.pk, reason="contract ended")
    with STAGE.as_role("worker"), pytest.raises(StaleApproval) as stale:
        release_transfer(actor=factories.SYSTEM, transfer_id=waits.pk)
    assert stale.value.changed["payee_note"][0] == f"registered as {payee.alias}"


def test_one_iban_has_another_index_in_another_book() -> None:
    iban = factories.somebody().iban
    one, other = (blind_index(iban, label="iban", book_id=uuid7()) for _ in range(2))
    assert one != other
    assert iban not in one


# -- ways round the second person -------------------------------------------------------------


def test_an_approval_of_another_act_registers_and_changes_nothing(cast: Cast) -> None:
    asked = factories.proposed_payee(cast)
    change = changed(factories.registered(cast), factories.somebody())
    for approval in (asked, change.approval):
        decide(approval)
    with STAGE.as_role("worker"):
        with pytest.raises(NotFound):
            activate_payee(actor=CLERK, approval_id=change.approval_id)
        with pytest.raises(NotFound):
            change_payee(actor=CLERK, approval_id=asked.pk)
        carry_out_approvals()


def test_of_many_workers_at_once_one_changes_the_details(cast: Cast) -> None:
    payee = factories.registered(cast)
    change = changed(payee, factories.somebody())
    decide(change.approval)
    with STAGE.as_role("worker"):
        said = outcomes(lambda: change_payee(actor=CLERK, approval_id=change.approval_id))
    assert said == ["already_decided"] * 3 + ["done"]
    assert again(payee).version == 2


def test_a_withdrawn_change_is_not_carried_out(cast: Cast) -> None:
    payee = factories.registered(cast)
    change = changed(payee, factories.somebody())
    withdraw_approval(actor=FINANCE, approval_id=change.approval_id)
    with STAGE.as_role("worker"):
        carry_out_approvals()
    assert again(payee).version == 1
    assert Approval.objects.get(pk=change.approval_id).try_at is None


FORGERIES = {
    "pay somebody else": "iban_blind = repeat('0', 64)",
    "swap the vault's record": "iban_id = name_id",
    "count up": "version = version + 1",
    "cool no more": "payable_from = now() - interval '1 day'",
    "change hands": "alias = 'x'",
    "come back": "state = 'proposed'",
}


@pytest.mark.parametrize("role", ["admin", "worker"])
def test_no_login_changes_a_payee_by_itself(cast: Cast, role: str) -> None:
    payee = factories.registered(cast, cooling_hours=DAY_HOURS)
    with STAGE.as_role(role):
        for forgery in FORGERIES.values():
            statement = f"UPDATE transactions_registeredpayee SET {forgery} WHERE id = %s"
            with pytest.raises(DatabaseError, match=r"payee_\w+"):
                commit(statement, payee.pk)


@pytest.mark.parametrize("role", ["admin", "worker"])
def test_no_login_registers_a_payee_by_itself(cast: Cast, role: str) -> None:
    asked = factories.proposed_payee(cast)
    decide(asked)
    statement = "UPDATE transactions_registeredpayee SET state = 'active' WHERE id = %s"
    with STAGE.as_role(role), pytest.raises(DatabaseError, match="payee_signed"):
        commit(statement, asked.subject_id)
    with STAGE.as_role("worker"):
        carry_out_approvals()


def test_an_old_signature_does_not_bring_old_details_back(cast: Cast) -> None:
    payee = factories.registered(cast)
    first = changed(payee, factories.somebody())
    carry_out(first.approval)
    carry_out(changed(payee, factories.somebody()).approval)
    statement = (
        "UPDATE transactions_registeredpayee AS p SET name_id = c.name_id, iban_id = c.iban_id,"
        " iban_blind = c.iban_blind, version = p.version + %s"
        " FROM transactions_payeechange AS c WHERE c.payee_id = p.id AND c.id = %s"
    )
    for step in (0, 1, -1):
        with STAGE.as_role("worker"), pytest.raises(DatabaseError, match="payee_signed"):
            commit(statement, step, first.pk)
    assert again(payee).version == 3


def test_a_proposed_change_is_never_edited(cast: Cast) -> None:
    change = changed(factories.registered(cast), factories.somebody())
    statement = "UPDATE transactions_payeechange SET iban_id = name_id WHERE id = %s"
    for role in ("admin", "worker", "migrator"):
        with (
            STAGE.as_role(role),
            pytest.raises(DatabaseError, match=r"permission denied|proposal_fixed"),
        ):
            commit(statement, change.pk)
