"""Holds: money set aside, captured in parts, given back, and never more than was held."""

from datetime import timedelta

import pytest
from django.db import Error, connection, transaction
from django.utils import timezone

from accounts.models import Letter
from accounts.states import FreezeMode
from audit.constraints import broken_rule
from audit.errors import Invalid, NotFound, NotPermitted
from audit.models import Entry
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.conftest import STAGE
from tests.factories import Cast, committed
from transactions.errors import (
    AccountFrozen,
    AlreadyBooked,
    CurrencyMismatch,
    HoldExceeded,
    HoldExpired,
    InsufficientFunds,
    LimitExceeded,
    NothingChanged,
    WrongState,
)
from transactions.models import Hold, Journal
from transactions.money import Money
from transactions.orders import HoldOrder
from transactions.rounds.holds import expire_holds
from transactions.services.freezes import freeze_account
from transactions.services.holds import capture_hold, create_hold, expire_hold, void_hold
from transactions.services.transfers import request_transfer
from transactions.states import HoldState, LimitWindow, TransferState

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("api")]
RICH = factories.RICH_MINOR
CLOCK = factories.SYSTEM


@pytest.fixture
def cast() -> Cast:
    """A partner with money on one account."""
    return factories.cast()


def capture(cast: Cast, held: Hold, **details: object) -> Hold:
    """Capture as the partner, under a cause of its own."""
    details = {"origin": factories.origin(), **details}
    return capture_hold(actor=cast.actor, hold_id=held.pk, **details)  # type: ignore[arg-type]


def letters(held: Hold) -> list[str]:
    found = Letter.objects.filter(payload__id=held.public_id).order_by("xact", "id")
    return list(found.values_list("type", flat=True))


@factories.set_up
def freeze(cast: Cast, *, mode: FreezeMode = FreezeMode.DEBITS, taker: bool = False) -> None:
    account = cast.taker if taker else cast.giver
    freeze_account(
        actor=factories.colleague(),
        account_id=account.pk,
        mode=mode,
        reason="sanctions",
        legal_reference="L-1",
    )


def test_held_money_is_not_available_and_still_there(cast: Cast) -> None:
    factories.hold(cast, amount_minor=RICH - 100)
    assert stands_at(cast.giver.pk) == (RICH, RICH - 100)
    with pytest.raises(InsufficientFunds):
        request_transfer(
            actor=cast.actor,
            order=factories.order(cast.giver, amount_minor=101, to=cast.taker),
            origin=factories.origin(),
        )
    assert_books_hold()


def test_a_hold_is_captured_whole_and_the_partner_is_told(cast: Cast) -> None:
    held = capture(cast, factories.hold(cast))
    assert (held.state, held.captured_minor, held.remaining_minor) == (HoldState.POSTED, 1_000, 0)
    assert stands_at(cast.giver.pk) == (RICH - 1_000, 0)
    assert stands_at(cast.taker.pk) == (1_000, 0)
    assert letters(held) == ["hold.created", "hold.captured"]
    assert_books_hold()


def test_a_hold_is_captured_in_parts_until_nothing_is_left(cast: Cast) -> None:
    held = factories.hold(cast)
    for amount in (300, 300, 400):
        held = capture(cast, held, amount_minor=amount)
    assert (held.state, held.captured_minor) == (HoldState.POSTED, 1_000)
    journals = Journal.objects.filter(subject_ref=held.audit_ref)
    assert len({journal.origin for journal in journals}) == 3
    with pytest.raises(WrongState):
        capture(cast, held)
    assert_books_hold()


def test_more_than_is_left_is_not_captured(cast: Cast) -> None:
    held = capture(cast, factories.hold(cast), amount_minor=700)
    with pytest.raises(HoldExceeded) as refused:
        capture(cast, held, amount_minor=301)
    assert refused.value.remaining_minor == 300
    assert stands_at(cast.giver.pk) == (RICH - 700, 300)
    assert_books_hold()


def test_a_final_capture_releases_the_rest(cast: Cast) -> None:
    held = capture(cast, factories.hold(cast), amount_minor=250, is_final=True)
    assert (held.state, held.captured_minor, held.released_minor) == (HoldState.POSTED, 250, 750)
    assert stands_at(cast.giver.pk) == (RICH - 250, 0)
    assert_books_hold()


def test_one_cause_captures_once(cast: Cast) -> None:
    held, cause = factories.hold(cast), factories.origin()
    capture(cast, held, amount_minor=100, origin=cause)
    with pytest.raises(AlreadyBooked):
        capture(cast, held, amount_minor=100, origin=cause)
    assert stands_at(cast.taker.pk) == (100, 0)


def test_a_void_gives_back_what_is_left_and_nothing_of_what_was_captured(cast: Cast) -> None:
    held = capture(cast, factories.hold(cast), amount_minor=400)
    held = void_hold(actor=cast.actor, hold_id=held.pk)
    assert (held.state, held.captured_minor, held.released_minor) == (HoldState.VOIDED, 400, 600)
    assert stands_at(cast.giver.pk) == (RICH - 400, 0)
    assert letters(held) == ["hold.created", "hold.captured", "hold.voided"]
    for act in (capture, lambda cast, held: void_hold(actor=cast.actor, hold_id=held.pk)):
        with pytest.raises(WrongState):
            act(cast, held)
    assert_books_hold()


def test_a_hold_past_its_time_captures_nothing_even_before_the_job_has_come_by(cast: Cast) -> None:
    held = factories.expired_hold(cast)
    with pytest.raises(HoldExpired):
        capture(cast, held)
    assert stands_at(cast.giver.pk) == (RICH, 1_000)
    with STAGE.as_role("worker"):
        assert expire_holds() == 1
        assert expire_holds() == 0
    held.refresh_from_db()
    assert (held.state, held.released_minor) == (HoldState.EXPIRED, 1_000)
    assert stands_at(cast.giver.pk) == (RICH, 0)
    assert letters(held) == ["hold.created", "hold.expired"]
    with pytest.raises(HoldExpired):
        capture(cast, held)
    assert_books_hold()


def test_nothing_expires_before_its_time(cast: Cast) -> None:
    held = factories.hold(cast)
    with STAGE.as_role("worker"), pytest.raises(NothingChanged):
        expire_hold(actor=CLOCK, hold_id=held.pk)
    assert Hold.objects.get(pk=held.pk).state == HoldState.OPEN


def test_a_hold_that_ended_otherwise_does_not_expire(cast: Cast) -> None:
    held = factories.expired_hold(cast)
    void_hold(actor=cast.actor, hold_id=held.pk)
    with STAGE.as_role("worker"), pytest.raises(NothingChanged):
        expire_hold(actor=CLOCK, hold_id=held.pk)


def test_a_freeze_stops_new_holds_and_captures_and_no_release(cast: Cast) -> None:
    held = factories.hold(cast)
    freeze(cast)
    with pytest.raises(AccountFrozen):
        factories.hold(cast)
    with pytest.raises(AccountFrozen):
        capture(cast, held)
    assert stands_at(cast.giver.pk) == (RICH, 1_000)
    void_hold(actor=cast.actor, hold_id=held.pk)
    assert stands_at(cast.giver.pk) == (RICH, 0)
    assert_books_hold()


def test_a_frozen_destination_takes_no_capture(cast: Cast) -> None:
    held = factories.hold(cast)
    freeze(cast, mode=FreezeMode.CREDITS, taker=True)
    with pytest.raises(AccountFrozen):
        capture(cast, held)
    assert stands_at(cast.giver.pk) == (RICH, 1_000)


def test_nobody_holds_more_than_is_there(cast: Cast) -> None:
    factories.hold(cast, amount_minor=RICH)
    with pytest.raises(InsufficientFunds):
        factories.hold(cast, amount_minor=1)


@pytest.mark.parametrize("window", LimitWindow.values)
def test_a_hold_counts_against_the_limits_of_its_account(cast: Cast, window: str) -> None:
    factories.limit(cast.giver, window=LimitWindow(window), amount_max_minor=1_500)
    held = factories.hold(cast, amount_minor=1_500)
    with pytest.raises(LimitExceeded):
        factories.hold(cast, amount_minor=1_501 if window == LimitWindow.TRANSFER else 1)
    if window == LimitWindow.DAY:
        with pytest.raises(LimitExceeded):
            factories.payout(cast, amount_minor=1)
        void_hold(actor=cast.actor, hold_id=held.pk)
        factories.payout(cast, amount_minor=1_500)


def test_a_capture_goes_where_the_hold_says_or_where_it_says_itself(cast: Cast) -> None:
    fixed, free = factories.hold(cast), factories.hold(cast, is_for_taker=False)
    third = factories.account(cast.portfolio, holding_minor=0)
    yen = factories.account(cast.portfolio, currency="JPY", holding_minor=0)
    stranger = factories.cast()
    for held, to, refusal in (
        (fixed, third.pk, Invalid),
        (free, None, Invalid),
        (free, cast.giver.pk, Invalid),
        (free, yen.pk, CurrencyMismatch),
        (free, stranger.taker.pk, NotFound),
    ):
        with pytest.raises(refusal):
            capture(cast, held, destination_id=to)
    capture(cast, fixed, destination_id=cast.taker.pk)
    capture(cast, free, amount_minor=400, destination_id=cast.taker.pk)
    capture(cast, free, destination_id=third.pk)
    assert (stands_at(cast.taker.pk), stands_at(third.pk)) == ((1_400, 0), (600, 0))
    assert_books_hold()


@pytest.mark.parametrize("lasts", [timedelta(seconds=59), timedelta(days=31, minutes=1)])
def test_a_hold_lasts_a_minute_to_a_month(cast: Cast, lasts: timedelta) -> None:
    with pytest.raises(Invalid) as refused:
        create_hold(
            actor=cast.actor,
            order=HoldOrder(
                source_id=cast.giver.pk,
                money=Money(1, "EUR"),
                expires_at=timezone.now() + lasts,
            ),
            origin=factories.origin(),
        )
    assert list(refused.value.fields) == ["expires_at"]


def test_nobody_holds_for_the_same_account_or_in_another_currency(cast: Cast) -> None:
    for to, money, refusal in (
        (cast.giver.pk, Money(1, "EUR"), Invalid),
        (None, Money(1, "JPY"), CurrencyMismatch),
    ):
        with pytest.raises(refusal):
            create_hold(
                actor=cast.actor,
                order=HoldOrder(
                    source_id=cast.giver.pk,
                    destination_id=to,
                    money=money,
                    expires_at=timezone.now() + timedelta(hours=1),
                ),
                origin=factories.origin(),
            )


def test_another_partners_hold_does_not_exist(cast: Cast) -> None:
    held, stranger = factories.hold(cast), factories.cast()
    with pytest.raises(NotFound):
        capture(stranger, held)
    with pytest.raises(NotFound):
        void_hold(actor=stranger.actor, hold_id=held.pk)


def test_what_a_payout_reserved_is_no_partners_hold(cast: Cast) -> None:
    reserved = factories.payout(cast).hold
    with pytest.raises(NotFound):
        capture(cast, reserved)
    with pytest.raises(NotFound):
        void_hold(actor=cast.actor, hold_id=reserved.pk)


def test_a_payout_and_a_hold_are_counted_alike(cast: Cast) -> None:
    paid = factories.payout(cast, state=TransferState.SETTLED).hold
    failed = factories.payout(cast, state=TransferState.FAILED).hold
    assert (paid.captured_minor, paid.released_minor) == (paid.amount_minor, 0)
    assert (failed.captured_minor, failed.released_minor) == (0, failed.amount_minor)
    assert_books_hold()


def test_a_reader_may_not_hold(cast: Cast) -> None:
    held = factories.hold(cast)
    with pytest.raises(NotPermitted):
        void_hold(actor=factories.colleague(), hold_id=held.pk)


def test_each_act_on_a_hold_has_its_entry(cast: Cast) -> None:
    held = capture(cast, factories.hold(cast), amount_minor=1)
    void_hold(actor=cast.actor, hold_id=held.pk)
    with STAGE.as_role("migrator"):
        said = Entry.objects.filter(target_ref=held.audit_ref).order_by("id")
        assert [each.action for each in said] == ["hold.created", "hold.captured", "hold.voided"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("state = 'voided', captured_minor = -1, released_minor = 1001", "hold_moves_forward"),
        ("captured_minor = 1001", "hold_open_while_reserved"),
        ("captured_minor = 1000", "hold_open_while_reserved"),
        ("state = 'posted', captured_minor = 1", "hold_open_while_reserved"),
        ("state = 'voided', captured_minor = 1000", "hold_end_is_told"),
        ("state = 'posted', released_minor = 1000", "hold_end_is_told"),
        ("state = 'expired', released_minor = 1000", "hold_in_time"),
        ("amount_minor = 2000", "hold_order_fixed"),
        ("expires_at = expires_at + interval '1 day'", "hold_order_fixed"),
        ("destination_id = account_id", "hold_order_fixed"),
        ("state = 'lost', captured_minor = 1000", "hold_end_is_told"),
    ],
)
def test_the_database_itself_keeps_a_holds_rules(cast: Cast, change: str, rule: str) -> None:
    held = factories.hold(cast)
    with pytest.raises(Error) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE transactions_hold SET {change} WHERE id = %s", [held.pk])
    assert broken_rule(refused.value) == rule


@pytest.mark.parametrize("change", ["state = 'open'", "captured_minor = 0", "reference = 'x'"])
def test_an_ended_hold_never_moves(cast: Cast, change: str) -> None:
    held = capture(cast, factories.hold(cast))
    with pytest.raises(Error) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE transactions_hold SET {change} WHERE id = %s", [held.pk])
    assert broken_rule(refused.value) == "hold_moves_forward"
