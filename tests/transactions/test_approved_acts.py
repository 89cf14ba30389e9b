"""What was decided is carried out once, or says for everybody to see why it was not."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import connection
from django.utils import timezone

from accounts.acts import ACTS, Act, register_act
from accounts.errors import AlreadyDecided
from accounts.models import Approval
from accounts.roles import Role
from accounts.selectors.approvals import obstructed_approvals
from accounts.services.approvals import (
    ask,
    changes,
    decide_approval,
    retry_approval,
    withdraw_approval,
)
from accounts.states import ApprovalState, FreezeMode, Verdict
from audit.actors import Actor
from audit.errors import Fault
from audit.models import Entry
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.factories import Cast, committed
from transactions.errors import TooEarly
from transactions.models import Transfer
from transactions.rounds.approvals import CLERK, carry_out_approvals
from transactions.services.freezes import freeze_account
from transactions.services.intake import RELEASE
from transactions.services.transfers import cancel_transfer, request_transfer
from transactions.states import TransferState

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("worker")]


@pytest.fixture
def cast() -> Cast:
    """A partner with money; nothing of another test is due."""
    carry_out_approvals()
    return factories.cast()


@pytest.fixture
def release() -> Iterator[Act]:
    """The registered act of a payout, put back afterwards."""
    act = ACTS[RELEASE]
    yield act
    ACTS[RELEASE] = act


@factories.set_up
def asked_by(maker: Actor, *, company: Cast) -> Transfer:
    """Return a payout that staff asked for."""
    return request_transfer(
        actor=maker, order=factories.staff_order(company), origin=factories.origin()
    )


@factories.set_up
def decide(about: Transfer, *, verdict: Verdict = Verdict.APPROVE) -> Approval:
    """Let a second person decide."""
    assert about.approval is not None
    return decide_approval(
        actor=factories.colleague(),
        approval_id=about.approval.pk,
        verdict=verdict,
        reason="looked at it",
        shown_hash=about.approval.payload_hash,
    )


@factories.set_up
def freeze(company: Cast) -> None:
    """Freeze the giver."""
    freeze_account(
        actor=factories.colleague(),
        account_id=company.giver.pk,
        mode=FreezeMode.ALL,
        reason="sanctions",
        legal_reference="L-1",
    )


def again(about: Transfer) -> Approval:
    """Read a payout's request."""
    assert about.approval_id is not None
    return Approval.objects.get(pk=about.approval_id)


def test_the_clerk_carries_out_what_was_approved_in_the_trace_of_what_asked(cast: Cast) -> None:
    asked = factories.payout(cast, state=TransferState.AWAITING_APPROVAL)
    decide(asked)
    assert carry_out_approvals() == 1
    used = again(asked)
    assert (used.state, used.try_at, used.obstacle) == (ApprovalState.USED, None, "")
    entry = Entry.objects.get(target_ref=asked.audit_ref, action="transfer.released")
    assert (entry.actor_ref, entry.trace_id) == (CLERK.ref, asked.trace_id)
    assert carry_out_approvals() == 0
    assert_books_hold()


def test_a_rejection_is_carried_out_once(cast: Cast) -> None:
    asked = factories.payout(cast, state=TransferState.AWAITING_APPROVAL)
    decide(asked, verdict=Verdict.REJECT)
    assert [carry_out_approvals() for _ in range(2)] == [1, 0]
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR, 0)
    assert_books_hold()


def test_what_is_refused_for_good_stays_to_be_seen_and_is_not_tried_again(cast: Cast) -> None:
    asked = factories.payout(cast, state=TransferState.AWAITING_APPROVAL)
    decide(asked)
    freeze(cast)
    assert carry_out_approvals() == 1
    stuck = again(asked)
    assert (stuck.state, stuck.obstacle) == (ApprovalState.APPROVED, "account_frozen")
    assert stuck.obstacle_facts == {"account": cast.giver.public_id}
    assert stuck in obstructed_approvals(limit=100)
    assert carry_out_approvals() == 0
    assert_books_hold()


def test_a_person_has_it_tried_again_and_it_is_checked_again(cast: Cast) -> None:
    asked = factories.payout(cast, state=TransferState.AWAITING_APPROVAL)
    decide(asked)
    freeze(cast)
    carry_out_approvals()
    finance = factories.colleague(Role.FINANCE_OPERATOR)
    factories.set_up(retry_approval)(actor=finance, approval_id=again(asked).pk)
    assert carry_out_approvals() == 1
    assert again(asked).obstacle == "account_frozen"
    assert Transfer.objects.get(pk=asked.pk).state == TransferState.AWAITING_APPROVAL


def test_nothing_is_tried_again_that_nothing_stood_in_the_way_of(cast: Cast) -> None:
    asked = factories.payout(cast, state=TransferState.AWAITING_APPROVAL)
    with pytest.raises(AlreadyDecided):
        factories.set_up(retry_approval)(actor=factories.colleague(), approval_id=again(asked).pk)


def test_what_was_approved_in_vain_is_taken_back_by_whoever_asked(cast: Cast) -> None:
    maker = factories.colleague(Role.FINANCE_OPERATOR)
    asked = asked_by(maker, company=cast)
    decide(asked)
    freeze(cast)
    carry_out_approvals()
    key = again(asked).pk
    with pytest.raises(AlreadyDecided):
        factories.set_up(withdraw_approval)(
            actor=factories.colleague(Role.FINANCE_OPERATOR), approval_id=key
        )
    factories.set_up(withdraw_approval)(actor=maker, approval_id=key)
    assert carry_out_approvals() == 1
    assert again(asked).state == ApprovalState.WITHDRAWN
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR, 0)
    assert_books_hold()


def test_what_may_pass_is_tried_again_by_itself(cast: Cast, release: Act) -> None:
    def not_yet(_: Actor, approval: Approval) -> None:
        raise TooEarly(ref=approval.audit_ref)

    asked = factories.payout(cast, state=TransferState.AWAITING_APPROVAL)
    decide(asked)
    register_act(RELEASE, yes=not_yet)
    carry_out_approvals()
    waits = again(asked)
    assert waits.obstacle == "too_early"
    assert waits.try_at is not None
    register_act(RELEASE, yes=release.yes, no=release.no)
    later = timezone.now() + timedelta(minutes=1)
    with patch("django.utils.timezone.now", return_value=later):
        assert carry_out_approvals() == 1
    assert again(asked).state == ApprovalState.USED
    assert again(asked).obstacle == ""


def test_a_fault_in_one_act_stops_no_other(cast: Cast, release: Act) -> None:
    poison, fine = (
        factories.payout(cast, state=TransferState.AWAITING_APPROVAL) for _ in range(2)
    )

    def fail_on_one(actor: Actor, approval: Approval) -> object:
        if approval.pk == poison.approval_id:
            raise ZeroDivisionError
        return release.yes(actor, approval)

    register_act(RELEASE, yes=fail_on_one)
    for asked in (poison, fine):
        decide(asked)
    carry_out_approvals()
    assert again(fine).state == ApprovalState.USED
    assert again(poison).obstacle == "internal"
    assert again(poison).try_at is not None
    assert carry_out_approvals() == 0


def test_of_two_workers_one_carries_it_out_and_the_other_leaves_no_mark(cast: Cast) -> None:
    asked = factories.payout(cast, state=TransferState.AWAITING_APPROVAL)
    decide(asked)

    def work(_: int) -> None:
        try:
            carry_out_approvals()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(work, range(4)))
    used = again(asked)
    assert (used.state, used.obstacle) == (ApprovalState.USED, "")
    released = Entry.objects.filter(target_ref=asked.audit_ref, action="transfer.released")
    assert released.count() == 1
    assert_books_hold()


def test_what_is_cancelled_between_decision_and_act_is_not_due_any_more(cast: Cast) -> None:
    asked = factories.payout(cast, state=TransferState.AWAITING_APPROVAL)
    decide(asked)
    factories.set_up(cancel_transfer)(actor=cast.actor, transfer_id=asked.pk)
    assert carry_out_approvals() == 0
    assert again(asked).state == ApprovalState.WITHDRAWN
    assert_books_hold()


def test_nobody_opens_a_request_that_could_not_be_carried_out(cast: Cast) -> None:
    with pytest.raises(Fault):
        ask(
            "transactions.give_away",
            actor=cast.actor,
            subject_ref="transfer:x",
            book_id=cast.partner.book_id,
            payload={},
        )


def test_the_lines_that_changed_are_named_as_shown_and_as_they_are() -> None:
    shown, now = {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 5, "d": 4}
    assert changes(shown, now) == {"b": [2, 5], "c": [3, None], "d": [None, 4]}
