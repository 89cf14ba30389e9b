"""A suspended partner: nothing that we decide takes money out of its accounts, whoever asks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from django.utils import timezone

from accounts.models import Approval
from accounts.roles import Role
from audit.errors import Refusal
from tests import factories, four_eyes
from tests.books import assert_books_hold, stands_at
from tests.conftest import STAGE
from tests.factories import Cast, committed
from transactions.models import BatchItem, Transfer
from transactions.money import Money
from transactions.orders import HoldOrder
from transactions.rounds.approvals import carry_out_approvals
from transactions.rounds.batches import carry_out_batches
from transactions.selectors.dispatching import payouts_to_send
from transactions.services.dispatching import reclaim_transfer, settle_transfer
from transactions.services.holds import capture_hold, create_hold, void_hold
from transactions.services.partner_transfers import request_partner_transfer
from transactions.services.reversals import request_reversal, reverse_transfer
from transactions.services.schedules import execute_scheduled
from transactions.services.transfers import request_transfer
from transactions.states import TransferState

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("worker")]
Act = Callable[[], Any]
DONE: Final = "done"
S = TransferState


@pytest.fixture
def cast() -> Cast:
    """A partner with money on one account."""
    return factories.cast()


def suspend(company: Cast) -> None:
    """Suspend a partner."""
    factories.changed(company.partner, is_active=False)


# -- what takes money out: prepared in good standing, and then tried ---------------------------


def internal(cast: Cast) -> Act:
    return _asked(cast, to=cast.taker)


def payout(cast: Cast) -> Act:
    return _asked(cast)


def staffs_payout(cast: Cast) -> Act:
    order, clerk = factories.staff_order(cast), factories.colleague(Role.FINANCE_OPERATOR)
    return _as("admin", request_transfer, actor=clerk, order=order, origin=factories.origin())


def transfer_to_a_partner(cast: Cast) -> Act:
    other = factories.cast()
    factories.consent(other, payer=cast)
    order = factories.partner_order(cast, to=other.taker)
    origin = factories.origin()
    return _as("api", request_partner_transfer, actor=cast.actor, order=order, origin=origin)


def hold(cast: Cast) -> Act:
    order = HoldOrder(
        source_id=cast.giver.pk,
        destination_id=cast.taker.pk,
        money=Money(1_000, "EUR"),
        expires_at=timezone.now() + timedelta(days=1),
    )
    return _as("api", create_hold, actor=cast.actor, order=order, origin=factories.origin())


def capture(cast: Cast) -> Act:
    held, origin = factories.hold(cast), factories.origin()
    return _as("api", capture_hold, actor=cast.actor, hold_id=held.pk, origin=origin)


def reversal(cast: Cast) -> Act:
    moved = factories.internal(cast)
    facts = {"transfer_id": moved.pk, "origin": factories.origin(), "reason": "oops"}
    return _as("api", reverse_transfer, actor=cast.actor, **facts)


def reversal_of_what_a_partner_paid(cast: Cast) -> Act:
    payer = factories.cast()
    factories.consent(cast, payer=payer)
    paid = factories.between(payer, cast)
    finance = factories.colleague(Role.FINANCE_OPERATOR)
    with STAGE.as_role("admin"):
        asked = request_reversal(
            actor=finance, transfer_id=paid.pk, amount_minor=400, reason="agreed"
        )
    return _agreed(asked)


def release_of_a_payout(cast: Cast) -> Act:
    return _agreed(factories.payout(cast, state=S.AWAITING_APPROVAL).approval)


def sending_a_payout_again(cast: Cast) -> Act:
    sent = factories.payout(cast, state=S.UNKNOWN)
    facts = {"transfer_id": sent.pk, "claimed_at": sent.claimed_at}
    return _as("worker", reclaim_transfer, actor=factories.SYSTEM, **facts)


def conversion(cast: Cast) -> Act:
    yen = factories.account(cast.portfolio, currency="JPY", holding_minor=0)
    return _agreed(factories.conversion(cast, to=yen).approval)


def manual_journal(cast: Cast) -> Act:
    return _agreed(factories.manual_journal(cast).approval)


def scheduled_transfer(cast: Cast) -> Act:
    due = factories.scheduled(cast, factories.order(cast.giver, to=cast.taker))

    def act() -> str:
        factories.pass_by(due.execute_at)
        done = execute_scheduled(actor=factories.SYSTEM, transfer_id=due.pk)
        return done.failure_code or DONE

    return act


def batch(cast: Cast) -> Act:
    made = factories.batch(cast)

    def act() -> str:
        carry_out_batches()
        return BatchItem.objects.get(batch_id=made.pk).code or DONE

    return act


def file_of_transfers(cast: Cast) -> Act:
    file = factories.batch_file(cast)
    begin = _agreed(factories.batch_asked_for(file))

    def act() -> str:
        assert begin() == DONE
        carry_out_batches()
        return BatchItem.objects.filter(source_id=cast.giver.pk).latest("id").code or DONE

    return act


ACTS: Final = [
    internal,
    payout,
    staffs_payout,
    transfer_to_a_partner,
    hold,
    capture,
    reversal,
    reversal_of_what_a_partner_paid,
    release_of_a_payout,
    sending_a_payout_again,
    conversion,
    manual_journal,
    scheduled_transfer,
    batch,
    file_of_transfers,
]


@pytest.mark.parametrize("prepare", ACTS)
def test_what_goes_through_in_good_standing_takes_nothing_once_suspended(
    cast: Cast, prepare: Callable[[Cast], Act]
) -> None:
    assert _heard(prepare(cast)) == DONE
    act = prepare(cast)
    suspend(cast)
    before = stands_at(cast.giver.pk), stands_at(cast.taker.pk)
    assert _heard(act) == "account_frozen"
    assert (stands_at(cast.giver.pk), stands_at(cast.taker.pk)) == before


def test_a_payout_that_was_accepted_before_is_not_sent(cast: Cast) -> None:
    accepted = factories.payout(cast)
    assert accepted in payouts_to_send()
    suspend(cast)
    assert accepted not in payouts_to_send()


def test_what_the_world_has_moved_is_booked_and_what_was_set_aside_comes_back(cast: Cast) -> None:
    sent, held = factories.payout(cast, state=S.DISPATCHED), factories.hold(cast)
    suspend(cast)
    void_hold(actor=factories.SYSTEM.holding("transactions.void_hold"), hold_id=held.pk)
    settle_transfer(
        actor=factories.provider("testbank"),
        transfer_id=sent.pk,
        provider_ref="pmt_1",
        occurred_at=timezone.now(),
    )
    assert Transfer.objects.get(pk=sent.pk).state == S.SETTLED
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR - 1_000, 0)
    assert_books_hold()


def test_money_arrives_as_before(cast: Cast) -> None:
    payer = factories.cast()
    factories.consent(cast, payer=payer)
    suspend(cast)
    factories.between(payer, cast)
    assert stands_at(cast.taker.pk) == (1_000, 0)


def _asked(cast: Cast, **details: Any) -> Act:
    order = factories.order(cast.giver, **details)
    return _as("api", request_transfer, actor=cast.actor, order=order, origin=factories.origin())


def _as(login: str, command: Callable[..., Any], **facts: Any) -> Act:
    """Return the act of calling a command in the process whose it is."""

    def act() -> str:
        with STAGE.as_role(login):
            command(**facts)
        return DONE

    return act


def _agreed(approval: Approval | None) -> Act:
    """Let a second person agree; return the act of carrying that out."""
    assert approval is not None
    four_eyes.decide(approval)

    def act() -> str:
        carry_out_approvals()
        return Approval.objects.get(pk=approval.pk).obstacle or DONE

    return act


def _heard(act: Act) -> str:
    """Return the code of the refusal, or what the act itself tells."""
    try:
        told: str = act()
    except Refusal as refusal:
        return refusal.code
    return told
