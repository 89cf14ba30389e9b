"""Taking over former books: honest clocks, final states, all or none, once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import Letter
from audit.errors import Invalid, NotFound, Refusal
from audit.models import Entry, Touch
from tests import factories
from tests.books import assert_books_hold, moved, stands_at
from tests.factories import Cast, committed
from transactions.errors import AlreadyBooked, CurrencyMismatch, InsufficientFunds
from transactions.models import Hold, Journal, Transfer
from transactions.money import Money
from transactions.orders import TransferOrder
from transactions.services.imports import PastTransfer, import_opening, import_transfers
from transactions.states import HoldState, TransferState

__all__ = ["committed"]
# The console's work, under the migrator's login.
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("migrator")]
LONG_AGO = datetime(2026, 2, 3, 10, 30, tzinfo=UTC)
S = TransferState


@pytest.fixture
def cast() -> Cast:
    """A partner with 10,000.00 EUR on one account."""
    return factories.cast()


def item(cast: Cast, *, state: TransferState = S.SETTLED, **changes: object) -> PastTransfer:
    """Return one finished payout of 20.00 EUR."""
    ended = LONG_AGO + timedelta(hours=2)
    made = PastTransfer(
        name=f"old/{next(factories.numbers)}",
        order=factories.order(cast.giver, amount_minor=2_000),
        state=state,
        occurred_at=LONG_AGO,
        ended_at=ended,
        returned_at=ended + timedelta(days=2) if state is S.RETURNED else None,
        provider_ref="pay_old",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def take_over(*items: PastTransfer) -> list[Transfer]:
    """Import as the founder."""
    return list(import_transfers(actor=factories.FOUNDER, items=items))


@pytest.mark.parametrize(
    ("state", "left_minor", "journals", "hold"),
    [
        (S.SETTLED, 2_000, 1, HoldState.POSTED),
        (S.RETURNED, 0, 2, HoldState.POSTED),
        (S.FAILED, 0, 0, HoldState.VOIDED),
        (S.REJECTED, 0, 0, HoldState.VOIDED),
        (S.CANCELLED, 0, 0, HoldState.VOIDED),
    ],
)
def test_a_past_payout_arrives_in_its_final_state(
    cast: Cast, state: TransferState, left_minor: int, journals: int, hold: HoldState
) -> None:
    (transfer,) = take_over(item(cast, state=state))
    assert Transfer.objects.get(pk=transfer.pk).state == state
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR - left_minor, 0)
    assert Journal.objects.filter(subject_ref=transfer.audit_ref).count() == journals
    assert Hold.objects.get(transfer=transfer).state == hold
    assert_books_hold()


def test_the_worlds_clock_is_given_and_ours_is_honest(cast: Cast) -> None:
    before = timezone.now()
    (transfer,) = take_over(item(cast, state=S.RETURNED))
    out, back = Journal.objects.filter(subject_ref=transfer.audit_ref).order_by("id")
    assert out.occurred_at == LONG_AGO + timedelta(hours=2)
    assert back.occurred_at == LONG_AGO + timedelta(days=2, hours=2)
    assert min(out.recorded_at, back.recorded_at) > before
    known = Transfer.objects.get(pk=transfer.pk)
    assert (known.occurred_at, known.requested_at > before) == (LONG_AGO, True)
    assert_books_hold()


def test_internal_transfers_are_posted_in_their_order(cast: Cast) -> None:
    there = factories.order(cast.giver, amount_minor=factories.RICH_MINOR, to=cast.taker)
    back = factories.order(cast.taker, amount_minor=factories.RICH_MINOR, to=cast.giver)
    take_over(item(cast, order=there), item(cast, order=back))
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR, 0)
    with pytest.raises(InsufficientFunds):
        take_over(item(cast, order=back), item(cast, order=there))
    assert_books_hold()


def test_a_batch_has_one_entry_for_each_item_and_each_its_own_trace(cast: Cast) -> None:
    transfers = take_over(*(item(cast) for _ in range(5)))
    entries = Entry.objects.filter(action="transfer.imported", book_id=cast.partner.book_id)
    assert {entry.target_ref for entry in entries} == {each.audit_ref for each in transfers}
    assert len({entry.trace_id for entry in entries}) == 5
    for entry in entries:
        touched = Touch.objects.filter(entry_id=entry.pk).values_list("table_name", flat=True)
        assert {"transactions_transfer", "transactions_hold"} <= set(touched)
    assert not Letter.objects.filter(book_id=cast.partner.book_id).exists()
    assert_books_hold()


def test_one_bad_item_and_none_of_the_batch_is_there(cast: Cast) -> None:
    too_much = factories.order(cast.giver, amount_minor=factories.RICH_MINOR)
    with pytest.raises(InsufficientFunds):
        take_over(item(cast), item(cast), item(cast, order=too_much))
    assert not Transfer.objects.filter(book_id=cast.partner.book_id).exists()
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR, 0)
    assert moved(cast.partner.book_id) == {"bank:opening": -factories.RICH_MINOR}
    assert_books_hold()


def test_a_line_of_the_former_books_is_taken_over_once(cast: Cast) -> None:
    first = item(cast)
    take_over(first)
    for again in ([first], [item(cast), first]):
        with pytest.raises(AlreadyBooked):
            take_over(*again)
    assert Transfer.objects.filter(book_id=cast.partner.book_id).count() == 1
    assert_books_hold()


def _internal_failure(cast: Cast) -> PastTransfer:
    order = factories.order(cast.giver, to=cast.taker)
    return item(cast, order=order, state=S.FAILED)


def _foreign_money(cast: Cast) -> PastTransfer:
    order = TransferOrder(
        source_id=cast.giver.pk, payee=factories.somebody(), money=Money(1, "USD")
    )
    return item(cast, order=order)


def _other_book(cast: Cast) -> PastTransfer:
    return item(cast, order=factories.order(cast.giver, to=factories.cast().taker))


@pytest.mark.parametrize(
    ("make", "refusal"),
    [
        (lambda cast: item(cast, state=S.DISPATCHED), Invalid),
        (lambda cast: item(cast, state=S.AWAITING_APPROVAL), Invalid),
        (lambda cast: item(cast, state=S.RETURNED, returned_at=None), Invalid),
        (lambda cast: item(cast, returned_at=LONG_AGO), Invalid),
        (_internal_failure, Invalid),
        (_foreign_money, CurrencyMismatch),
        (_other_book, NotFound),
    ],
)
def test_what_is_not_finished_or_does_not_fit_is_refused(
    cast: Cast, make: Callable[[Cast], PastTransfer], refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        take_over(make(cast))
    assert not Transfer.objects.filter(book_id=cast.partner.book_id).exists()
    assert_books_hold()


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(Invalid):
        take_over()


def test_an_opening_balance_is_brought_once(cast: Cast) -> None:
    assert stands_at(cast.taker.pk) == (0, 0)
    import_opening(
        actor=factories.FOUNDER, account=cast.taker, amount_minor=700, occurred_at=LONG_AGO
    )
    with pytest.raises(AlreadyBooked):
        import_opening(
            actor=factories.FOUNDER, account=cast.taker, amount_minor=1, occurred_at=LONG_AGO
        )
    assert stands_at(cast.taker.pk) == (700, 0)
    assert moved(cast.partner.book_id) == {"bank:opening": -factories.RICH_MINOR - 700}
    opening = Journal.objects.get(subject_ref=cast.taker.audit_ref)
    assert (opening.purpose, opening.occurred_at) == ("opening", LONG_AGO)
    assert_books_hold()
