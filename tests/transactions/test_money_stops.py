"""Money that must not leave: frozen on its way, on one signature, or twice by a resend."""

from dataclasses import replace

import pytest
from django.utils import timezone

from accounts.states import FreezeMode
from audit.errors import NotPermitted
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.factories import Cast, committed
from transactions.errors import AccountFrozen, AlreadyBooked, Contradiction, NothingChanged
from transactions.meanings import MovementKind, PaymentState
from transactions.models import Payment, Transfer
from transactions.money import Money
from transactions.selectors.dispatching import payouts_to_send
from transactions.services.dispatching import (
    note_acceptance,
    reclaim_transfer,
    release_transfer,
    settle_transfer,
)
from transactions.services.freezes import freeze_account
from transactions.services.movements import book_movement
from transactions.services.notices import note_payment
from transactions.services.transfers import request_transfer
from transactions.states import TransferState

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("worker")]
BANK, STRIPE = factories.provider("testbank"), factories.provider("stripe")
S = TransferState


@pytest.fixture
def cast() -> Cast:
    """A partner with money on one account."""
    return factories.cast()


@factories.set_up
def freeze(company: Cast) -> None:
    """Freeze the giver, as compliance does."""
    freeze_account(
        actor=factories.colleague(),
        account_id=company.giver.pk,
        mode=FreezeMode.ALL,
        reason="sanctions",
        legal_reference="L-1",
    )


def test_a_freeze_stops_a_payout_that_was_accepted_before_it(cast: Cast) -> None:
    asked = factories.payout(cast)
    assert asked in payouts_to_send()
    freeze(cast)
    assert asked not in payouts_to_send()
    assert_books_hold()


def test_a_freeze_stops_a_payout_that_was_approved_before_it(cast: Cast) -> None:
    asked = factories.payout(cast, state=S.AWAITING_APPROVAL)
    freeze(cast)
    with pytest.raises(AccountFrozen):
        release_transfer(actor=factories.SYSTEM, transfer_id=asked.pk)


def test_staff_move_nothing_inside_the_house_on_one_signature(cast: Cast) -> None:
    clerk = factories.colleague().holding("transactions.request_transfer")
    inside = factories.order(cast.giver, to=cast.taker)
    with pytest.raises(NotPermitted):
        request_transfer(actor=clerk, order=inside, origin=factories.origin())
    assert stands_at(cast.taker.pk) == (0, 0)


def test_of_two_workers_that_asked_one_sends_again(cast: Cast) -> None:
    sent = factories.payout(cast, state=S.UNKNOWN)
    assert sent.claimed_at is not None
    at = sent.claimed_at
    reclaim_transfer(actor=factories.SYSTEM, transfer_id=sent.pk, claimed_at=at)
    with pytest.raises(NothingChanged):
        reclaim_transfer(actor=factories.SYSTEM, transfer_id=sent.pk, claimed_at=at)


def test_a_payout_that_failed_is_never_sent_again(cast: Cast) -> None:
    failed = factories.payout(cast, state=S.FAILED)
    assert failed.claimed_at is not None
    with pytest.raises(NothingChanged):
        reclaim_transfer(
            actor=factories.SYSTEM, transfer_id=failed.pk, claimed_at=failed.claimed_at
        )
    with pytest.raises(Contradiction):
        note_acceptance(actor=BANK, transfer_id=failed.pk, provider_ref="pmt_1")


@pytest.mark.parametrize("told", [Money(1, "EUR"), Money(1_000, "JPY")])
def test_a_settlement_of_another_sum_is_a_contradiction(cast: Cast, told: Money) -> None:
    sent = factories.payout(cast, state=S.DISPATCHED)
    with pytest.raises(Contradiction):
        settle_transfer(
            actor=BANK,
            transfer_id=sent.pk,
            provider_ref="pmt_1",
            occurred_at=timezone.now(),
            told=told,
        )
    assert Transfer.objects.get(pk=sent.pk).state == S.DISPATCHED


def test_a_second_settlement_under_another_name_is_a_contradiction_and_not_old_news(
    cast: Cast,
) -> None:
    paid = factories.payout(cast, state=S.SETTLED)
    with pytest.raises(Contradiction):
        settle_transfer(
            actor=BANK,
            transfer_id=paid.pk,
            provider_ref="pmt_of_a_second_payment",
            occurred_at=timezone.now(),
        )


def test_a_refund_comes_from_the_account_that_was_paid_whatever_the_metadata_says_now(
    cast: Cast,
) -> None:
    rival = factories.cast(holding_minor=50_000)
    paid = factories.charge(cast.taker, amount_minor=9_000, fee_minor=0)
    book_movement(actor=STRIPE, movement=paid)
    refund = factories.after(paid, kind=MovementKind.REFUND, amount_minor=-9_000)
    book_movement(actor=STRIPE, movement=replace(refund, account_id=rival.giver.pk))
    assert stands_at(rival.giver.pk) == (50_000, 0)
    assert stands_at(cast.taker.pk) == (0, 0)


def test_the_same_origin_with_another_sum_is_not_taken_for_known(cast: Cast) -> None:
    paid = factories.charge(cast.taker, amount_minor=9_000, fee_minor=0)
    book_movement(actor=STRIPE, movement=paid)
    with pytest.raises(AlreadyBooked):
        book_movement(actor=STRIPE, movement=paid)
    with pytest.raises(Contradiction):
        book_movement(actor=STRIPE, movement=replace(paid, amount_minor=9_001))


def test_a_failed_first_attempt_told_late_does_not_undo_the_charge_that_succeeded(
    cast: Cast,
) -> None:
    good = factories.notice(cast.taker)
    note_payment(actor=STRIPE, notice=good)
    late = replace(good, reference="ch_first_attempt", state=PaymentState.FAILED)
    note_payment(actor=STRIPE, notice=late)
    assert Payment.objects.get(reference=good.reference).state == PaymentState.SUCCEEDED
    assert Payment.objects.get(reference=late.reference).state == PaymentState.FAILED
