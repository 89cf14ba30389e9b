"""A payout on its way out: released, claimed, doubted, settled, failed, returned; each once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.errors import AlreadyDecided, OwnRequest, StaleApproval
from accounts.models import Account, Approval, Decision, Letter
from accounts.roles import Role
from accounts.services.approvals import decide_approval
from accounts.states import ApprovalState, FreezeMode, Verdict
from audit.actors import Actor
from audit.errors import Refusal
from audit.models import Entry
from tests import factories
from tests.books import assert_books_hold, moved, stands_at
from tests.factories import Cast, committed
from transactions.errors import Contradiction, NothingChanged, TooEarly, WrongState
from transactions.models import Hold, Journal, Transfer
from transactions.services.dispatching import (
    claim_transfer,
    fail_transfer,
    note_acceptance,
    note_doubt,
    reject_transfer,
    release_transfer,
    return_transfer,
    settle_transfer,
)
from transactions.services.freezes import freeze_account
from transactions.services.transfers import request_transfer
from transactions.states import HoldState, TransferState

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("worker")]
BANK = factories.provider("testbank")
S = TransferState


@pytest.fixture
def cast() -> Cast:
    """A partner with 10,000.00 EUR on one account."""
    return factories.cast()


def approval_of(transfer: Transfer) -> Approval:
    """Return the request that a transfer waits for, as it stands now."""
    assert transfer.approval_id is not None
    return Approval.objects.get(pk=transfer.approval_id)


@factories.set_up
def decide(transfer: Transfer, *, checker: Actor, verdict: Verdict = Verdict.APPROVE) -> Approval:
    """Decide on what the approval shows now."""
    approval = approval_of(transfer)
    return decide_approval(
        actor=checker,
        approval_id=approval.pk,
        verdict=verdict,
        reason="looked at it",
        shown_hash=approval.payload_hash,
    )


def settle(transfer: Transfer) -> Transfer:
    """Settle as the bank does, under the name it gave before."""
    return settle_transfer(
        actor=BANK,
        transfer_id=transfer.pk,
        provider_ref=transfer.provider_ref or "pay_1",
        occurred_at=timezone.now(),
    )


def fail(transfer: Transfer) -> Transfer:
    """Fail as the bank does."""
    return fail_transfer(
        actor=BANK, transfer_id=transfer.pk, reason="account_closed", occurred_at=timezone.now()
    )


def send_back(transfer: Transfer) -> Transfer:
    """Return as the bank does."""
    return return_transfer(
        actor=BANK, transfer_id=transfer.pk, reason="no_such_account", occurred_at=timezone.now()
    )


# -- four eyes --------------------------------------------------------------------------------


def test_an_approved_payout_goes_and_its_approval_is_used_up(cast: Cast) -> None:
    waiting = factories.payout(cast, state=S.AWAITING_APPROVAL)
    decide(waiting, checker=factories.colleague())
    released = release_transfer(actor=factories.SYSTEM, transfer_id=waiting.pk)
    assert released.state == S.ACCEPTED
    assert approval_of(waiting).state == ApprovalState.USED
    with pytest.raises(WrongState):
        release_transfer(actor=factories.SYSTEM, transfer_id=waiting.pk)
    assert_books_hold()


def test_a_payout_nobody_decided_on_stays_where_it_is(cast: Cast) -> None:
    waiting = factories.payout(cast, state=S.AWAITING_APPROVAL)
    with pytest.raises(AlreadyDecided):
        release_transfer(actor=factories.SYSTEM, transfer_id=waiting.pk)
    with pytest.raises(WrongState):
        reject_transfer(actor=factories.SYSTEM, transfer_id=waiting.pk)
    assert Transfer.objects.get(pk=waiting.pk).state == S.AWAITING_APPROVAL
    assert_books_hold()


def test_a_rejected_payout_gives_its_money_back(cast: Cast) -> None:
    waiting = factories.payout(cast, state=S.AWAITING_APPROVAL)
    decide(waiting, checker=factories.colleague(), verdict=Verdict.REJECT)
    reject_transfer(actor=factories.SYSTEM, transfer_id=waiting.pk)
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR, 0)
    assert_books_hold()


def test_nobody_approves_their_own_request_nor_twice(cast: Cast) -> None:
    waiting = factories.payout(cast, state=S.AWAITING_APPROVAL)
    with pytest.raises(OwnRequest):
        decide(waiting, checker=cast.actor.holding("accounts.decide_approval"))
    checker = factories.colleague()
    decide(waiting, checker=checker)
    for again in (checker, factories.colleague()):
        with pytest.raises(AlreadyDecided):
            decide(waiting, checker=again)
    assert Decision.objects.filter(approval=waiting.approval).count() == 1
    assert_books_hold()


def test_two_logins_of_one_person_are_one_pair_of_eyes(cast: Cast) -> None:
    maker = factories.colleague(Role.FINANCE_OPERATOR)
    waiting = factories.set_up(request_transfer)(
        actor=maker, order=factories.staff_order(cast), origin=factories.origin()
    )
    with pytest.raises(OwnRequest):
        decide(waiting, checker=factories.colleague(person_id=maker.person_id))
    decide(waiting, checker=factories.colleague())


def test_nobody_decides_on_what_they_did_not_see(cast: Cast) -> None:
    """A checker signs exactly what was on the screen."""
    waiting = factories.payout(cast, state=S.AWAITING_APPROVAL)
    shown = approval_of(waiting)
    with pytest.raises(StaleApproval):
        decide_stale(factories.payout(cast, state=S.AWAITING_APPROVAL), shown=shown)


@factories.set_up
def decide_stale(transfer: Transfer, *, shown: Approval) -> None:
    """Decide on one request having seen another."""
    assert transfer.approval_id is not None
    decide_approval(
        actor=factories.colleague(),
        approval_id=transfer.approval_id,
        verdict=Verdict.APPROVE,
        reason="the wrong window",
        shown_hash=shown.payload_hash,
    )


# -- on its way -------------------------------------------------------------------------------


def test_the_oldest_accepted_payout_is_claimed_first_and_once(cast: Cast) -> None:
    factories.nothing_waits()
    first, second = factories.payout(cast), factories.payout(cast)
    claimed = [claim_transfer(actor=factories.SYSTEM).pk for _ in range(2)]
    assert claimed == [first.pk, second.pk]
    with pytest.raises(NothingChanged):
        claim_transfer(actor=factories.SYSTEM)


def test_a_claimed_payout_is_asked_about_soon(cast: Cast) -> None:
    factories.nothing_waits()
    factories.payout(cast)
    claimed = claim_transfer(actor=factories.SYSTEM)
    assert claimed.state == S.DISPATCHED
    assert claimed.ask_at is not None
    assert timedelta(0) < claimed.ask_at - timezone.now() <= timedelta(seconds=15)


def test_the_banks_name_for_a_payment_is_noted_once_and_never_another(cast: Cast) -> None:
    sent = factories.payout(cast, state=S.DISPATCHED)
    note_acceptance(actor=BANK, transfer_id=sent.pk, provider_ref="pay_1")
    with pytest.raises(NothingChanged):
        note_acceptance(actor=BANK, transfer_id=sent.pk, provider_ref="pay_1")
    with pytest.raises(Contradiction):
        note_acceptance(actor=BANK, transfer_id=sent.pk, provider_ref="pay_2")
    assert Transfer.objects.get(pk=sent.pk).provider_ref == "pay_1"


def test_a_doubt_is_told_once_keeps_the_money_reserved_and_can_be_lifted(cast: Cast) -> None:
    sent = factories.payout(cast, state=S.DISPATCHED)
    for _ in range(2):
        note_doubt(actor=BANK, transfer_id=sent.pk, because="no answer")
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR, sent.amount_minor)
    assert Letter.objects.filter(type="transfer.unknown", payload__id=sent.public_id).count() == 1
    lifted = note_acceptance(actor=BANK, transfer_id=sent.pk, provider_ref="pay_1")
    assert lifted.state == S.DISPATCHED
    with pytest.raises(NothingChanged):
        note_doubt(actor=BANK, transfer_id=factories.payout(cast).pk, because="no answer")
    assert_books_hold()


@pytest.mark.parametrize("state", [S.DISPATCHED, S.UNKNOWN])
def test_a_settled_payout_has_left_its_account(cast: Cast, state: TransferState) -> None:
    sent = factories.payout(cast, state=state)
    settled = settle(sent)
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR - sent.amount_minor, 0)
    assert moved(cast.partner.book_id)["clearing:testbank"] == sent.amount_minor
    assert Hold.objects.get(transfer=sent).state == HoldState.POSTED
    assert (settled.ask_at, settled.provider_ref) == (None, "pay_1")
    assert_books_hold()


def test_settling_twice_is_refused_and_the_refusal_is_written_down(cast: Cast) -> None:
    sent = factories.payout(cast, state=S.DISPATCHED)
    settle(sent)
    with pytest.raises(NothingChanged):
        settle(sent)
    assert Journal.objects.filter(subject_ref=sent.audit_ref).count() == 1
    refused = refusals_about(sent)
    assert [entry.command for entry in refused] == ["transactions.settle_transfer"]
    assert refused[0].code == "nothing_changed"
    assert_books_hold()


@factories.set_up
def refusals_about(transfer: Transfer) -> list[Entry]:
    """Return every refusal that names a transfer, in order."""
    refused = Entry.objects.filter(outcome="refused", target_ref=transfer.audit_ref)
    return list(refused.order_by("id"))


def test_a_failed_payout_gives_its_money_back_and_moves_none(cast: Cast) -> None:
    sent = factories.payout(cast, state=S.DISPATCHED)
    failed = fail(sent)
    assert failed.failure_code == "account_closed"
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR, 0)
    assert not Journal.objects.filter(subject_ref=sent.audit_ref).exists()
    assert_books_hold()


def test_a_returned_payout_is_a_second_journal_linked_to_the_first(cast: Cast) -> None:
    sent = factories.payout(cast, state=S.SETTLED)
    returned = send_back(sent)
    out, back = Journal.objects.filter(subject_ref=sent.audit_ref).order_by("id")
    assert (out.purpose, back.purpose, back.reverses) == ("payout", "payout_return", out.pk)
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR, 0)
    assert returned.settled_at is not None
    assert "clearing:testbank" not in moved(cast.partner.book_id)
    assert_books_hold()


def test_money_returned_to_an_account_that_may_take_none_waits_in_suspense(cast: Cast) -> None:
    sent = factories.payout(cast, state=S.SETTLED)
    freeze(cast.giver)
    send_back(sent)
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR - sent.amount_minor, 0)
    assert moved(cast.partner.book_id)["suspense"] == sent.amount_minor
    assert_books_hold()


@factories.set_up
def freeze(account: Account) -> None:
    """Let nothing in or out of an account."""
    freeze_account(
        actor=factories.colleague(),
        account_id=account.pk,
        mode=FreezeMode.ALL,
        reason="test",
        legal_reference="",
    )


def test_a_payment_under_way_is_settled_though_its_account_was_frozen(cast: Cast) -> None:
    """The bank has moved the money; the books must say so."""
    sent = factories.payout(cast, state=S.DISPATCHED)
    freeze(cast.giver)
    settle(sent)
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR - sent.amount_minor, 0)
    assert_books_hold()


NEWS: dict[str, Callable[[Transfer], Transfer]] = {
    "settled": settle,
    "failed": fail,
    "returned": send_back,
}


@pytest.mark.parametrize(
    ("state", "news", "refusal"),
    [
        (S.AWAITING_APPROVAL, "settled", Contradiction),
        (S.ACCEPTED, "settled", Contradiction),
        (S.ACCEPTED, "failed", Contradiction),
        (S.ACCEPTED, "returned", Contradiction),
        (S.DISPATCHED, "returned", TooEarly),
        (S.UNKNOWN, "returned", TooEarly),
        (S.SETTLED, "failed", Contradiction),
        (S.SETTLED, "settled", NothingChanged),
        (S.FAILED, "settled", Contradiction),
        (S.FAILED, "failed", NothingChanged),
        (S.FAILED, "returned", Contradiction),
        (S.RETURNED, "settled", NothingChanged),
        (S.RETURNED, "failed", Contradiction),
        (S.RETURNED, "returned", NothingChanged),
        (S.REJECTED, "settled", Contradiction),
        (S.CANCELLED, "settled", Contradiction),
    ],
)
def test_late_and_impossible_news_changes_nothing(
    cast: Cast, state: TransferState, news: str, refusal: type[Refusal]
) -> None:
    transfer = factories.payout(cast, state=state)
    before = stands_at(cast.giver.pk)
    with pytest.raises(refusal):
        NEWS[news](transfer)
    assert Transfer.objects.get(pk=transfer.pk).state == state
    assert stands_at(cast.giver.pk) == before
    assert_books_hold()
