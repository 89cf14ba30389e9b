"""A day's limit under a crowd: what rests on the first lock alone, for nobody checks it again."""

from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest
from pytest_django import DjangoDbBlocker

from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.conftest import STAGE
from tests.factories import Cast
from tests.races.crowd import at_once
from transactions.services.transfers import request_transfer
from transactions.states import LimitWindow

pytestmark = pytest.mark.role("api")
AT_ONCE = 24
EACH_MINOR = 10
WANTED = 6


@pytest.fixture(scope="module")
def cast(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Cast]:
    """A partner whose transactions really commit."""
    with django_db_blocker.unblock():
        STAGE.enter("api")
        yield factories.cast()
        STAGE.reclone()


def test_of_many_at_once_only_as_many_leave_as_the_days_limit_lets(cast: Cast) -> None:
    """Transfers and payouts by turns, all from one rich account."""
    purse = factories.account(cast.portfolio, holding_minor=AT_ONCE * EACH_MINOR)
    factories.limit(purse, window=LimitWindow.DAY, amount_max_minor=WANTED * EACH_MINOR)
    orders = [
        factories.order(purse, amount_minor=EACH_MINOR, to=cast.taker if number % 2 else None)
        for number in range(AT_ONCE)
    ]
    said = at_once(
        [
            partial(request_transfer, actor=cast.actor, order=order, origin=factories.origin())
            for order in orders
        ]
    )
    assert Counter(said) == {"done": WANTED, "limit_exceeded": AT_ONCE - WANTED}
    posted, reserved = stands_at(purse.pk)
    assert posted - reserved == (AT_ONCE - WANTED) * EACH_MINOR
    assert_books_hold()
