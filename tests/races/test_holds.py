"""Two at once on one hold: what is left of it goes one way only, whoever comes first."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.conftest import STAGE
from tests.factories import Cast
from tests.races.crowd import SECONDS_MAX, at_once
from transactions.models import Hold
from transactions.services.holds import capture_hold, expire_hold, void_hold
from transactions.states import HoldState

pytestmark = pytest.mark.role("api")
ROUNDS = 6
EACH_MINOR = 1_000
Act = Callable[[], object]


@pytest.fixture(scope="module")
def cast(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Cast]:
    """A partner whose transactions really commit."""
    with django_db_blocker.unblock():
        STAGE.enter("api")
        yield factories.cast()
        STAGE.reclone()


def capture(held: Hold, *, cast: Cast, amount_minor: int | None = None) -> Act:
    return lambda: capture_hold(
        actor=cast.actor, hold_id=held.pk, origin=factories.origin(), amount_minor=amount_minor
    )


def void(held: Hold, *, cast: Cast) -> Act:
    return lambda: void_hold(actor=cast.actor, hold_id=held.pk)


def expire(held: Hold) -> Act:
    return lambda: expire_hold(actor=factories.SYSTEM, hold_id=held.pk)


def test_of_two_captures_of_all_that_is_left_one_moves_it(cast: Cast) -> None:
    before = stands_at(cast.giver.pk)
    for _ in range(ROUNDS):
        said = at_once([capture(factories.hold(cast), cast=cast)] * 2)
        assert sorted(said) == ["done", "wrong_state"]
    posted, pending = before
    assert stands_at(cast.giver.pk) == (posted - ROUNDS * EACH_MINOR, pending)
    assert_books_hold()


def test_captures_of_more_than_there_is_stop_where_it_ends(cast: Cast) -> None:
    held = factories.hold(cast)
    said = at_once([capture(held, cast=cast, amount_minor=300)] * 8)
    assert Counter(said) == {"done": 3, "hold_exceeded": 5}
    held.refresh_from_db()
    assert (held.captured_minor, held.remaining_minor) == (900, 100)
    assert_books_hold()


def test_a_capture_and_a_void_never_both_take_the_same_money(cast: Cast) -> None:
    for _ in range(ROUNDS):
        held = factories.hold(cast)
        said = at_once([capture(held, cast=cast), void(held, cast=cast)])
        assert sorted(said) == ["done", "wrong_state"]
        held.refresh_from_db()
        ended = {HoldState.POSTED: 0, HoldState.VOIDED: 1}[HoldState(held.state)]
        assert said[ended] == "done"
        assert held.captured_minor + held.released_minor == EACH_MINOR
    assert_books_hold()


def test_capture_void_and_expiry_of_a_hold_whose_time_is_up_release_it_once(cast: Cast) -> None:
    before = stands_at(cast.giver.pk)
    for _ in range(ROUNDS):
        held = factories.expired_hold(cast)
        said = at_once(
            [capture(held, cast=cast), void(held, cast=cast), expire(held), expire(held)]
        )
        assert said.count("done") == 1
        assert said[0] != "done"
        held.refresh_from_db()
        assert (held.captured_minor, held.released_minor) == (0, EACH_MINOR)
    assert stands_at(cast.giver.pk) == before
    assert_books_hold()


def test_control_without_its_row_lock_a_hold_would_be_captured_twice(cast: Cast) -> None:
    """What the defence is for: two that looked before either wrote."""
    with STAGE.as_role("migrator"), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE naive_hold (left_minor bigint, moved bigint)")
        cursor.execute("INSERT INTO naive_hold VALUES (%s, 0)", [EACH_MINOR])
        cursor.execute("GRANT SELECT, UPDATE ON naive_hold TO cs_api")
    looked = threading.Barrier(2)

    def take() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT left_minor FROM naive_hold")
            (left,) = cursor.fetchone()
            looked.wait(timeout=SECONDS_MAX)
            cursor.execute("UPDATE naive_hold SET left_minor = 0, moved = moved + %s", [left])

    at_once([take, take])
    with connection.cursor() as cursor:
        cursor.execute("SELECT moved FROM naive_hold")
        assert cursor.fetchone()[0] == 2 * EACH_MINOR
