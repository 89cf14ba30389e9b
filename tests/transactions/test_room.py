"""What the books cannot count any more is refused: never a fault that comes again for ever."""

import pytest

from accounts.models import Account
from accounts.roles import Role
from accounts.services.approvals import decide_approval
from accounts.states import Verdict
from tests import factories
from tests.books import assert_books_hold, moved, stands_at
from tests.factories import Cast, committed
from transactions.errors import BalanceTooLarge, DestinationUnavailable
from transactions.fees import FeeTerms
from transactions.models import BatchItem, TransferBatch
from transactions.money import AMOUNT_MINOR_MAX
from transactions.rounds.approvals import carry_out_approvals
from transactions.rounds.batches import carry_out_batches
from transactions.selectors.changes import watermark
from transactions.selectors.invariants import findings
from transactions.services.accounts import request_floor
from transactions.services.holds import capture_hold
from transactions.services.movements import book_movement
from transactions.services.partner_transfers import request_partner_transfer
from transactions.services.reversals import reverse_transfer
from transactions.services.transfers import request_transfer
from transactions.states import BatchState

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("worker")]


@pytest.fixture
def cast() -> Cast:
    """A partner whose giver may owe as much as the books can count."""
    made = factories.cast()
    bottomless(made.giver)
    return made


@pytest.fixture
def full(cast: Cast) -> Cast:
    """The same, with a taker that is full."""
    factories.internal(cast, amount_minor=AMOUNT_MINOR_MAX)
    return cast


@factories.set_up
def bottomless(account: Account) -> None:
    """Agree on the largest overdraft there is."""
    request = request_floor(
        actor=factories.colleague(Role.FINANCE_OPERATOR),
        account_id=account.pk,
        reason="agreed",
        floor_minor=-AMOUNT_MINOR_MAX,
    )
    decide_approval(
        actor=factories.colleague(),
        approval_id=request.pk,
        verdict=Verdict.APPROVE,
        reason="looked at it",
        shown_hash=request.payload_hash,
    )
    carry_out_approvals()


def test_a_batch_whose_item_would_fill_an_account_past_counting_comes_to_its_end(
    full: Cast,
) -> None:
    began = watermark()
    orders = [
        factories.order(full.giver, to=full.taker, amount_minor=1),
        factories.order(full.taker, to=full.giver, amount_minor=5),
        factories.order(full.giver, to=full.taker, amount_minor=5),
    ]
    batch = factories.batch(full, *map(factories.keyed, orders))
    carry_out_batches()
    items = BatchItem.objects.filter(batch=batch).order_by("number")
    assert list(items.values_list("outcome", "code")) == [
        ("refused", "balance_too_large"),
        ("done", ""),
        ("done", ""),
    ]
    assert TransferBatch.objects.get(pk=batch.pk).state == BatchState.FINISHED
    assert stands_at(full.taker.pk) == (AMOUNT_MINOR_MAX, 0)
    assert not [each for found in findings(since=began) for each in found.violations]
    assert_books_hold()


@pytest.mark.role("api")
def test_more_than_can_be_counted_is_not_set_aside(cast: Cast) -> None:
    left = factories.RICH_MINOR - 1
    factories.hold(cast, amount_minor=AMOUNT_MINOR_MAX)
    with pytest.raises(BalanceTooLarge):
        factories.hold(cast, amount_minor=left)
    payout = factories.order(cast.giver, amount_minor=left)
    with pytest.raises(BalanceTooLarge):
        request_transfer(actor=cast.actor, order=payout, origin=factories.origin())
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR, AMOUNT_MINOR_MAX)
    assert_books_hold()


@pytest.mark.role("api")
def test_a_hold_is_not_captured_into_a_full_account(full: Cast) -> None:
    hold = factories.hold(full, amount_minor=7)
    with pytest.raises(BalanceTooLarge):
        capture_hold(actor=full.actor, hold_id=hold.pk, origin=factories.origin())
    hold.refresh_from_db()
    assert (hold.captured_minor, stands_at(full.taker.pk)) == (0, (AMOUNT_MINOR_MAX, 0))
    assert_books_hold()


@pytest.mark.role("api")
def test_nothing_is_taken_back_to_a_full_account(cast: Cast) -> None:
    bottomless(cast.taker)
    paid = factories.internal(cast, amount_minor=factories.RICH_MINOR + 1)
    for amount in (AMOUNT_MINOR_MAX, 1):
        order = factories.order(cast.taker, to=cast.giver, amount_minor=amount)
        request_transfer(actor=cast.actor, order=order, origin=factories.origin())
    assert stands_at(cast.giver.pk) == (AMOUNT_MINOR_MAX, 0)
    with pytest.raises(BalanceTooLarge):
        reverse_transfer(
            actor=cast.actor, transfer_id=paid.pk, origin=factories.origin(), reason="test"
        )
    assert stands_at(cast.giver.pk) == (AMOUNT_MINOR_MAX, 0)
    assert_books_hold()


@pytest.mark.role("api")
def test_another_partner_does_not_learn_that_an_account_is_full(full: Cast) -> None:
    payer = factories.cast()
    factories.consent(full, payer=payer)
    order = factories.partner_order(payer, to=full.taker, amount_minor=1)
    with pytest.raises(DestinationUnavailable):
        request_partner_transfer(actor=payer.actor, order=order, origin=factories.origin())
    assert stands_at(payer.giver.pk) == (factories.RICH_MINOR, 0)
    assert_books_hold()


@pytest.mark.role("api")
def test_a_fee_that_nothing_can_hold_is_refused(cast: Cast) -> None:
    factories.fee(cast, FeeTerms(flat_minor=AMOUNT_MINOR_MAX, bps=10_000))
    order = factories.order(cast.giver, to=cast.taker, amount_minor=1)
    with pytest.raises(BalanceTooLarge):
        request_transfer(actor=cast.actor, order=order, origin=factories.origin())
    assert_books_hold()


def test_what_the_world_has_moved_already_is_booked_beside_a_full_account(full: Cast) -> None:
    book_movement(actor=factories.provider(), movement=factories.charge(full.taker))
    assert stands_at(full.taker.pk) == (AMOUNT_MINOR_MAX, 0)
    assert moved(full.partner.book_id)["shortfall"] == 10_000
    assert_books_hold()
