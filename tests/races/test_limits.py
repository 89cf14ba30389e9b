"""Sixteen spend a partner's money at once: its limit is never passed, and is used to the end."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from accounts.models import Account
from tests import factories
from tests.books import assert_books_hold
from tests.conftest import STAGE
from tests.factories import Cast
from tests.logins import Lines
from tests.races.crowd import at_once
from transactions.errors import LimitExceeded
from transactions.models import Transfer
from transactions.services.holds import void_hold
from transactions.services.limits import set_limit
from transactions.services.transfers import request_transfer
from transactions.states import LimitWindow

pytestmark = pytest.mark.role("api")
SPENDERS = 16
EACH = 8
AMOUNT_MINOR = 7
Act = Callable[[], object]


@pytest.fixture(scope="module", autouse=True)
def really(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let transactions really commit."""
    with django_db_blocker.unblock():
        STAGE.enter("api")
        yield
        STAGE.reclone()


@pytest.fixture(autouse=True)
def decided_in_time(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nobody decides on an old reading: the database's own check refuses nothing."""
    yield
    late = [each.message for each in caplog.get_records("call") if "limit_kept" in each.message]
    assert late == []


@pytest.fixture
def cast() -> Cast:
    """A partner of its own for each test."""
    return factories.cast()


def purses(cast: Cast) -> list[Account]:
    """Return an account for each spender, so that only the partner's limit is between them."""
    return [factories.account(cast.portfolio) for _ in range(SPENDERS)]


def spend(cast: Cast, *, purse: Account, times: int = EACH) -> Act:
    """Return an act that asks again and again, inside and out, whatever it is told."""

    def act() -> None:
        for number in range(times):
            to = cast.taker if number % 2 else None
            order = factories.order(purse, amount_minor=AMOUNT_MINOR, to=to)
            with suppress(LimitExceeded):
                request_transfer(actor=cast.actor, order=order, origin=factories.origin())

    return act


def sent(cast: Cast) -> int:
    """Return how many transfers were taken of a partner."""
    return Transfer.objects.filter(book_id=cast.partner.book_id).count()


@pytest.mark.parametrize("windows", [[LimitWindow.DAY], [LimitWindow.DAY, LimitWindow.DAYS_30]])
def test_a_partners_limit_by_amount_is_reached_and_never_passed(
    cast: Cast, windows: list[LimitWindow]
) -> None:
    allowed = SPENDERS * EACH * 3 // 4
    for window in windows:
        factories.limit(
            cast.partner, window=window, amount_max_minor=allowed * AMOUNT_MINOR + AMOUNT_MINOR - 1
        )
    said = at_once([spend(cast, purse=purse) for purse in purses(cast)])
    assert said == ["done"] * SPENDERS
    assert sent(cast) == allowed
    assert_books_hold()


@pytest.mark.parametrize("allowed", [5, 100])
def test_a_partners_limit_by_count_is_reached_and_never_passed(cast: Cast, allowed: int) -> None:
    factories.limit(cast.partner, window=LimitWindow.DAY, count_max=allowed)
    said = at_once([spend(cast, purse=purse) for purse in purses(cast)])
    assert said == ["done"] * SPENDERS
    assert sent(cast) == allowed
    assert_books_hold()


def test_an_accounts_limit_by_count_is_reached_and_never_passed(cast: Cast) -> None:
    factories.limit(cast.giver, window=LimitWindow.DAY, count_max=20)
    said = at_once([spend(cast, purse=cast.giver, times=3)] * SPENDERS)
    assert said == ["done"] * SPENDERS
    assert sent(cast) == 20
    assert_books_hold()


def test_what_is_given_back_while_others_spend_may_be_spent_again_and_no_more(cast: Cast) -> None:
    held = [factories.hold(cast, amount_minor=AMOUNT_MINOR) for _ in range(SPENDERS // 2)]
    factories.limit(cast.partner, window=LimitWindow.DAY, count_max=60)
    voids: list[Act] = [
        lambda one=one: void_hold(actor=cast.actor, hold_id=one.pk)  # type: ignore[misc]
        for one in held
    ]
    acts = [spend(cast, purse=purse) for purse in purses(cast)[: SPENDERS // 2]]
    assert at_once([*acts, *voids]) == ["done"] * SPENDERS
    spend(cast, purse=cast.giver, times=20)()
    assert sent(cast) == 60
    assert_books_hold()


def test_a_limit_set_while_others_spend_counts_every_one_of_them(cast: Cast) -> None:
    agreed = factories.agreed_limit(cast.partner, window=LimitWindow.DAY, count_max=10_000)
    lines = Lines(STAGE.passwords)

    def set_it() -> None:
        with lines.signed_in("worker"):
            set_limit(actor=factories.SYSTEM, approval_id=agreed.pk)
        lines.leave()

    acts = [spend(cast, purse=purse) for purse in purses(cast)]
    assert at_once([*acts, set_it]) == ["done"] * (SPENDERS + 1)
    assert sent(cast) == SPENDERS * EACH
    assert_books_hold()


def test_two_who_are_near_do_not_wait_for_each_other_for_ever(cast: Cast) -> None:
    factories.limit(cast.partner, window=LimitWindow.DAY, amount_max_minor=10**6)
    mine = purses(cast)
    large = [factories.order(purse, amount_minor=50_000, to=cast.taker) for purse in mine]
    acts: list[Act] = [
        lambda order=order: request_transfer(  # type: ignore[misc]
            actor=cast.actor, order=order, origin=factories.origin()
        )
        for order in large
    ]
    assert Counter(at_once(acts)) == {"done": SPENDERS}
    assert_books_hold()


def test_control_sums_without_slices_of_their_own_would_pass_the_limit(cast: Cast) -> None:
    """What the defence is for: look at the sum, then count, as one would without thinking."""
    del cast
    with STAGE.as_role("migrator"), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE naive_use (amount bigint)")
        cursor.execute("GRANT SELECT, INSERT ON naive_use TO cs_api")
    looked = threading.Barrier(SPENDERS)

    def take() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(sum(amount), 0) FROM naive_use")
            (used,) = cursor.fetchone()
            looked.wait(timeout=30)
            if used + 10 <= 100:
                cursor.execute("INSERT INTO naive_use VALUES (10)")

    at_once([take] * SPENDERS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(amount) FROM naive_use")
        assert cursor.fetchone()[0] > 100
