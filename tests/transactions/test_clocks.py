"""A balance at any instant is the plain sum of rows, whoever writes or rolls up meanwhile."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from tests import factories
from tests.conftest import STAGE
from tests.factories import Cast
from transactions.ledger.posting import Draft, Line, post
from transactions.models import LedgerAccount, Movement, Posting, RollUp
from transactions.selectors.clocks import FIRST_INSTANT, LAST_INSTANT, balance_at, settled_at
from transactions.services.movements import book_movement
from transactions.services.rolling import roll_up, start_over
from transactions.states import Clock

pytestmark = [pytest.mark.role("worker"), pytest.mark.django_db(transaction=True)]
JOURNALS = 700
WRITERS = 3
EACH_WRITES = 60
WAIT_SECONDS = 20
SUM = """
SELECT coalesce(sum(p.amount_minor), 0)
FROM transactions_posting AS p INNER JOIN transactions_journal AS j ON j.id = p.journal_id
WHERE p.account_id = %s AND CASE %s WHEN 'occurred' THEN p.occurred_at ELSE j.recorded_at END <= %s
"""
BOTH = f"""
SELECT (ledger_stand_before(ARRAY[%s], %s, %s + interval '1 microsecond')).balance_minor, ({SUM})
"""


def both(account_id: UUID, clock: Clock, at: datetime) -> tuple[int, int]:
    """Return what the roll-ups and what the rows say, read at one moment."""
    with connection.cursor() as cursor:
        cursor.execute(BOTH, [account_id, clock, at, account_id, clock, at])
        said, summed = cursor.fetchone()
    return said, summed


def assert_exact(*account_ids: UUID, at: list[datetime]) -> None:
    """Fail unless both agree at every instant on both clocks."""
    for account_id in account_ids:
        for clock in Clock:
            for instant in (FIRST_INSTANT, *at, LAST_INSTANT):
                said, summed = both(account_id, clock, instant)
                assert said == summed, (account_id, clock, instant)


@pytest.fixture
def company(transactional_db: None) -> Cast:
    """A partner with money, whose books nobody has rolled up yet."""
    return factories.cast()


@pytest.fixture
def clearing(company: Cast) -> UUID:
    """An account of its book that keeps no balance."""
    with STAGE.as_role("migrator"):
        book_movement(actor=factories.provider(), movement=factories.charge(company.giver))
    return LedgerAccount.objects.get(book_id=company.partner.book_id, code="clearing:stripe").pk


def pay_in(company: Cast, clearing: UUID, *, at: datetime, amount_minor: int = 7) -> UUID:
    """Write one journal below the commands: it is the books that are tested, at speed."""
    return post(
        Draft(
            book_id=company.partner.book_id,
            purpose="test",
            subject_ref="test:1",
            origin=factories.origin(),
            occurred_at=at,
            lines=[
                Line(account_id=company.giver.pk, amount_minor=amount_minor, currency="EUR"),
                Line(account_id=clearing, amount_minor=-amount_minor, currency="EUR"),
            ],
        )
    )


def some_instant(dice: random.Random) -> datetime:
    """Return an instant of the last months; often one that many share."""
    now = timezone.now()
    match dice.randrange(4):
        case 0:
            return now - timedelta(days=dice.uniform(0, 100))
        case 1:
            return datetime(now.year, now.month, 1, tzinfo=UTC)
        case 2:
            return now.replace(microsecond=0) - timedelta(days=3, seconds=dice.randrange(3))
        case _:
            return now - timedelta(seconds=dice.uniform(0, 7200))


def test_a_balance_at_any_instant_is_the_sum_of_its_postings(
    company: Cast, clearing: UUID
) -> None:
    dice = random.Random(7)  # noqa: S311 - a seed, to see the same again
    for number in range(JOURNALS):
        pay_in(company, clearing, at=some_instant(dice), amount_minor=dice.randrange(1, 10**6))
        if number % 150 == 0:
            roll_up()
    instants = [some_instant(dice) for _ in range(12)]
    instants += [row.occurred_at for row in Posting.objects.order_by("?")[:5]]
    assert_exact(company.giver.pk, clearing, at=instants)
    roll_up_beyond(Posting.objects.latest("xact"))
    assert_exact(company.giver.pk, clearing, at=instants)
    cut = Movement.objects.filter(account_id=clearing, is_cut=True)
    assert {grain for (grain,) in cut.values_list("grain")} >= {0, 1}
    in_rounds = set(Movement.objects.values_list())
    with STAGE.as_role("migrator"):
        start_over()
    assert set(Movement.objects.values_list()) == in_rounds


def test_a_posting_that_arrives_late_for_an_old_day_counts_on_that_day(
    company: Cast, clearing: UUID
) -> None:
    day = timezone.now() - timedelta(days=40)
    before = balance_at(clearing, at=day, clock=Clock.OCCURRED)
    pay_in(company, clearing, at=timezone.now())
    roll_up()
    pay_in(company, clearing, at=day, amount_minor=500)
    for _ in range(2):
        assert balance_at(clearing, at=day, clock=Clock.OCCURRED) == before - 500
        assert balance_at(clearing, at=day, clock=Clock.RECORDED) == 0
        just_before = day - timedelta(microseconds=1)
        assert balance_at(clearing, at=just_before, clock=Clock.OCCURRED) == before
        roll_up()


@contextmanager
def beside(act: Callable[[threading.Event], None]) -> Iterator[threading.Event]:
    """Run `act` in another thread with a connection of its own until the block ends."""
    is_over = threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            act(is_over)
        except BaseException as failure:  # noqa: BLE001 - told to whoever waits
            failures.append(failure)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield is_over
    finally:
        is_over.set()
        thread.join(WAIT_SECONDS)
    assert not failures, failures


def test_what_a_slow_writer_commits_late_is_neither_skipped_nor_settled(
    company: Cast, clearing: UUID
) -> None:
    has_written = threading.Event()

    def write_slowly(is_over: threading.Event) -> None:
        with transaction.atomic():
            pay_in(company, clearing, at=timezone.now(), amount_minor=1_000)
            has_written.set()
            assert is_over.wait(WAIT_SECONDS)

    other = factories.account(company.portfolio)  # the slow one holds the giver's lock
    quick = Cast(
        partner=company.partner,
        portfolio=company.portfolio,
        actor=company.actor,
        giver=other,
        taker=company.taker,
    )
    roll_up()
    with beside(write_slowly):
        assert has_written.wait(WAIT_SECONDS)
        written_at = timezone.now()
        for _ in range(3):
            pay_in(quick, clearing, at=timezone.now())
            roll_up()
            assert_exact(clearing, other.pk, at=[timezone.now()])
        assert settled_at() < written_at
        horizon = RollUp.objects.get().horizon_xact
    late = Posting.objects.get(account_id=clearing, amount_minor=-1_000)
    assert horizon <= late.xact
    # The trap is laid: a roll-up that goes on behind the last id it saw would pass this one by.
    assert late.pk < Posting.objects.filter(account_id=clearing).latest("id").pk
    assert_exact(clearing, company.giver.pk, at=[timezone.now()])
    roll_up_beyond(late)
    assert_exact(clearing, company.giver.pk, at=[timezone.now()])
    assert sums_of_months(clearing) == balance_at(clearing)


def roll_up_beyond(posting: Posting) -> None:
    """Roll up until a posting is in: making the next test's database holds the horizon a while."""
    deadline = time.monotonic() + WAIT_SECONDS
    while RollUp.objects.get().horizon_xact <= posting.xact or settled_at() < long_ago():
        assert time.monotonic() < deadline
        roll_up()


def long_ago() -> datetime:
    return timezone.now() - timedelta(seconds=WAIT_SECONDS)


def sums_of_months(account_id: UUID) -> int:
    months = Movement.objects.filter(account_id=account_id, clock="recorded", grain=0)
    return sum(months.values_list("amount_minor", flat=True))


def test_readers_see_the_exact_sum_while_others_post_and_roll_up(
    company: Cast, clearing: UUID
) -> None:
    def keep_rolling(is_over: threading.Event) -> None:
        while not is_over.is_set():
            roll_up()

    def keep_writing(is_over: threading.Event) -> None:
        del is_over  # there is an end to what it writes
        dice = random.Random(threading.get_ident())  # noqa: S311 - not a secret
        for _ in range(EACH_WRITES):
            pay_in(company, clearing, at=some_instant(dice))

    reads = 0
    with beside(keep_rolling), beside(keep_writing), beside(keep_writing), beside(keep_writing):
        written = Posting.objects.filter(account_id=clearing)
        while written.count() < WRITERS * EACH_WRITES:
            for clock in Clock:
                said, summed = both(clearing, clock, LAST_INSTANT)
                assert said == summed
                reads += 1
    assert reads > 10
    assert_exact(clearing, company.giver.pk, at=[timezone.now() - timedelta(days=2)])


def test_numbers_of_another_cluster_are_not_believed_and_are_made_anew(
    company: Cast, clearing: UUID
) -> None:
    pay_in(company, clearing, at=timezone.now())
    roll_up()
    with STAGE.as_role("migrator"):
        # As after a dump was restored: the horizon is far ahead of this cluster's transactions.
        RollUp.objects.update(cluster=1, horizon_xact=2**60)
    pay_in(company, clearing, at=timezone.now())
    assert_exact(clearing, at=[timezone.now()])
    with pytest.raises(DatabaseError, match="another cluster"):
        roll_up()
    with STAGE.as_role("migrator"):
        assert start_over() == Posting.objects.count()
        # Old rows bear numbers that new transactions here will pass: they must not count again.
        RollUp.objects.update(horizon_xact=0)
    pay_in(company, clearing, at=timezone.now())
    for _ in range(2):
        assert_exact(clearing, company.giver.pk, at=[timezone.now() - timedelta(days=1)])
        roll_up()
    roll_up_beyond(Posting.objects.latest("id"))
    assert_exact(clearing, company.giver.pk, at=[timezone.now() - timedelta(days=1)])
    assert sums_of_months(clearing) == balance_at(clearing)
