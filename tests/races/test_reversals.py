"""Two at once on one transfer: what went there comes back once, whoever comes first."""

from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.conftest import STAGE
from tests.factories import Cast
from tests.races.crowd import at_once
from transactions.ledger.posting import Draft, Line, post
from transactions.models import Journal, ReversedLine, Transfer
from transactions.services.reversals import reverse_transfer
from transactions.services.schedules import execute_scheduled
from transactions.services.transfers import cancel_transfer
from transactions.states import TransferState

pytestmark = pytest.mark.role("api")
ROUNDS = 5


@pytest.fixture(scope="module")
def cast(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Cast]:
    """A partner whose transactions really commit."""
    with django_db_blocker.unblock():
        STAGE.enter("api")
        yield factories.cast()
        STAGE.reclone()


def reverse(cast: Cast, moved: Transfer, *, amount_minor: int) -> object:
    return reverse_transfer(
        actor=cast.actor,
        transfer_id=moved.pk,
        origin=factories.origin(),
        reason="race",
        amount_minor=amount_minor,
    )


def test_of_partial_reversals_at_once_no_more_succeed_than_there_is(cast: Cast) -> None:
    for _ in range(ROUNDS):
        before = stands_at(cast.giver.pk)
        moved = factories.internal(cast)
        said = at_once([partial(reverse, cast, moved, amount_minor=600)] * 4)
        assert Counter(said) == {"done": 1, "reversal_exceeded": 3}
        assert stands_at(cast.giver.pk) == (before[0] - 400, before[1])
    assert_books_hold()


def test_whole_reversals_at_once_move_it_once(cast: Cast) -> None:
    moved = factories.internal(cast)
    said = at_once([partial(reverse, cast, moved, amount_minor=1_000)] * 4)
    assert Counter(said) == {"done": 1, "wrong_state": 3}
    assert_books_hold()


def post_back(moved: Transfer, first: Journal) -> None:
    """Post a reversal as the ledger's door alone would, past the command and its row lock."""
    lines = [
        Line(account_id=moved.destination_id, amount_minor=-600, currency="EUR"),  # type: ignore[arg-type]
        Line(account_id=moved.source_id, amount_minor=600, currency="EUR"),
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.book', %s, true)", [str(moved.book_id)])
        post(
            Draft(
                book_id=moved.book_id,
                purpose="reversal",
                subject_ref="test",
                origin=factories.origin(),
                occurred_at=timezone.now(),
                reverses=first.pk,
                lines=lines,
            )
        )


def test_the_database_alone_counts_reversals_that_commit_together(cast: Cast) -> None:
    """Without the command: the tally's row lock and its CHECK stop the second at its commit."""
    moved = factories.internal(cast)
    factories.internal(cast)
    first = Journal.objects.get(subject_ref=moved.audit_ref)
    said = at_once([partial(post_back, moved, first)] * 3)
    assert Counter(said) == {"done": 1, "reversed_line_within": 2}
    tally = ReversedLine.objects.get(journal_id=first.pk, account_id=cast.giver.pk)
    assert tally.reversed_minor == 600


def test_of_two_workers_and_a_cancellation_one_has_the_scheduled_transfer(cast: Cast) -> None:
    for _ in range(ROUNDS):
        waiting = factories.scheduled(
            cast, factories.order(cast.giver, amount_minor=10, to=cast.taker)
        )
        factories.pass_by(waiting.execute_at)
        work = partial(execute_scheduled, actor=factories.SYSTEM, transfer_id=waiting.pk)
        off = partial(cancel_transfer, actor=cast.actor, transfer_id=waiting.pk)
        said = at_once([work, work, off])
        assert said.count("done") == 1
        journals = Journal.objects.filter(subject_ref=waiting.audit_ref).count()
        state = Transfer.objects.get(pk=waiting.pk).state
        assert (state, journals) in {(TransferState.SETTLED, 1), (TransferState.CANCELLED, 0)}


def test_control_without_a_tally_both_would_go_back(cast: Cast) -> None:
    """What the defence is for: a sum over rows that the other has not committed yet."""
    with STAGE.as_role("migrator"), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE naive_reversal (amount bigint)")
        cursor.execute("GRANT SELECT, INSERT ON naive_reversal TO cs_api")

    def give_back() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(sum(amount), 0) FROM naive_reversal")
            (gone,) = cursor.fetchone()
            assert gone + 600 <= 1_000
            cursor.execute("INSERT INTO naive_reversal VALUES (600)")
            cursor.execute("SELECT pg_sleep(0.3)")

    assert at_once([give_back] * 2) == ["done", "done"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(amount) FROM naive_reversal")
        assert cursor.fetchone()[0] == 1_200
