"""Money in: one movement of a provider is one journal, and notices never post."""

from dataclasses import replace

import pytest

from accounts.models import Account, Letter
from accounts.states import FreezeMode
from tests import factories
from tests.books import assert_books_hold, moved, stands_at
from tests.factories import Cast, committed
from transactions.errors import AlreadyBooked, Contradiction, NothingChanged
from transactions.meanings import (
    DisputeNotice,
    DisputeState,
    Movement,
    MovementKind,
    PaymentState,
    PayoutNotice,
    PayoutState,
)
from transactions.models import Book, Dispute, Journal, Payment, ProviderPayout
from transactions.services.freezes import freeze_account
from transactions.services.movements import book_movement
from transactions.services.notices import note_dispute, note_payment, note_payout

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("worker")]
STRIPE = factories.provider("stripe")


@pytest.fixture
def cast() -> Cast:
    """A partner whose accounts are empty."""
    return factories.cast(holding_minor=0)


def book(movement: Movement) -> None:
    """Book as Stripe does."""
    book_movement(actor=STRIPE, movement=movement)


def house_gains(*movements: Movement) -> dict[str, int]:
    """Book movements; return what they changed on the accounts of the house's own book."""
    house_id = Book.objects.get(partner__isnull=True).pk
    before = moved(house_id)
    for movement in movements:
        book(movement)
    after = moved(house_id)
    gains = {code: after.get(code, 0) - before.get(code, 0) for code in before | after}
    return {code: gain for code, gain in gains.items() if gain}


def journals_of(cast: Cast) -> int:
    """Return how many journals a partner's book has."""
    return Journal.objects.filter(book_id=cast.partner.book_id).count()


def payment_of(charge: Movement) -> Payment:
    """Return the payment that a charge belongs to."""
    return Payment.objects.get(reference=charge.payment_ref)


@factories.set_up
def freeze(account: Account, *, mode: FreezeMode) -> None:
    """Freeze an account."""
    freeze_account(
        actor=factories.colleague(),
        account_id=account.pk,
        mode=mode,
        reason="test",
        legal_reference="",
    )


def test_a_charge_is_gross_to_the_account_net_at_the_provider_and_its_fee(cast: Cast) -> None:
    book(factories.charge(cast.taker, amount_minor=10_000, fee_minor=175))
    assert stands_at(cast.taker.pk) == (10_000, 0)
    assert moved(cast.partner.book_id) == {"clearing:stripe": -9_825, "fees:stripe": -175}
    letter = Letter.objects.get(book_id=cast.partner.book_id)
    assert (letter.type, letter.payload["account"]) == ("movement.charge", cast.taker.public_id)
    assert_books_hold()


def test_a_movement_is_booked_once(cast: Cast) -> None:
    charge = factories.charge(cast.taker)
    book(charge)
    with pytest.raises(AlreadyBooked):
        book(charge)
    with pytest.raises(Contradiction):
        book(replace(charge, amount_minor=99, fee_minor=0))
    assert journals_of(cast) == 1
    assert_books_hold()


def test_money_that_names_no_account_waits_in_the_houses_suspense(cast: Cast) -> None:
    charge = factories.charge(None, amount_minor=5_000, fee_minor=0)
    assert house_gains(charge) == {"suspense": 5_000, "clearing:stripe": -5_000}
    assert payment_of(charge).account is None
    assert_books_hold()


def test_money_in_another_currency_than_the_accounts_waits_too(cast: Cast) -> None:
    dollars = factories.charge(cast.taker, amount_minor=5_000, fee_minor=0, currency="USD")
    assert house_gains(dollars)["suspense"] == 5_000
    assert stands_at(cast.taker.pk) == (0, 0)
    assert_books_hold()


def test_a_refund_takes_back_what_its_payment_gave(cast: Cast) -> None:
    charge = factories.charge(cast.taker, amount_minor=10_000, fee_minor=175)
    book(charge)
    for amount in (2_500, 7_500):
        book(factories.after(charge, kind=MovementKind.REFUND, amount_minor=-amount))
    payment = payment_of(charge)
    assert (payment.booked_minor, payment.refunded_minor) == (10_000, 10_000)
    assert stands_at(cast.taker.pk) == (0, 0)
    assert moved(cast.partner.book_id) == {"clearing:stripe": 175, "fees:stripe": -175}
    assert_books_hold()


def test_what_an_account_cannot_bear_is_the_books_shortfall(cast: Cast) -> None:
    charge = factories.charge(cast.taker, amount_minor=10_000, fee_minor=0)
    book(charge)
    book(factories.after(charge, kind=MovementKind.REFUND, amount_minor=-10_000))
    lost = factories.after(
        charge, kind=MovementKind.DISPUTE, amount_minor=-10_000, fee_minor=2_000
    )
    book(lost)
    assert stands_at(cast.taker.pk) == (0, 0)
    assert moved(cast.partner.book_id)["shortfall"] == -10_000
    assert_books_hold()


def test_what_is_reserved_is_not_taken_by_a_dispute(cast: Cast) -> None:
    rich = replace(cast, giver=cast.taker)
    charge = factories.charge(cast.taker, amount_minor=10_000, fee_minor=0)
    book(charge)
    factories.payout(rich, amount_minor=8_000)
    book(factories.after(charge, kind=MovementKind.DISPUTE, amount_minor=-10_000))
    assert stands_at(cast.taker.pk) == (8_000, 8_000)
    assert moved(cast.partner.book_id)["shortfall"] == -8_000
    assert_books_hold()


@pytest.mark.parametrize("mode", [FreezeMode.CREDITS, FreezeMode.ALL])
def test_money_for_an_account_that_may_take_none_is_kept_beside_it(
    cast: Cast, mode: FreezeMode
) -> None:
    freeze(cast.taker, mode=mode)
    book(factories.charge(cast.taker, amount_minor=5_000, fee_minor=0))
    assert stands_at(cast.taker.pk) == (0, 0)
    assert moved(cast.partner.book_id)["shortfall"] == 5_000
    assert_books_hold()


def test_a_dispute_takes_money_and_winning_it_brings_it_back(cast: Cast) -> None:
    charge = factories.charge(cast.taker, amount_minor=10_000, fee_minor=0)
    book(charge)
    book(factories.after(charge, kind=MovementKind.DISPUTE, amount_minor=-10_000, fee_minor=2_000))
    assert payment_of(charge).disputed_minor == 10_000
    book(
        factories.after(
            charge, kind=MovementKind.DISPUTE_REVERSAL, amount_minor=10_000, fee_minor=-2_000
        )
    )
    assert payment_of(charge).disputed_minor == 0
    assert stands_at(cast.taker.pk) == (10_000, 0)
    assert moved(cast.partner.book_id) == {"clearing:stripe": -10_000}
    assert_books_hold()


def test_a_providers_payout_and_its_failure_undo_each_other(cast: Cast) -> None:
    out = factories.charge(
        None,
        kind=MovementKind.PAYOUT,
        amount_minor=-7_000,
        fee_minor=0,
        payment_ref=None,
        subject_ref=f"po_{next(factories.numbers)}",
    )
    assert house_gains(out) == {"bank:stripe": -7_000, "clearing:stripe": 7_000}
    back = replace(
        out,
        kind=MovementKind.PAYOUT_FAILURE,
        amount_minor=7_000,
        reference=f"{out.reference}_back",
    )
    assert house_gains(back) == {"bank:stripe": 7_000, "clearing:stripe": -7_000}
    assert_books_hold()


# -- notices ----------------------------------------------------------------------------------


def test_a_notice_moves_no_money(cast: Cast) -> None:
    payment = note_payment(actor=STRIPE, notice=factories.notice(cast.taker))
    assert payment.state == PaymentState.SUCCEEDED
    assert not journals_of(cast)
    assert_books_hold()


@pytest.mark.parametrize("notice_first", [True, False])
def test_notice_and_money_make_one_payment_in_either_order(
    cast: Cast, *, notice_first: bool
) -> None:
    told = factories.notice(cast.taker)
    charge = factories.charge(
        cast.taker, amount_minor=10_000, payment_ref=told.reference, subject_ref=told.reference
    )
    if notice_first:
        note_payment(actor=STRIPE, notice=told)
        book(charge)
    else:
        book(charge)
        note_payment(actor=STRIPE, notice=told)
    payment = payment_of(charge)
    assert (payment.booked_minor, payment.intent_ref) == (10_000, told.intent_ref)
    assert_books_hold()


def test_an_intent_becomes_the_charge_it_leads_to(cast: Cast) -> None:
    told = factories.notice(cast.taker)
    early = replace(told, reference=str(told.intent_ref), state=PaymentState.PROCESSING)
    note_payment(actor=STRIPE, notice=early)
    note_payment(actor=STRIPE, notice=told)
    assert Payment.objects.get(intent_ref=told.intent_ref).reference == told.reference
    with pytest.raises(NothingChanged):
        note_payment(actor=STRIPE, notice=early)
    assert_books_hold()


def test_late_news_of_a_payment_changes_nothing(cast: Cast) -> None:
    told = factories.notice(cast.taker)
    note_payment(actor=STRIPE, notice=told)
    for late in (told, replace(told, state=PaymentState.PROCESSING)):
        with pytest.raises(NothingChanged):
            note_payment(actor=STRIPE, notice=late)
    with pytest.raises(Contradiction):
        note_payment(actor=STRIPE, notice=replace(told, currency="USD"))
    known = Payment.objects.get(reference=told.reference)
    assert known.state == PaymentState.SUCCEEDED


def test_a_dispute_goes_forward_only_and_is_not_both_won_and_lost(cast: Cast) -> None:
    told = factories.notice(cast.taker)
    note_payment(actor=STRIPE, notice=told)
    opened = DisputeNotice(
        provider="stripe",
        reference=f"dp_{next(factories.numbers)}",
        payment_ref=told.reference,
        state=DisputeState.NEEDS_RESPONSE,
        amount_minor=10_000,
        currency="EUR",
        reason="fraudulent",
        occurred_at=told.occurred_at,
    )
    won = replace(opened, state=DisputeState.WON)
    note_dispute(actor=STRIPE, notice=opened)
    note_dispute(actor=STRIPE, notice=won)
    with pytest.raises(NothingChanged):
        note_dispute(actor=STRIPE, notice=opened)
    with pytest.raises(Contradiction):
        note_dispute(actor=STRIPE, notice=replace(opened, state=DisputeState.LOST))
    dispute = Dispute.objects.get(reference=opened.reference)
    assert (dispute.state, dispute.book_id) == (DisputeState.WON, cast.partner.book_id)
    assert_books_hold()


def test_a_payout_may_fail_after_it_was_paid_and_never_the_other_way(cast: Cast) -> None:
    told = factories.notice(None)
    paid = PayoutNotice(
        provider="stripe",
        reference=f"po_{next(factories.numbers)}",
        state=PayoutState.PAID,
        amount_minor=7_000,
        currency="EUR",
        arrival_at=told.occurred_at,
        occurred_at=told.occurred_at,
        failure_code=None,
    )
    note_payout(actor=STRIPE, notice=paid)
    failed = replace(paid, state=PayoutState.FAILED, failure_code="account_closed")
    note_payout(actor=STRIPE, notice=failed)
    with pytest.raises(NothingChanged):
        note_payout(actor=STRIPE, notice=paid)
    known = ProviderPayout.objects.get(reference=paid.reference)
    assert known.failure_code == "account_closed"
    assert_books_hold()
