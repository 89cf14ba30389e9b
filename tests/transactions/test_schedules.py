"""Scheduled transfers: nothing happens before their time, then what a fresh request would do."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import Error, connection, transaction
from django.utils import timezone

from accounts.models import Letter
from accounts.states import ApprovalState, FreezeMode, PayeePolicy
from audit.constraints import broken_rule
from audit.errors import Invalid, NotFound
from audit.models import Entry
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.conftest import STAGE
from tests.factories import Cast, committed
from transactions.errors import AlreadyBooked, Contradiction, CurrencyMismatch, NothingChanged
from transactions.models import Hold, Transfer
from transactions.orders import TransferOrder
from transactions.rounds.schedules import execute_scheduled
from transactions.services import dispatching, schedules
from transactions.services.freezes import freeze_account
from transactions.services.schedules import schedule_transfer
from transactions.services.transfers import cancel_transfer, request_transfer
from transactions.states import LimitWindow, TransferState

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("api")]
RICH, CLOCK, S = factories.RICH_MINOR, factories.SYSTEM, TransferState
LATER = timedelta(days=3)


@pytest.fixture
def cast() -> Cast:
    """A partner with money on one account."""
    return factories.cast()


def inside(cast: Cast, *, amount_minor: int = 1_000) -> TransferOrder:
    return factories.order(cast.giver, amount_minor=amount_minor, to=cast.taker)


def come(waiting: Transfer) -> Transfer:
    """Wait for the transfer's time, let the clock's job come by, and read it again."""
    factories.pass_by(waiting.execute_at)
    with STAGE.as_role("worker"):
        execute_scheduled()
    return Transfer.objects.get(pk=waiting.pk)


def letters(about: Transfer) -> list[str]:
    found = Letter.objects.filter(payload__id=about.public_id).order_by("xact", "id")
    return list(found.values_list("type", flat=True))


@factories.set_up
def freeze(cast: Cast) -> None:
    freeze_account(
        actor=factories.colleague(),
        account_id=cast.giver.pk,
        mode=FreezeMode.DEBITS,
        reason="sanctions",
        legal_reference="L-1",
    )


def test_nothing_is_reserved_or_moved_before_its_time(cast: Cast) -> None:
    waiting = factories.scheduled(cast, inside(cast), ahead=LATER)
    with STAGE.as_role("worker"):
        execute_scheduled()
        with pytest.raises(NothingChanged):
            schedules.execute_scheduled(actor=CLOCK, transfer_id=waiting.pk)
    assert Transfer.objects.get(pk=waiting.pk).state == S.SCHEDULED
    assert (stands_at(cast.giver.pk), stands_at(cast.taker.pk)) == ((RICH, 0), (0, 0))
    assert_books_hold()


def test_an_internal_transfer_is_carried_out_at_its_time_once(cast: Cast) -> None:
    done = come(factories.scheduled(cast, inside(cast)))
    assert done.state == S.SETTLED
    assert done.settled_at is not None
    assert done.execute_at is not None
    assert done.settled_at >= done.execute_at
    with STAGE.as_role("worker"), pytest.raises(NothingChanged):
        schedules.execute_scheduled(actor=CLOCK, transfer_id=done.pk)
    assert stands_at(cast.taker.pk) == (1_000, 0)
    assert letters(done) == ["transfer.scheduled", "transfer.settled"]
    assert_books_hold()


def test_a_payout_is_reserved_at_its_time(cast: Cast) -> None:
    done = come(factories.scheduled(cast, factories.order(cast.giver)))
    assert done.state == S.ACCEPTED
    assert stands_at(cast.giver.pk) == (RICH, 1_000)
    assert Hold.objects.get(transfer=done).amount_minor == 1_000
    assert_books_hold()


def test_a_large_payout_asks_for_a_second_person_at_its_time(cast: Cast) -> None:
    large = factories.order(cast.giver, amount_minor=cast.partner.approval_threshold_minor)
    done = come(factories.scheduled(cast, large))
    assert done.state == S.AWAITING_APPROVAL
    assert done.approval is not None
    assert done.approval.state == ApprovalState.OPEN
    assert done.approval.maker_party == cast.actor.party
    assert_books_hold()


def test_what_is_refused_at_its_time_has_failed_with_the_code(cast: Cast) -> None:
    poor = come(factories.scheduled(cast, inside(cast, amount_minor=RICH + 1)))
    assert (poor.state, poor.failure_code) == (S.FAILED, "insufficient_funds")
    factories.limit(cast.giver, window=LimitWindow.TRANSFER, amount_max_minor=10)
    over = come(factories.scheduled(cast, factories.order(cast.giver, amount_minor=11)))
    assert (over.state, over.failure_code) == (S.FAILED, "limit_exceeded")
    stopped = factories.scheduled(cast, inside(cast, amount_minor=1))
    freeze(cast)
    stopped = come(stopped)
    assert (stopped.state, stopped.failure_code) == (S.FAILED, "account_frozen")
    assert letters(stopped) == ["transfer.scheduled", "transfer.failed"]
    assert stands_at(cast.giver.pk) == (RICH, 0)
    assert_books_hold()


def test_details_that_still_cool_are_waited_for_without_another_word(cast: Cast) -> None:
    details = factories.somebody()
    factories.registered(cast, details=details, cooling_hours=24)
    factories.payee_policy(cast, PayeePolicy.REGISTERED)
    waiting = factories.scheduled(cast, factories.order(cast.giver, payee=details))
    assert come(waiting).state == S.SCHEDULED
    with STAGE.as_role("auditor"):
        told = Entry.objects.filter(trace_id=waiting.trace_id).values_list("action", flat=True)
        assert list(told) == ["transfer.scheduled"]
    factories.payee_policy(cast, PayeePolicy.ANY)
    assert come(waiting).state == S.ACCEPTED
    assert_books_hold()


def test_money_that_came_in_the_meantime_counts(cast: Cast) -> None:
    waiting = factories.scheduled(
        cast, factories.order(cast.taker, amount_minor=500, to=cast.giver)
    )
    factories.internal(cast, amount_minor=500)
    assert come(waiting).state == S.SETTLED
    assert stands_at(cast.taker.pk) == (0, 0)
    assert_books_hold()


def test_a_scheduled_transfer_is_called_off_before_its_time(cast: Cast) -> None:
    waiting = factories.scheduled(cast, factories.order(cast.giver), ahead=LATER)
    off = cancel_transfer(actor=cast.actor, transfer_id=waiting.pk)
    assert off.state == S.CANCELLED
    with STAGE.as_role("worker"), pytest.raises(NothingChanged):
        schedules.execute_scheduled(actor=CLOCK, transfer_id=waiting.pk)
    assert stands_at(cast.giver.pk) == (RICH, 0)
    assert_books_hold()


def test_it_counts_against_the_limit_of_the_day_it_moves(cast: Cast) -> None:
    factories.limit(cast.giver, window=LimitWindow.DAY, amount_max_minor=1_500)
    factories.scheduled(cast, inside(cast), ahead=LATER)
    request_transfer(actor=cast.actor, order=inside(cast), origin=factories.origin())
    over = come(factories.scheduled(cast, inside(cast)))
    assert (over.state, over.failure_code) == (S.FAILED, "limit_exceeded")
    assert_books_hold()


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(days=-1), timedelta(days=365, hours=1)])
def test_its_time_is_ahead_by_at_most_a_year(cast: Cast, ahead: timedelta) -> None:
    with pytest.raises(Invalid) as refused:
        schedule_transfer(
            actor=cast.actor,
            order=inside(cast),
            execute_at=timezone.now() + ahead,
            origin=factories.origin(),
        )
    assert list(refused.value.fields) == ["execute_at"]


def test_its_form_is_checked_when_it_is_asked_for(cast: Cast) -> None:
    stranger = factories.cast()
    yen = factories.account(cast.portfolio, currency="JPY", holding_minor=0)
    for to, refusal in (
        (stranger.taker, NotFound),
        (cast.giver, Invalid),
        (yen, CurrencyMismatch),
    ):
        with pytest.raises(refusal):
            factories.scheduled(cast, factories.order(cast.giver, to=to), ahead=LATER)


def test_one_cause_schedules_once(cast: Cast) -> None:
    cause = factories.origin()
    asked = partial(schedule_transfer, actor=cast.actor, order=inside(cast), origin=cause)
    asked(execute_at=timezone.now() + LATER)
    with pytest.raises(AlreadyBooked):
        asked(execute_at=timezone.now() + LATER)


def test_a_bank_that_tells_of_what_was_never_sent_contradicts_the_books(cast: Cast) -> None:
    waiting = factories.scheduled(cast, factories.order(cast.giver), ahead=LATER)
    bank = factories.provider("testbank")
    with STAGE.as_role("worker"), pytest.raises(Contradiction):
        dispatching.settle_transfer(
            actor=bank, transfer_id=waiting.pk, provider_ref="p", occurred_at=timezone.now()
        )
    with STAGE.as_role("worker"), pytest.raises(Contradiction):
        dispatching.fail_transfer(
            actor=bank, transfer_id=waiting.pk, reason="x", occurred_at=timezone.now()
        )


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("state = 'accepted'", "transfer_in_time"),
        ("state = 'settled', settled_at = now()", "transfer_in_time"),
        ("execute_at = now()", "transfer_order_fixed"),
        ("amount_minor = 1", "transfer_order_fixed"),
    ],
)
def test_the_database_itself_lets_nothing_go_before_its_time(
    cast: Cast, change: str, rule: str
) -> None:
    waiting = factories.scheduled(cast, inside(cast), ahead=LATER)
    with pytest.raises(Error) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE transactions_transfer SET {change} WHERE id = %s", [waiting.pk])
    assert broken_rule(refused.value) == rule


def test_nothing_that_was_asked_for_at_once_becomes_scheduled(cast: Cast) -> None:
    sent = factories.payout(cast)
    with pytest.raises(Error) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE transactions_transfer SET state = 'scheduled' WHERE id = %s", [sent.pk]
        )
    assert broken_rule(refused.value) == "transfer_moves_forward"


def test_each_act_has_its_entry(cast: Cast) -> None:
    done = come(factories.scheduled(cast, inside(cast)))
    with STAGE.as_role("migrator"):
        said = Entry.objects.filter(target_ref=done.audit_ref).order_by("id")
        assert [each.action for each in said] == ["transfer.scheduled", "transfer.executed"]
