"""A worker killed where the clock's work is done: nothing is released, moved or told twice."""

from collections import Counter

import pytest

from accounts.models import Letter
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.faults.conftest import run_in_child
from transactions.models import Hold, Transfer
from transactions.rounds.holds import expire_holds
from transactions.rounds.schedules import execute_scheduled
from transactions.states import HoldState, TransferState

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.role("worker")]
KILLED = -9


def work() -> None:
    """Do what beat asks for."""
    expire_holds()
    execute_scheduled()


@pytest.mark.parametrize(
    "failpoint",
    [
        "hold.expire.before",
        "hold.expire.after",
        "schedule.execute.before",
        "schedule.execute.after",
    ],
)
def test_what_the_clock_began_is_finished_once(failpoint: str) -> None:
    cast = factories.cast()
    held = [factories.expired_hold(cast) for _ in range(2)]
    order = factories.order(cast.giver, amount_minor=500, to=cast.taker)
    waiting = [factories.scheduled(cast, order) for _ in range(2)]
    factories.pass_by(waiting[-1].execute_at)
    assert run_in_child(work, failpoint=failpoint) == KILLED
    assert run_in_child(work) == 0
    assert run_in_child(work) == 0
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR - 1_000, 0)
    assert {each.state for each in Hold.objects.all()} == {HoldState.EXPIRED}
    assert {each.state for each in Transfer.objects.all()} == {TransferState.SETTLED}
    told = Counter(Letter.objects.values_list("type", flat=True))
    assert told["hold.expired"] == len(held)
    assert told["transfer.settled"] == len(waiting)
    assert_books_hold()
