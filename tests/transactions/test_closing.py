"""An account's end and its floor: asked for by one, carried out by two, obeyed by the ledger."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connection

from accounts.errors import AlreadyAsked, OwnRequest
from accounts.models import Account, Approval
from accounts.roles import Role
from accounts.services.approvals import decide_approval
from accounts.states import AccountStatus, FreezeMode, Verdict
from audit.actors import Actor
from audit.errors import Invalid
from tests import factories
from tests.books import assert_books_hold, moved, stands_at
from tests.factories import Cast, committed
from transactions.errors import (
    AccountClosed,
    AccountNotEmpty,
    InsufficientFunds,
    NothingChanged,
)
from transactions.models import Balance
from transactions.rounds.approvals import carry_out_approvals
from transactions.services.accounts import (
    close_account,
    request_closing,
    request_floor,
    request_reopening,
)
from transactions.services.freezes import freeze_account
from transactions.services.movements import book_movement
from transactions.services.transfers import request_transfer

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("worker")]
OVERDRAFT_MINOR = 50_000
AT_ONCE = 4


@factories.set_up
def asked(ask: object, account: Account, *, by: Actor | None = None, **more: int) -> Approval:
    """Ask for one of the acts."""
    actor = by or factories.colleague(Role.FINANCE_OPERATOR)
    found: Approval = ask(actor=actor, account_id=account.pk, reason="agreed", **more)  # type: ignore[operator]
    return found


@factories.set_up
def signed(approval: Approval, *, by: Actor | None = None) -> None:
    """Let a second person approve."""
    decide_approval(
        actor=by or factories.colleague(),
        approval_id=approval.pk,
        verdict=Verdict.APPROVE,
        reason="looked at it",
        shown_hash=approval.payload_hash,
    )


@factories.set_up
def approved(approval: Approval, *, by: Actor | None = None) -> Approval:
    """Let a second person approve, and have it carried out."""
    signed(approval, by=by)
    carry_out_approvals()
    approval.refresh_from_db()
    return approval


@factories.set_up
def pay(cast: Cast, *, source: Account, to: Account | None, amount_minor: int = 1) -> None:
    """Send money, inside or out of the house."""
    order = factories.order(source, amount_minor=amount_minor, to=to)
    request_transfer(actor=cast.actor, order=order, origin=factories.origin())


def again(account: Account) -> Account:
    """Read an account anew."""
    return Account.objects.get(pk=account.pk)


@pytest.fixture
def cast() -> Cast:
    """A partner with money; nothing of another test is due."""
    carry_out_approvals()
    return factories.cast()


@pytest.fixture
def closed(cast: Cast) -> Account:
    """An account that two people have closed."""
    assert approved(asked(request_closing, cast.taker)).state == "used"
    return again(cast.taker)


# -- closing and reopening --------------------------------------------------------------------


def test_two_close_an_account_and_no_money_passes_it_any_more(cast: Cast, closed: Account) -> None:
    assert closed.status == AccountStatus.CLOSED
    for source, to in ((cast.giver, closed), (closed, cast.giver), (closed, None)):
        with pytest.raises(AccountClosed):
            pay(cast, source=source, to=to)
    assert stands_at(closed.pk) == (0, 0)
    assert_books_hold()


def test_money_that_the_world_sends_to_a_closed_account_is_kept_beside_it(closed: Account) -> None:
    book_movement(actor=factories.provider(), movement=factories.charge(closed))
    assert stands_at(closed.pk) == (0, 0)
    assert moved(closed.book_id)["shortfall"] == 10_000
    assert_books_hold()


def test_what_has_money_a_payout_or_a_freeze_is_not_closed(cast: Cast) -> None:
    with pytest.raises(AccountNotEmpty):
        asked(request_closing, cast.giver)
    factories.set_up(freeze_account)(
        actor=factories.colleague(),
        account_id=cast.taker.pk,
        mode=FreezeMode.DEBITS,
        reason="x",
        legal_reference="",
    )
    with pytest.raises(AccountNotEmpty):
        asked(request_closing, cast.taker)
    drained = factories.account(cast.portfolio, holding_minor=1_000)
    pay(cast, source=drained, to=None, amount_minor=1_000)
    with pytest.raises(AccountNotEmpty):
        asked(request_closing, drained)


def test_money_that_arrives_before_the_second_word_keeps_it_open(cast: Cast) -> None:
    request = asked(request_closing, cast.taker)
    pay(cast, source=cast.giver, to=cast.taker, amount_minor=1)
    assert approved(request).obstacle == "account_not_empty"
    assert again(cast.taker).closed_at is None
    assert_books_hold()


def test_two_reopen_it_and_it_is_as_before(cast: Cast, closed: Account) -> None:
    with pytest.raises(AccountClosed):
        asked(request_closing, closed)
    approved(asked(request_reopening, closed))
    assert again(closed).status == AccountStatus.ACTIVE
    pay(cast, source=cast.giver, to=closed, amount_minor=7)
    assert stands_at(closed.pk) == (7, 0)
    with pytest.raises(NothingChanged):
        asked(request_reopening, closed)
    assert_books_hold()


def test_a_closed_account_is_not_frozen_and_gets_no_floor(closed: Account) -> None:
    with pytest.raises(AccountClosed):
        factories.set_up(freeze_account)(
            actor=factories.colleague(),
            account_id=closed.pk,
            mode=FreezeMode.ALL,
            reason="x",
            legal_reference="",
        )
    with pytest.raises(AccountClosed):
        asked(request_floor, closed, floor_minor=-1)


def test_one_alone_closes_nothing(cast: Cast) -> None:
    officer = factories.colleague()
    maker = replace(officer, grants=officer.grants | {"transactions.request_closing"})
    request = asked(request_closing, cast.taker, by=maker)
    with pytest.raises(AlreadyAsked):
        asked(request_closing, cast.taker)
    with pytest.raises(OwnRequest):
        approved(request, by=officer)
    assert again(cast.taker).closed_at is None


@factories.set_up
def test_a_closing_and_money_at_once_end_as_if_one_after_the_other(cast: Cast) -> None:
    def send(account: Account) -> str:
        try:
            order = factories.order(cast.giver, amount_minor=1, to=account)
            request_transfer(actor=cast.actor, order=order, origin=factories.origin())
        except AccountClosed as refused:
            return refused.code
        finally:
            connection.close()
        return "paid"

    def close(approval: Approval) -> str:
        try:
            close_account(actor=factories.SYSTEM, approval_id=approval.pk)
        except AccountNotEmpty as refused:
            return refused.code
        finally:
            connection.close()
        return "closed"

    for _ in range(AT_ONCE):
        account = factories.account(cast.portfolio, holding_minor=0)
        request = asked(request_closing, account)
        signed(request)
        with ThreadPoolExecutor(max_workers=2) as pool:
            paid, closing = pool.submit(send, account), pool.submit(close, request)
        said = (paid.result(), closing.result())
        assert said in {("paid", "account_not_empty"), ("account_closed", "closed")}
        assert again(account).closed_at is None if said[0] == "paid" else again(account).closed_at
    assert_books_hold()


# -- the floor --------------------------------------------------------------------------------


def test_an_agreed_overdraft_is_spent_to_its_last_unit_and_no_further(cast: Cast) -> None:
    assert approved(asked(request_floor, cast.taker, floor_minor=-OVERDRAFT_MINOR)).state == "used"
    with pytest.raises(InsufficientFunds):
        pay(cast, source=cast.taker, to=cast.giver, amount_minor=OVERDRAFT_MINOR + 1)
    pay(cast, source=cast.taker, to=cast.giver, amount_minor=OVERDRAFT_MINOR - 1)
    pay(cast, source=cast.taker, to=None, amount_minor=1)
    assert stands_at(cast.taker.pk) == (1 - OVERDRAFT_MINOR, 1)
    assert Balance.objects.get(pk=cast.taker.pk).available_minor == 0
    assert_books_hold()


def test_a_floor_above_what_is_there_is_refused_and_stays_to_be_seen(cast: Cast) -> None:
    approved(asked(request_floor, cast.taker, floor_minor=-OVERDRAFT_MINOR))
    pay(cast, source=cast.taker, to=cast.giver, amount_minor=OVERDRAFT_MINOR)
    raised = approved(asked(request_floor, cast.taker, floor_minor=-1))
    assert (raised.state, raised.obstacle) == ("approved", "insufficient_funds")
    assert again(cast.taker).floor_minor == -OVERDRAFT_MINOR
    assert_books_hold()


def test_a_request_from_before_another_change_is_stale(cast: Cast) -> None:
    closing = asked(request_closing, cast.taker)
    approved(asked(request_floor, cast.taker, floor_minor=-5))
    stale = approved(closing)
    assert (stale.state, stale.obstacle) == ("approved", "stale_approval")
    assert again(cast.taker).closed_at is None


@pytest.mark.parametrize(
    ("floor", "refusal"), [(1, Invalid), (-(2**63), Invalid), (0, NothingChanged)]
)
def test_a_floor_is_zero_or_an_overdraft(cast: Cast, floor: int, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        asked(request_floor, cast.taker, floor_minor=floor)


def test_an_overdraft_does_not_let_an_account_be_closed_below_zero(cast: Cast) -> None:
    approved(asked(request_floor, cast.taker, floor_minor=-OVERDRAFT_MINOR))
    pay(cast, source=cast.taker, to=cast.giver, amount_minor=1)
    with pytest.raises(AccountNotEmpty):
        asked(request_closing, cast.taker)
