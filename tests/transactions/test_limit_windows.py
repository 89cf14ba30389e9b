"""Days that a limit's window holds, and those that are over.

The days pass in the counters alone, so the books, which say when things were, are not asked here.
"""

from uuid import UUID

import pytest
from django.db import connection

from tests import factories
from tests.conftest import STAGE
from tests.factories import Cast, committed
from tests.transactions.test_limits import ask, refused, used
from transactions.models import LimitUse
from transactions.services.rolling import fold_limits
from transactions.states import LimitWindow as W

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("api")]


@pytest.fixture
def cast() -> Cast:
    """A partner with two accounts."""
    return factories.cast()


def age(subject_id: UUID, *, days: int) -> None:
    """Let what is counted of a subject be of so many days ago, with what was moved."""
    with STAGE.as_role("migrator"), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE transactions_limituse SET day = day - %s WHERE subject_id = %s",
            [days, subject_id],
        )


def count_elsewhere(subject_id: UUID, *, amount_minor: int, times: int) -> None:
    """Count as much in one more slice of the subject's day."""
    with STAGE.as_role("migrator"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO transactions_limituse"
            " (subject_id, currency, day, kind, slice, amount_minor, times)"
            " SELECT subject_id, currency, day, kind, max(slice) + 1, %s, %s"
            " FROM transactions_limituse WHERE subject_id = %s"
            " GROUP BY subject_id, currency, day, kind",
            [amount_minor, times, subject_id],
        )


def test_thirty_days_are_counted_and_the_thirty_first_is_not(cast: Cast) -> None:
    for subject in (cast.giver, cast.partner):
        factories.limit(subject, window=W.DAYS_30, amount_max_minor=100)
    ask(cast)
    for subject_id in (cast.giver.pk, cast.partner.book_id):
        age(subject_id, days=29)
    assert refused(lambda: ask(cast, 1)).left == 0
    for subject_id in (cast.giver.pk, cast.partner.book_id):
        age(subject_id, days=1)
    ask(cast, 100)


def test_yesterday_is_not_of_today(cast: Cast) -> None:
    factories.limit(cast.giver, window=W.DAY, amount_max_minor=100)
    ask(cast)
    age(cast.giver.pk, days=1)
    ask(cast)


def test_folding_keeps_every_sum_and_drops_what_no_window_reaches(cast: Cast) -> None:
    factories.limit(cast.partner, window=W.DAYS_30, amount_max_minor=10_000)
    for _ in range(3):
        ask(cast)
    count_elsewhere(cast.partner.book_id, amount_minor=700, times=2)
    age(cast.partner.book_id, days=3)
    before = used(cast.partner.book_id)
    with STAGE.as_role("worker"):
        fold_limits()
        assert fold_limits() == 0
    assert used(cast.partner.book_id) == before == {"internal": (1_000, 5)}
    assert LimitUse.objects.filter(subject_id=cast.partner.book_id).count() == 1
    age(cast.partner.book_id, days=40)
    with STAGE.as_role("worker"):
        fold_limits()
    assert used(cast.partner.book_id) == {}
