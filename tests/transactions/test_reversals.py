"""Reversals: a transfer goes back whole or in parts, never more of it, and never unlinked."""

from collections.abc import Sequence

import pytest
from django.db import Error, connection, transaction
from django.utils import timezone

from accounts.errors import StaleApproval
from accounts.models import Approval, Letter
from accounts.roles import Role
from accounts.services.approvals import decide_approval
from accounts.states import ApprovalState, FreezeMode, Verdict
from audit.actors import Actor
from audit.constraints import broken_rule
from audit.errors import NotFound, NotPermitted
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.conftest import STAGE
from tests.factories import Cast, committed
from transactions.errors import (
    AccountFrozen,
    AlreadyBooked,
    InsufficientFunds,
    NotReversible,
    ReversalExceeded,
    WrongState,
)
from transactions.ledger.posting import Draft, Line, Unbalanced, post
from transactions.models import Journal, Posting, ReversedLine, Transfer
from transactions.rounds.approvals import carry_out_approvals
from transactions.services.freezes import freeze_account
from transactions.services.reversals import request_reversal, reverse_transfer
from transactions.services.transfers import request_transfer
from transactions.states import TransferState

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("api")]
RICH = factories.RICH_MINOR


@pytest.fixture
def cast() -> Cast:
    """A partner with money on one account."""
    return factories.cast()


def reverse(
    cast: Cast, moved: Transfer, amount_minor: int | None = None, *, origin: str = ""
) -> Transfer:
    """Reverse as the partner, under a cause of its own unless one is given."""
    return reverse_transfer(
        actor=cast.actor,
        transfer_id=moved.pk,
        origin=origin or factories.origin(),
        reason="sent twice",
        amount_minor=amount_minor,
    )


@factories.set_up
def freeze(cast: Cast, *, mode: FreezeMode, taker: bool) -> None:
    freeze_account(
        actor=factories.colleague(),
        account_id=(cast.taker if taker else cast.giver).pk,
        mode=mode,
        reason="sanctions",
        legal_reference="L-1",
    )


def test_a_transfer_goes_back_whole_by_a_journal_that_names_the_first(cast: Cast) -> None:
    moved = reverse(cast, factories.internal(cast))
    assert (moved.state, moved.reversed_minor) == (TransferState.REVERSED, 1_000)
    assert moved.settled_at is not None
    assert (stands_at(cast.giver.pk), stands_at(cast.taker.pk)) == ((RICH, 0), (0, 0))
    there, back = Journal.objects.filter(subject_ref=moved.audit_ref).order_by("id")
    assert (there.reverses, back.reverses, back.purpose) == (None, there.pk, "reversal")
    with pytest.raises(WrongState):
        reverse(cast, moved)
    assert_books_hold()


def test_a_transfer_goes_back_in_parts_and_stays_settled_until_the_last(cast: Cast) -> None:
    moved = factories.internal(cast)
    for amount, state, gone in (
        (300, "settled", 300),
        (600, "settled", 900),
        (None, "reversed", 1_000),
    ):
        moved = reverse(cast, moved, amount)
        assert (moved.state, moved.reversed_minor) == (state, gone)
    letters = Letter.objects.filter(type="transfer.reversed", payload__id=moved.public_id)
    told = [each.payload for each in letters.order_by("xact", "id")]
    assert [each["reversal"]["amount_minor"] for each in told] == [300, 600, 100]
    assert [each["reversed_minor"] for each in told] == [300, 900, 1_000]
    assert_books_hold()


def test_no_more_goes_back_than_came(cast: Cast) -> None:
    moved = reverse(cast, factories.internal(cast), 700)
    factories.internal(cast)  # so that the receiver could pay more
    with pytest.raises(ReversalExceeded) as refused:
        reverse(cast, moved, 301)
    assert refused.value.remaining_minor == 300
    assert_books_hold()


def test_one_cause_reverses_once(cast: Cast) -> None:
    moved, cause = factories.internal(cast), factories.origin()
    reverse(cast, moved, 10, origin=cause)
    with pytest.raises(AlreadyBooked):
        reverse(cast, moved, 10, origin=cause)
    assert_books_hold()


def test_the_receiver_must_be_able_to_bear_it(cast: Cast) -> None:
    moved = factories.internal(cast)
    request_transfer(
        actor=cast.actor,
        order=factories.order(cast.taker, amount_minor=1, to=cast.giver),
        origin=factories.origin(),
    )
    with pytest.raises(InsufficientFunds):
        reverse(cast, moved)
    assert reverse(cast, moved, 999).reversed_minor == 999
    assert_books_hold()


@pytest.mark.parametrize("mode", [FreezeMode.DEBITS, FreezeMode.CREDITS])
def test_a_freeze_on_either_side_stops_it(cast: Cast, mode: FreezeMode) -> None:
    moved = factories.internal(cast)
    freeze(cast, mode=mode, taker=mode is FreezeMode.DEBITS)
    with pytest.raises(AccountFrozen):
        reverse(cast, moved)
    assert stands_at(cast.taker.pk) == (1_000, 0)


@pytest.mark.parametrize("state", [TransferState.ACCEPTED, TransferState.SETTLED])
def test_a_payout_is_not_reversed(cast: Cast, state: TransferState) -> None:
    with pytest.raises(NotReversible):
        reverse(cast, factories.payout(cast, state=state))


def test_another_partners_transfer_does_not_exist(cast: Cast) -> None:
    with pytest.raises(NotFound):
        reverse(factories.cast(), factories.internal(cast))


# -- staff ------------------------------------------------------------------------------------


@pytest.fixture
def finance() -> Actor:
    """Somebody of finance."""
    return factories.colleague(Role.FINANCE_OPERATOR)


def asked_by(finance: Actor, moved: Transfer, *, amount_minor: int = 1_000) -> Approval:
    with STAGE.as_role("admin"):
        return request_reversal(
            actor=finance, transfer_id=moved.pk, amount_minor=amount_minor, reason="complaint 7"
        )


def decide(approval: Approval, verdict: Verdict = Verdict.APPROVE) -> None:
    with STAGE.as_role("admin"):
        decide_approval(
            actor=factories.colleague(),
            approval_id=approval.pk,
            verdict=verdict,
            reason="looked at it",
            shown_hash=approval.payload_hash,
        )
    with STAGE.as_role("worker"):
        carry_out_approvals()


def test_staff_takes_back_a_transfer_only_as_a_second_person_saw_it(
    cast: Cast, finance: Actor
) -> None:
    moved = factories.internal(cast)
    approval = asked_by(finance, moved, amount_minor=400)
    assert stands_at(cast.taker.pk) == (1_000, 0)
    decide(approval)
    moved.refresh_from_db()
    approval.refresh_from_db()
    assert (moved.reversed_minor, approval.state) == (400, ApprovalState.USED)
    assert stands_at(cast.taker.pk) == (600, 0)
    assert_books_hold()


def test_a_rejected_reversal_moves_nothing(cast: Cast, finance: Actor) -> None:
    moved = factories.internal(cast)
    decide(asked_by(finance, moved), Verdict.REJECT)
    assert stands_at(cast.taker.pk) == (1_000, 0)
    assert_books_hold()


def test_an_approved_reversal_is_stale_once_part_of_it_went_back_otherwise(
    cast: Cast, finance: Actor
) -> None:
    moved = factories.internal(cast)
    approval = asked_by(finance, moved, amount_minor=600)
    reverse(cast, moved, 300)
    decide(approval)
    approval.refresh_from_db()
    assert (approval.state, approval.obstacle) == (ApprovalState.APPROVED, StaleApproval.code)
    assert stands_at(cast.taker.pk) == (700, 0)


def test_nobody_of_the_house_reverses_without_an_approval(cast: Cast, finance: Actor) -> None:
    moved = factories.internal(cast)
    for actor in (finance, factories.SYSTEM, finance.holding("transactions.reverse_transfer")):
        with STAGE.as_role("worker"), pytest.raises(NotPermitted):
            reverse_transfer(
                actor=actor, transfer_id=moved.pk, origin=factories.origin(), reason="alone"
            )
    assert stands_at(cast.taker.pk) == (1_000, 0)


def test_no_more_is_asked_for_than_is_left(cast: Cast, finance: Actor) -> None:
    with pytest.raises(ReversalExceeded):
        asked_by(finance, factories.internal(cast), amount_minor=1_001)


# -- what the database keeps, whoever posts ---------------------------------------------------


def post_back(moved: Transfer, *lines: tuple[object, int]) -> str:
    """Post these lines as a reversal of the transfer's journal; return the rule they broke."""
    first = Journal.objects.get(subject_ref=moved.audit_ref, reverses__isnull=True)
    drafted: Sequence[Line] = [
        Line(account_id=key, amount_minor=amount, currency="EUR")  # type: ignore[arg-type]
        for key, amount in lines
    ]
    draft = Draft(
        book_id=moved.book_id,
        purpose="reversal",
        subject_ref="test",
        origin=factories.origin(),
        occurred_at=timezone.now(),
        reverses=first.pk,
        lines=drafted,
    )
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.book', %s, true)", [str(moved.book_id)])
            post(draft)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            transaction.set_rollback(True)
    except Error as error:
        return broken_rule(error)
    return ""


def test_the_database_takes_only_lines_opposite_to_the_first_and_within_them(cast: Cast) -> None:
    moved = factories.internal(cast)
    factories.internal(cast)
    third = factories.account(cast.portfolio)
    giver, taker = cast.giver.pk, cast.taker.pk
    assert post_back(moved, (taker, -1_000), (giver, 1_000)) == ""
    assert post_back(moved, (taker, -1_001), (giver, 1_001)) == "reversed_line_within"
    assert post_back(moved, (giver, -1_000), (taker, 1_000)) == "reversal_mirrors"
    assert post_back(moved, (third.pk, -1_000), (giver, 1_000)) == "reversal_mirrors"
    assert post_back(moved, (taker, -1_000), (third.pk, 1_000)) == "reversal_mirrors"


def test_asking_the_database_before_the_lines_are_there_lets_nothing_through(cast: Cast) -> None:
    moved = factories.internal(cast)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS journal_reversal IMMEDIATE")
        assert post_back(moved, (cast.taker.pk, -1), (cast.giver.pk, 1)) == "reversal_mirrors"
    assert not ReversedLine.objects.filter(account_id=cast.giver.pk).exists()


def test_what_a_returned_payout_could_not_give_back_may_wait_in_suspense(cast: Cast) -> None:
    paid = factories.payout(cast, state=TransferState.SETTLED)
    freeze(cast, mode=FreezeMode.CREDITS, taker=False)
    factories.give_back(paid)
    lines = Posting.objects.filter(
        journal_id__in=Journal.objects.filter(reverses__isnull=False, book_id=paid.book_id).values(
            "pk"
        )
    )
    assert lines.count() == 2
    assert_books_hold()


def test_an_unbalanced_reversal_is_a_fault(cast: Cast) -> None:
    with pytest.raises(Unbalanced):
        post_back(factories.internal(cast), (cast.taker.pk, -1), (cast.giver.pk, 2))
