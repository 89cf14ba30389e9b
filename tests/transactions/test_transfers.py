"""Asking for a transfer and calling it off, as partners and staff do."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Approval, Freeze, Letter, PortfolioUserPerm, User
from accounts.roles import Role
from accounts.services.grants import grant_portfolio
from accounts.states import ApprovalState, FreezeMode
from audit.actors import Actor
from audit.errors import Invalid, NotFound, NotPermitted, Refusal
from audit.models import Entry
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.factories import Cast, committed
from transactions.errors import (
    AccountFrozen,
    AlreadyBooked,
    CurrencyMismatch,
    InsufficientFunds,
    LimitExceeded,
    WrongState,
)
from transactions.models import Hold, Journal, Transfer
from transactions.money import Money
from transactions.orders import TransferOrder
from transactions.services.freezes import freeze_account
from transactions.services.imports import PastTransfer, import_transfers
from transactions.services.transfers import (
    cancel_transfer,
    escalate_transfer,
    flag_transfer,
    note_on_transfer,
    request_transfer,
)
from transactions.states import HoldState, LimitWindow, TransferState

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("api")]


@pytest.fixture
def cast() -> Cast:
    """A partner with 10,000.00 EUR on one account and nothing on another."""
    return factories.cast()


@factories.set_up
def freeze(cast: Cast, *, mode: FreezeMode) -> Freeze:
    """Freeze the giver's account."""
    return freeze_account(
        actor=factories.colleague(),
        account_id=cast.giver.pk,
        mode=mode,
        reason="test",
        legal_reference="",
    )


def approval_of(transfer: Transfer) -> Approval:
    """Return the request that a transfer waits for, as it stands now."""
    assert transfer.approval_id is not None
    return Approval.objects.get(pk=transfer.approval_id)


@factories.set_up
def entries_about(ref: str) -> list[str]:
    """Return what the log says was done to something, in order."""
    done = Entry.objects.filter(target_ref=ref, outcome="done").order_by("id")
    return list(done.values_list("action", flat=True))


@factories.set_up
def refusals(actor: Actor) -> list[str]:
    """Return the codes of all refusals an actor heard, in order."""
    found = Entry.objects.filter(outcome="refused", actor_ref=actor.ref).order_by("id")
    return list(found.values_list("code", flat=True))


def ask(cast: Cast, **order: object) -> Transfer:
    """Ask as the partner, for a transfer out of the giver's account."""
    wanted = factories.order(cast.giver, **order)  # type: ignore[arg-type]
    return request_transfer(actor=cast.actor, order=wanted, origin=factories.origin())


def test_an_internal_transfer_moves_the_money_at_once(cast: Cast) -> None:
    transfer = ask(cast, amount_minor=2_500, to=cast.taker)
    assert transfer.state == TransferState.SETTLED
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR - 2_500, 0)
    assert stands_at(cast.taker.pk) == (2_500, 0)
    assert entries_about(transfer.audit_ref) == ["transfer.requested"]
    letter = Letter.objects.get(payload__id=transfer.public_id)
    assert (letter.type, letter.trace_id) == ("transfer.settled", transfer.trace_id)
    assert_books_hold()


def test_a_small_payout_is_reserved_and_accepted(cast: Cast) -> None:
    transfer = ask(cast, amount_minor=factories.THRESHOLD_MINOR - 1)
    assert (transfer.state, transfer.approval) == (TransferState.ACCEPTED, None)
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR, factories.THRESHOLD_MINOR - 1)
    assert not Journal.objects.filter(subject_ref=transfer.audit_ref).exists()
    assert_books_hold()


def test_a_payout_at_the_threshold_waits_for_a_second_person(cast: Cast) -> None:
    transfer = ask(cast, amount_minor=factories.THRESHOLD_MINOR, reference="Invoice 7")
    assert transfer.state == TransferState.AWAITING_APPROVAL
    approval = approval_of(transfer)
    assert (approval.state, approval.maker_party) == (ApprovalState.OPEN, cast.actor.party)
    assert approval.payload["amount_minor"] == factories.THRESHOLD_MINOR
    assert approval.payload["payee_name"] == "J••• B•••"
    assert_books_hold()


@pytest.mark.role("admin")
def test_what_staff_asks_for_waits_however_small(cast: Cast) -> None:
    officer = factories.colleague(Role.FINANCE_OPERATOR)
    transfer = request_transfer(
        actor=officer,
        order=factories.staff_order(cast, amount_minor=1),
        origin=factories.origin(),
    )
    assert transfer.state == TransferState.AWAITING_APPROVAL
    assert_books_hold()


@pytest.mark.role("admin")
def test_staff_moves_no_money_inside_the_house_on_one_signature(cast: Cast) -> None:
    for taker in (cast.taker, factories.cast().taker):
        with pytest.raises(NotPermitted):
            request_transfer(
                actor=factories.colleague(Role.FINANCE_OPERATOR),
                order=factories.order(cast.giver, to=taker),
                origin=factories.origin(),
            )
    assert_books_hold()


def test_all_of_an_account_may_leave_it_and_not_one_cent_more(cast: Cast) -> None:
    with pytest.raises(InsufficientFunds):
        ask(cast, amount_minor=factories.RICH_MINOR + 1, to=cast.taker)
    ask(cast, amount_minor=factories.RICH_MINOR, to=cast.taker)
    assert stands_at(cast.giver.pk) == (0, 0)
    assert_books_hold()


def test_reserved_money_cannot_be_spent_again(cast: Cast) -> None:
    ask(cast, amount_minor=factories.RICH_MINOR)
    with pytest.raises(InsufficientFunds):
        ask(cast, amount_minor=1, to=cast.taker)
    assert_books_hold()


def test_another_partners_account_looks_like_none(cast: Cast) -> None:
    other = factories.cast()
    stolen = TransferOrder(
        source_id=other.giver.pk, destination_id=cast.giver.pk, money=Money(100, "EUR")
    )
    gift = factories.order(cast.giver, to=other.taker)
    for order in (stolen, gift):
        with pytest.raises(NotFound):
            request_transfer(actor=cast.actor, order=order, origin=factories.origin())
    assert refusals(cast.actor) == ["not_found", "not_found"]
    assert not Transfer.objects.filter(book_id=cast.partner.book_id).exists()


def test_an_amount_in_another_currency_is_refused(cast: Cast) -> None:
    order = TransferOrder(
        source_id=cast.giver.pk, destination_id=cast.taker.pk, money=Money(100, "USD")
    )
    with pytest.raises(CurrencyMismatch):
        request_transfer(actor=cast.actor, order=order, origin=factories.origin())


@pytest.mark.parametrize(
    ("mode", "may_leave", "may_arrive"),
    [
        (FreezeMode.DEBITS, False, True),
        (FreezeMode.CREDITS, True, False),
        (FreezeMode.ALL, False, False),
    ],
)
def test_a_freeze_stops_money_in_its_direction(
    cast: Cast, mode: FreezeMode, *, may_leave: bool, may_arrive: bool
) -> None:
    ask(cast, amount_minor=5_000, to=cast.taker)
    freeze(cast, mode=mode)
    back = factories.order(cast.taker, amount_minor=100, to=cast.giver)
    for order, may in (
        (factories.order(cast.giver, amount_minor=100, to=cast.taker), may_leave),
        (factories.order(cast.giver, amount_minor=100), may_leave),
        (back, may_arrive),
    ):
        if may:
            request_transfer(actor=cast.actor, order=order, origin=factories.origin())
        else:
            with pytest.raises(AccountFrozen):
                request_transfer(actor=cast.actor, order=order, origin=factories.origin())
    assert_books_hold()


def test_a_limit_for_each_transfer_is_kept(cast: Cast) -> None:
    factories.limit(cast.giver, window=LimitWindow.TRANSFER, amount_max_minor=1_000)
    ask(cast, amount_minor=1_000, to=cast.taker)
    with pytest.raises(LimitExceeded):
        ask(cast, amount_minor=1_001, to=cast.taker)


def test_a_limit_for_the_day_counts_what_may_still_leave(cast: Cast) -> None:
    factories.limit(cast.giver, window=LimitWindow.DAY, amount_max_minor=1_000)
    called_off = ask(cast, amount_minor=900)
    with pytest.raises(LimitExceeded):
        ask(cast, amount_minor=101, to=cast.taker)
    cancel_transfer(actor=cast.actor, transfer_id=called_off.pk)
    ask(cast, amount_minor=1_000, to=cast.taker)
    with pytest.raises(LimitExceeded):
        ask(cast, amount_minor=1, to=cast.taker)


def test_what_was_taken_over_from_former_books_is_not_of_today(cast: Cast) -> None:
    factories.limit(cast.giver, window=LimitWindow.DAY, amount_max_minor=1_000)
    long_ago = timezone.now() - timedelta(days=3)
    past = PastTransfer(
        name="old/1",
        order=factories.order(cast.giver, amount_minor=5_000, to=cast.taker),
        state=TransferState.SETTLED,
        occurred_at=long_ago,
        ended_at=long_ago,
    )
    factories.set_up(import_transfers)(actor=factories.FOUNDER, items=[past])
    ask(cast, amount_minor=1_000, to=cast.taker)


def test_the_order_of_refusals_is_the_contract(cast: Cast) -> None:
    """Limit before freeze before funds; each is written down, and nothing else is."""
    factories.limit(
        cast.giver, window=LimitWindow.TRANSFER, amount_max_minor=factories.RICH_MINOR * 2
    )
    freeze(cast, mode=FreezeMode.DEBITS)
    said: list[type[Refusal]] = []
    for amount in (factories.RICH_MINOR * 2 + 1, factories.RICH_MINOR + 1):
        with pytest.raises(Refusal) as refused:
            ask(cast, amount_minor=amount, to=cast.taker)
        said.append(refused.type)
    assert said == [LimitExceeded, AccountFrozen]
    assert refusals(cast.actor) == ["limit_exceeded", "account_frozen"]
    assert not Transfer.objects.filter(book_id=cast.partner.book_id).exists()
    assert_books_hold()


def test_one_origin_moves_money_once(cast: Cast) -> None:
    origin = factories.origin()
    order = factories.order(cast.giver, to=cast.taker)
    request_transfer(actor=cast.actor, order=order, origin=origin)
    for again in (order, factories.order(cast.giver)):
        with pytest.raises(AlreadyBooked):
            request_transfer(actor=cast.actor, order=again, origin=origin)
    assert Transfer.objects.filter(book_id=cast.partner.book_id).count() == 1
    assert not Hold.objects.filter(book_id=cast.partner.book_id).exists()
    assert refusals(cast.actor) == ["already_booked", "already_booked"]
    assert_books_hold()


def test_an_account_pays_nothing_to_itself(cast: Cast) -> None:
    with pytest.raises(Invalid):
        ask(cast, to=cast.giver)
    assert_books_hold()


def test_a_payout_called_off_gives_its_money_back(cast: Cast) -> None:
    transfer = ask(cast, amount_minor=factories.THRESHOLD_MINOR)
    cancelled = cancel_transfer(actor=cast.actor, transfer_id=transfer.pk)
    assert cancelled.state == TransferState.CANCELLED
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR, 0)
    assert Hold.objects.get(transfer=transfer).state == HoldState.VOIDED
    assert approval_of(transfer).state == ApprovalState.WITHDRAWN
    assert_books_hold()


@pytest.mark.parametrize(
    "state", [TransferState.DISPATCHED, TransferState.UNKNOWN, TransferState.SETTLED]
)
def test_a_payout_that_was_sent_is_not_called_off(cast: Cast, state: TransferState) -> None:
    transfer = factories.payout(cast, state=state)
    with pytest.raises(WrongState):
        cancel_transfer(actor=cast.actor, transfer_id=transfer.pk)
    assert_books_hold()


def test_another_partners_transfer_looks_like_none(cast: Cast) -> None:
    theirs = factories.payout(factories.cast())
    with pytest.raises(NotFound):
        cancel_transfer(actor=cast.actor, transfer_id=theirs.pk)


def test_a_client_without_the_scope_is_refused_and_that_is_written_down(cast: Cast) -> None:
    reader = factories.speaker(cast.partner)
    bare = type(reader)(
        **{
            name: getattr(reader, name)
            for name in ("kind", "id", "label", "credential", "partner_id", "book_id")
        },
        grants=frozenset({"transactions.view_transfer"}),
    )
    with pytest.raises(NotPermitted):
        request_transfer(actor=bare, order=factories.order(cast.giver), origin=factories.origin())
    assert refusals(reader) == ["not_permitted"]


@factories.set_up
def let_in(cast: Cast, *, user_id: str) -> PortfolioUserPerm:
    """Grant a support agent the cast's portfolio."""
    return grant_portfolio(
        actor=factories.FOUNDER,
        portfolio=cast.portfolio,
        user=User.objects.get(pk=user_id),
    )


@pytest.mark.role("admin")
def test_support_marks_transfers_of_its_portfolios_and_knows_of_no_others(cast: Cast) -> None:
    support = factories.officer(Role.SUPPORT_AGENT)
    ours, theirs = factories.internal(cast), factories.internal(factories.cast())
    with pytest.raises(NotFound):
        note_on_transfer(actor=support, transfer_id=ours.pk, text="before the grant")
    let_in(cast, user_id=support.id)
    note_on_transfer(actor=support, transfer_id=ours.pk, text="called the customer")
    escalate_transfer(actor=support, transfer_id=ours.pk, reason="odd")
    assert Transfer.objects.get(pk=ours.pk).is_flagged
    for act in (flag_transfer, escalate_transfer):
        with pytest.raises(NotFound):
            act(actor=support, transfer_id=theirs.pk, reason="curious")
    assert entries_about(ours.audit_ref) == [
        "transfer.requested",
        "transfer.noted",
        "transfer.escalated",
    ]
    assert_books_hold()
