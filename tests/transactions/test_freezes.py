"""Freezes: at once by one, confirmed and lifted by two, several at a time, ended by the clock."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.errors import AlreadyAsked, AlreadyFrozen, FreezeOver, OwnRequest
from accounts.models import Account, Approval, Freeze
from accounts.selectors.freezes import unconfirmed_freezes
from accounts.services.approvals import decide_approval
from accounts.states import ApprovalState, FreezeMode, FreezeReason, FreezeState, Verdict
from audit.actors import Actor
from audit.errors import Invalid, Refusal
from audit.models import Entry
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.factories import Cast, committed
from transactions.errors import AccountFrozen, InsufficientFunds
from transactions.models import Balance
from transactions.rounds.approvals import carry_out_approvals
from transactions.rounds.freezes import turn_freezes
from transactions.services import freezes
from transactions.services.dispatching import settle_transfer
from transactions.services.freezes import FreezeTerms, freeze_account, request_lifting
from transactions.services.transfers import request_transfer
from transactions.states import TransferState

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("worker")]

MODES = (FreezeMode.DEBITS, FreezeMode.CREDITS, FreezeMode.ALL, FreezeMode.AMOUNT)
HELD_MINOR = 400_000
AT_ONCE = 4


def place(
    account: Account,
    *,
    mode: FreezeMode = FreezeMode.DEBITS,
    by: Actor | None = None,
    reference: str = "L-1",
    **terms: Any,
) -> Freeze:
    """Freeze an account, as compliance does."""
    if mode is FreezeMode.AMOUNT:
        terms.setdefault("amount_minor", HELD_MINOR)
    return freeze_account(
        actor=by or factories.colleague(),
        account_id=account.pk,
        mode=mode,
        reason="because",
        legal_reference=reference,
        terms=FreezeTerms(**terms),
    )


placed = factories.set_up(place)


@factories.set_up
def asked_to_lift(freeze: Freeze, *, by: Actor | None = None) -> Approval:
    """Ask that a freeze be lifted."""
    return request_lifting(
        actor=by or factories.colleague(), freeze_id=freeze.pk, reason="paid in full"
    )


def decide(
    approval: Approval, *, by: Actor | None = None, verdict: Verdict = Verdict.APPROVE
) -> Approval:
    """Let a second person decide."""
    return decide_approval(
        actor=by or factories.colleague(),
        approval_id=approval.pk,
        verdict=verdict,
        reason="looked at it",
        shown_hash=approval.payload_hash,
    )


decided = factories.set_up(decide)


@factories.set_up
def moved(cast: Cast, *, source: Account, to: Account | None, amount_minor: int) -> None:
    """Send money, inside or out of the house."""
    order = factories.order(source, amount_minor=amount_minor, to=to)
    request_transfer(actor=cast.actor, order=order, origin=factories.origin())


def confirmation_of(freeze: Freeze) -> Approval:
    """Return the request that a second person confirm a freeze."""
    return Approval.objects.get(subject_ref=freeze.audit_ref, action=freezes.CONFIRM)


def again(freeze: Freeze) -> Freeze:
    """Read a freeze anew."""
    return Freeze.objects.get(pk=freeze.pk)


def stops(account: Account) -> tuple[int, int]:
    """Return what the ledger stops on an account, and what it holds back."""
    balance = Balance.objects.get(pk=account.pk)
    return balance.frozen, balance.held_back_minor


def lifted(freeze: Freeze) -> None:
    """Lift a freeze, by two."""
    decided(asked_to_lift(freeze))
    carry_out_approvals()
    assert again(freeze).state == FreezeState.LIFTED


@pytest.fixture
def cast() -> Cast:
    """A partner with money; nothing of another test is due."""
    carry_out_approvals()
    turn_freezes()
    return factories.cast()


# -- what is stopped --------------------------------------------------------------------------


def test_an_amount_is_held_back_and_the_rest_moves(cast: Cast) -> None:
    free = factories.RICH_MINOR - HELD_MINOR
    placed(cast.giver, mode=FreezeMode.AMOUNT)
    for to in (cast.taker, None):
        with pytest.raises(InsufficientFunds):
            moved(cast, source=cast.giver, to=to, amount_minor=free + 1)
    moved(cast, source=cast.giver, to=cast.taker, amount_minor=free - 100)
    moved(cast, source=cast.giver, to=None, amount_minor=100)
    assert Balance.objects.get(pk=cast.giver.pk).available_minor == 0
    assert_books_hold()


def test_more_is_held_back_than_there_is_and_what_arrives_stays(cast: Cast) -> None:
    on_its_way = factories.payout(cast, state=TransferState.DISPATCHED)
    placed(cast.giver, mode=FreezeMode.AMOUNT, amount_minor=factories.RICH_MINOR * 2)
    settle_transfer(
        actor=factories.provider("testbank"),
        transfer_id=on_its_way.pk,
        provider_ref="ref",
        occurred_at=timezone.now(),
    )
    moved(cast, source=factories.account(cast.portfolio), to=cast.giver, amount_minor=500)
    with pytest.raises(InsufficientFunds):
        moved(cast, source=cast.giver, to=cast.taker, amount_minor=1)
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR - on_its_way.amount_minor + 500, 0)
    assert Balance.objects.get(pk=cast.giver.pk).available_minor == 0
    assert_books_hold()


def test_amounts_that_add_up_to_more_than_the_books_can_hold_hold_back_all(cast: Cast) -> None:
    most = 2**63 - 1
    for reference in ("L-1", "L-2"):
        placed(cast.giver, mode=FreezeMode.AMOUNT, amount_minor=most, reference=reference)
    assert stops(cast.giver) == (0, most)
    assert_books_hold()


def test_several_stand_at_once_and_each_is_lifted_for_itself(cast: Cast) -> None:
    debits = placed(cast.giver)
    held = placed(cast.giver, mode=FreezeMode.AMOUNT)
    credit = placed(cast.giver, mode=FreezeMode.CREDITS)
    assert stops(cast.giver) == (3, HELD_MINOR)
    assert Account.objects.get(pk=cast.giver.pk).freeze_mode == FreezeMode.ALL
    lifted(debits)
    assert stops(cast.giver) == (2, HELD_MINOR)
    lifted(credit)
    assert Account.objects.get(pk=cast.giver.pk).freeze_mode == FreezeMode.AMOUNT
    lifted(held)
    assert stops(cast.giver) == (0, 0)
    assert Account.objects.get(pk=cast.giver.pk).freeze_mode == FreezeMode.NONE
    assert_books_hold()


def test_two_orders_of_one_kind_stand_under_two_references_and_not_under_one(cast: Cast) -> None:
    first = placed(cast.giver, reference="court 1")
    placed(cast.giver, reference="court 2")
    with pytest.raises(AlreadyFrozen):
        placed(cast.giver, reference="court 1")
    lifted(first)
    with pytest.raises(AccountFrozen):
        moved(cast, source=cast.giver, to=cast.taker, amount_minor=1)
    assert_books_hold()


@pytest.mark.parametrize(
    ("mode", "terms", "field"),
    [
        (FreezeMode.NONE, {}, "mode"),
        (FreezeMode.AMOUNT, {"amount_minor": None}, "amount_minor"),
        (FreezeMode.AMOUNT, {"amount_minor": 0}, "amount_minor"),
        (FreezeMode.AMOUNT, {"amount_minor": 2**63}, "amount_minor"),
        (FreezeMode.DEBITS, {"amount_minor": 1}, "amount_minor"),
        (FreezeMode.DEBITS, {"ends_at": timezone.now() - timedelta(days=1)}, "ends_at"),
    ],
)
def test_terms_that_make_no_sense_are_refused(
    cast: Cast, mode: FreezeMode, terms: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        placed(cast.giver, mode=mode, **terms)
    assert set(refused.value.fields) == {field}
    assert stops(cast.giver) == (0, 0)


# -- who stands behind it ---------------------------------------------------------------------


def test_a_second_person_confirms_and_never_the_one_who_froze(cast: Cast) -> None:
    officer = factories.colleague()
    freeze = placed(cast.giver, by=officer, reason_code=FreezeReason.COURT)
    asked = confirmation_of(freeze)
    with pytest.raises(OwnRequest):
        decided(asked, by=officer)
    decided(asked)
    carry_out_approvals()
    assert again(freeze).confirmed_at is not None
    assert confirmation_of(freeze).state == ApprovalState.USED
    assert stops(cast.giver) == (1, 0)
    assert_books_hold()


def test_what_nobody_confirms_in_time_stays_and_is_an_alarm(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freezes, "CONFIRM_WITHIN", timedelta(0))
    late, refused = placed(cast.giver), placed(cast.taker)
    decided(confirmation_of(refused), verdict=Verdict.REJECT)
    carry_out_approvals()
    alarms = unconfirmed_freezes(limit=1000)
    assert {late, refused} <= set(alarms)
    assert stops(cast.giver) == stops(cast.taker) == (1, 0)
    decided(confirmation_of(late))
    carry_out_approvals()
    assert late not in unconfirmed_freezes(limit=1000)
    lifted(refused)
    assert refused not in unconfirmed_freezes(limit=1000)


def test_one_alone_lifts_nothing_and_asks_only_once(cast: Cast) -> None:
    officer = factories.colleague()
    freeze = placed(cast.giver, by=officer)
    asked = asked_to_lift(freeze, by=officer)
    with pytest.raises(AlreadyAsked):
        asked_to_lift(freeze)
    with pytest.raises(OwnRequest):
        decided(asked, by=officer)
    decided(asked, verdict=Verdict.REJECT)
    carry_out_approvals()
    assert again(freeze).state == FreezeState.IN_FORCE
    lifted(freeze)
    assert confirmation_of(freeze).state == ApprovalState.WITHDRAWN
    with pytest.raises(FreezeOver):
        asked_to_lift(freeze)
    assert_books_hold()


# -- when -------------------------------------------------------------------------------------


def test_it_starts_and_ends_by_the_clock_and_both_are_written_down(cast: Cast) -> None:
    now = timezone.now()
    soon, later = now + timedelta(seconds=1.5), now + timedelta(seconds=2.5)
    freeze = placed(cast.giver, starts_at=soon, ends_at=later)
    assert turn_freezes() == 0
    assert (again(freeze).state, stops(cast.giver)) == (FreezeState.SCHEDULED, (0, 0))
    asked_to_lift(freeze)
    time.sleep(1.5)
    assert turn_freezes() == 1
    assert (again(freeze).state, stops(cast.giver)) == (FreezeState.IN_FORCE, (1, 0))
    time.sleep(1)
    assert [turn_freezes() for _ in range(2)] == [1, 0]
    assert (again(freeze).state, stops(cast.giver)) == (FreezeState.ENDED, (0, 0))
    said = Entry.objects.filter(target_ref=cast.giver.audit_ref).order_by("id")
    assert list(said.values_list("action", flat=True))[-4:] == [
        "freeze.scheduled",
        "freeze.lifting_requested",
        "account.frozen",
        "freeze.ended",
    ]
    left = Approval.objects.filter(subject_ref=freeze.audit_ref)
    assert set(left.values_list("state", flat=True)) == {ApprovalState.WITHDRAWN}
    assert_books_hold()


# -- at once ----------------------------------------------------------------------------------


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Run acts side by side; return what each returned, or the code it was refused with."""

    def run(act: Callable[[], object]) -> object:
        try:
            return act()
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=len(acts)) as pool:
        return list(pool.map(run, acts))


@factories.set_up
def test_a_freeze_and_payments_at_once_end_as_if_one_after_the_other(cast: Cast) -> None:
    def pay() -> object:
        order = factories.order(cast.giver, amount_minor=1, to=cast.taker)
        return request_transfer(actor=cast.actor, order=order, origin=factories.origin()).pk

    officer = factories.colleague()

    def freeze() -> object:
        return freeze_account(
            actor=officer,
            account_id=cast.giver.pk,
            mode=FreezeMode.ALL,
            reason="x",
            legal_reference="L-9",
        ).pk

    said = at_once(pay, pay, freeze, pay, pay, pay)
    paid = sum(1 for one in said if one != "account_frozen") - 1
    assert stands_at(cast.giver.pk)[0] == factories.RICH_MINOR - paid
    assert at_once(pay, pay) == ["account_frozen"] * 2
    assert_books_hold()


@factories.set_up
def test_lifting_one_while_another_is_placed_leaves_the_other_in_force(cast: Cast) -> None:
    for number in range(AT_ONCE):
        old = placed(cast.giver, reference=f"old {number}")
        decided(asked_to_lift(old))
        at_once(
            carry_out_approvals,
            lambda number=number: place(  # type: ignore[misc]
                cast.giver, mode=FreezeMode.CREDITS, reference=f"new {number}"
            ),
        )
        carry_out_approvals()
        assert again(old).state == FreezeState.LIFTED
        assert stops(cast.giver) == (2, 0)
    assert_books_hold()


@factories.set_up
def test_of_two_confirmations_at_once_each_counts_and_the_act_happens_once(cast: Cast) -> None:
    freeze = placed(cast.giver)
    asked = confirmation_of(freeze)
    said = at_once(*(lambda: decide(asked).state for _ in range(AT_ONCE)))
    assert sorted(map(str, said)) == ["already_decided"] * (AT_ONCE - 1) + ["approved"]
    at_once(*(carry_out_approvals for _ in range(AT_ONCE)))
    confirmed = Entry.objects.filter(target_ref=cast.giver.audit_ref, action="freeze.confirmed")
    assert confirmed.count() == 1
    assert_books_hold()
