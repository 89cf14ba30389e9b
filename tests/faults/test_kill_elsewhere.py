"""T02 off the worker's scene: killed at the clock's work, at the door, and at a refused act.

All of it in the short form once, in the full form five times.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import pytest

from accounts.models import Approval, Letter
from accounts.states import ApprovalState, FreezeMode
from audit.models import Entry
from integrations.models import Callback
from integrations.rounds.callbacks import drain_inbox
from integrations.states import CallbackState
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.faults.conftest import KILLED, Doubles, run_in_child
from tests.faults.scene import set_the_scene, tell_stories
from tests.faults.test_exactly_once import post_all
from transactions.models import Hold, Journal, Transfer
from transactions.rounds.approvals import carry_out_approvals
from transactions.rounds.holds import expire_holds
from transactions.rounds.schedules import execute_scheduled
from transactions.services.freezes import freeze_account
from transactions.states import HoldState, TransferState

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.role("worker")]
CLOCK = ("hold.expire", "schedule.execute")
DOOR = ("inbox.store",)
OBSTACLE = ("approval.obstacle",)
KILLED_AT = (*CLOCK, *DOOR, *OBSTACLE)
five_times = pytest.mark.parametrize(
    "round_", [0, *(pytest.param(number, marks=pytest.mark.full) for number in range(1, 5))]
)
As = Callable[[str], AbstractContextManager[None]]


def before_and_after(*names: str) -> pytest.MarkDecorator:
    """Kill on either side of each of these writes."""
    places = [f"{name}.{side}" for name in names for side in ("before", "after")]
    return pytest.mark.parametrize("failpoint", places)


def work_by_the_clock() -> None:
    """Do what beat asks for."""
    expire_holds()
    execute_scheduled()


@five_times
@before_and_after(*CLOCK)
def test_t02_what_the_clock_began_is_finished_once(failpoint: str, round_: int) -> None:
    cast = factories.cast()
    held = [factories.expired_hold(cast) for _ in range(2)]
    order = factories.order(cast.giver, amount_minor=500, to=cast.taker)
    waiting = [factories.scheduled(cast, order) for _ in range(2)]
    factories.pass_by(waiting[-1].execute_at)
    assert run_in_child(work_by_the_clock, failpoint=failpoint) == KILLED
    assert run_in_child(work_by_the_clock) == 0
    assert run_in_child(work_by_the_clock) == 0
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR - 1_000, 0)
    assert {each.state for each in Hold.objects.all()} == {HoldState.EXPIRED}
    assert {each.state for each in Transfer.objects.all()} == {TransferState.SETTLED}
    told = Counter(Letter.objects.values_list("type", flat=True))
    assert told["hold.expired"] == len(held)
    assert told["transfer.settled"] == len(waiting)
    assert_books_hold()


@five_times
@before_and_after(*DOOR)
def test_t02_a_callback_that_killed_the_door_comes_again_and_counts_once(
    failpoint: str, round_: int, outside: Doubles, as_role: As
) -> None:
    with as_role("migrator"):
        scene = set_the_scene()
    told = tell_stories(scene, "plain_charge")
    outside.stripe.knows(told)
    before = Journal.objects.count()
    with as_role("callbacks"):
        assert run_in_child(partial(post_all, told), failpoint=failpoint) == KILLED
        assert set(post_all(told)) == {200}  # it was not answered, so it is sent again
    drain_inbox()
    assert Counter(Callback.objects.values_list("event_id", flat=True)) == {
        each.event_id: 1 for each in told
    }
    assert set(Callback.objects.values_list("state", flat=True)) == {CallbackState.PROCESSED}
    assert Journal.objects.count() == before + 1
    assert_books_hold()


@five_times
@before_and_after(*OBSTACLE)
def test_t02_what_stands_in_an_acts_way_is_noted_once(failpoint: str, round_: int) -> None:
    cast = factories.cast()
    asked = factories.payout(cast, state=TransferState.AWAITING_APPROVAL)
    assert asked.approval is not None
    factories.signed(asked.approval)
    freeze(cast)
    assert run_in_child(carry_out_approvals, failpoint=failpoint) == KILLED
    for _ in range(2):
        assert run_in_child(carry_out_approvals) == 0
    stuck = Approval.objects.get(pk=asked.approval.pk)
    assert (stuck.state, stuck.obstacle) == (ApprovalState.APPROVED, "account_frozen")
    assert stuck.try_at is None
    assert times_noted() == 1
    assert Transfer.objects.get(pk=asked.pk).state == TransferState.AWAITING_APPROVAL
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR, asked.amount_minor)
    assert_books_hold()


@factories.set_up
def freeze(company: factories.Cast) -> None:
    """Stop the giver's money."""
    freeze_account(
        actor=factories.colleague(),
        account_id=company.giver.pk,
        mode=FreezeMode.DEBITS,
        reason="order",
        legal_reference="12 C 3/26",
    )


@factories.set_up
def times_noted() -> int:
    """Return how often an obstacle was written down."""
    return Entry.objects.filter(action="approval.obstructed").count()
