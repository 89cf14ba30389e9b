"""Many pieces of news at once: each as if it came alone, all written together."""

from dataclasses import replace

import pytest

from accounts.models import Letter
from audit.models import Entry, Touch
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.factories import Cast, committed
from tests.transactions.provider_words import codes, report, sale, take
from transactions.errors import AlreadyBooked, Contradiction, NothingChanged
from transactions.meanings import (
    MovementKind,
    PaymentState,
)
from transactions.models import Journal, LedgerAccount, Payment, Posting

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("worker")]


@pytest.fixture
def cast() -> Cast:
    """A partner whose accounts are empty."""
    return factories.cast(holding_minor=0)


def test_each_of_many_has_its_effect_its_entry_and_its_letter(cast: Cast) -> None:
    reports = [report(*sale(cast.taker, amount_minor=1_000 + n, fee_minor=n)) for n in range(20)]
    said = codes(take(*reports))
    assert said == ["payment succeeded", "booked charge"] * 20
    assert stands_at(cast.taker.pk) == (sum(1_000 + n for n in range(20)), 0)
    assert Journal.objects.filter(book_id=cast.partner.book_id).count() == 20
    assert Letter.objects.filter(book_id=cast.partner.book_id).count() == 40
    for each in reports:
        entries = Entry.objects.filter(trace_id=each.trace_id)
        assert {entry.action for entry in entries} == {"payment.noted", "movement.booked"}
        assert all(each.credential.encode() in bytes(entry.body) for entry in entries)
        assert Journal.objects.filter(trace_id=each.trace_id).count() == 1
    assert_books_hold()


def test_a_refused_one_changes_nothing_and_its_neighbours_go_through(cast: Cast) -> None:
    _, known = sale(cast.taker)
    take(report(known))
    wrong = replace(known, amount_minor=99, fee_minor=0)
    fresh = [report(*sale(cast.taker)) for _ in range(2)]
    found = take(fresh[0], report(wrong, *sale(cast.taker)), report(known), fresh[1])
    refusals = [type(each.refusal) for each in found if each.refusal]
    assert refusals == [Contradiction, AlreadyBooked]
    assert [each.is_over for each in found] == [False, False, True, False, False, False]
    assert Journal.objects.filter(book_id=cast.partner.book_id).count() == 3
    assert Entry.objects.filter(action="news.refused", outcome="refused").count() == 2
    assert_books_hold()


def test_a_copy_in_the_same_breath_is_known_already(cast: Cast) -> None:
    told, charge = sale(cast.taker)
    found = take(report(told, charge), report(told, charge))
    assert [each.said for each in found[2:]] == [NothingChanged.code, AlreadyBooked.code]
    assert Journal.objects.filter(origin=charge.origin).count() == 1
    assert_books_hold()


def test_news_of_one_payment_is_applied_in_the_order_given(cast: Cast) -> None:
    told, charge = sale(cast.taker, amount_minor=10_000, fee_minor=0)
    early = replace(told, reference=str(told.intent_ref), state=PaymentState.PROCESSING)
    back = factories.after(charge, kind=MovementKind.REFUND, amount_minor=-4_000)
    assert codes(take(report(early), report(told, charge), report(early), report(back))) == [
        "payment processing",
        "payment succeeded",
        "booked charge",
        "nothing_changed",
        "booked refund",
    ]
    payment = Payment.objects.get(reference=told.reference)
    assert (payment.booked_minor, payment.refunded_minor) == (10_000, 4_000)
    assert stands_at(cast.taker.pk) == (6_000, 0)
    touches = Touch.objects.filter(row_id=str(payment.pk)).order_by("entry_id")
    states = [(each.before or {}).get("state") for each in touches]
    assert states == [None, "processing", None, None]
    assert_books_hold()


def test_what_an_account_cannot_bear_any_more_is_the_books_shortfall(cast: Cast) -> None:
    told, charge = sale(cast.taker, amount_minor=10_000, fee_minor=0)
    lost = factories.after(charge, kind=MovementKind.DISPUTE, amount_minor=-8_000)
    more = factories.after(charge, kind=MovementKind.DISPUTE, amount_minor=-8_000)
    take(report(told, charge), report(lost), report(more))
    assert stands_at(cast.taker.pk) == (0, 0)
    short = LedgerAccount.objects.get(book_id=cast.partner.book_id, code="shortfall")
    assert [each.amount_minor for each in Posting.objects.filter(account_id=short.pk)] == [-6_000]
    assert_books_hold()


def test_a_dispute_that_comes_and_goes_in_one_breath_leaves_its_versions(cast: Cast) -> None:
    """The payment ends as it began; both entries say that it changed, and it did."""
    told, charge = sale(cast.taker, amount_minor=10_000, fee_minor=0)
    take(report(told, charge))
    lost = factories.after(charge, kind=MovementKind.DISPUTE, amount_minor=-8_000)
    back = factories.after(charge, kind=MovementKind.DISPUTE_REVERSAL, amount_minor=8_000)
    take(report(lost), report(back))
    payment = Payment.objects.get(reference=told.reference)
    versions = payment.history.order_by("history_id").values_list("disputed_minor", flat=True)
    assert (payment.disputed_minor, list(versions)[-2:]) == (0, [8_000, 0])
    assert_books_hold()
