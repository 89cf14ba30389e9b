"""Holds as a state machine: in whatever order things happen, a plain model and the books agree."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from audit.errors import Refusal
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.factories import committed
from transactions.models import Hold
from transactions.services.holds import capture_hold, void_hold
from transactions.services.transfers import request_transfer

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("api")]
PURSE_MINOR = 1_000
AMOUNTS = st.integers(1, 600)


def said(act: Callable[[], object]) -> str:
    """Act, and return the code of the refusal, or `done`."""
    try:
        act()
    except Refusal as refused:
        return refused.code
    return "done"


class Holds(RuleBasedStateMachine):
    """One purse, holds on it, and transfers that compete with them for its money."""

    held = Bundle("held")

    def __init__(self) -> None:
        """Open a purse; the model is what has left it, and of each hold [left, captured]."""
        super().__init__()
        self.cast = factories.cast(holding_minor=PURSE_MINOR)
        self.sent = 0
        self.left: dict[Hold, int] = {}
        self.captured: dict[Hold, int] = {}

    @property
    def available(self) -> int:
        """Return what the model says may be spent."""
        gone = self.sent + sum(self.captured.values())
        return PURSE_MINOR - gone - sum(self.left.values())

    @rule(target=held, amount=AMOUNTS)
    def place(self, amount: int) -> Any:
        """Hold money: as much as is available, and no more."""
        made: list[Hold] = []
        told = said(lambda: made.append(factories.hold(self.cast, amount_minor=amount)))
        assert told == ("done" if amount <= self.available else "insufficient_funds")
        for each in made:
            self.left[each], self.captured[each] = amount, 0
        return multiple(*made)

    @rule(on=held, amount=st.none() | AMOUNTS, is_final=st.booleans())
    def capture(self, on: Hold, amount: int | None, *, is_final: bool) -> None:
        """Capture a part or all: as much as is left, and nothing of what has ended."""
        left = self.left[on]
        wanted = left if amount is None else amount
        told = said(
            lambda: capture_hold(
                actor=self.cast.actor,
                hold_id=on.pk,
                origin=factories.origin(),
                amount_minor=amount,
                is_final=is_final,
            )
        )
        if not left:
            assert told == "wrong_state"
        elif wanted > left:
            assert told == "hold_exceeded"
        else:
            assert told == "done"
            self.captured[on] += wanted
            self.left[on] = 0 if is_final else left - wanted

    @rule(on=held)
    def void(self, on: Hold) -> None:
        """Give back what is left, once."""
        told = said(lambda: void_hold(actor=self.cast.actor, hold_id=on.pk))
        assert told == ("done" if self.left[on] else "wrong_state")
        self.left[on] = 0

    @rule(amount=AMOUNTS)
    def send(self, amount: int) -> None:
        """Send what is available, never what is held."""
        order = factories.order(self.cast.giver, amount_minor=amount, to=self.cast.taker)
        is_enough = amount <= self.available
        told = said(
            lambda: request_transfer(actor=self.cast.actor, order=order, origin=factories.origin())
        )
        assert told == ("done" if is_enough else "insufficient_funds")
        self.sent += amount * is_enough

    @invariant()
    def books_and_model_agree(self) -> None:
        """Compare balances, and each hold."""
        posted, pending = stands_at(self.cast.giver.pk)
        reserved = sum(self.left.values())
        assert (posted, pending) == (self.available + reserved, reserved)
        for row in Hold.objects.filter(pk__in=[each.pk for each in self.left]):
            assert (row.remaining_minor, row.captured_minor) == (
                self.left[row],
                self.captured[row],
            )

    def teardown(self) -> None:
        """Recompute everything from rows."""
        assert_books_hold()


def run(*, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Holds,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_short_holds_agree_with_a_plain_model() -> None:
    run(examples=4, steps=15)


@pytest.mark.full
def test_t59_holds_agree_with_a_plain_model_many_times() -> None:
    run(examples=60, steps=40)
