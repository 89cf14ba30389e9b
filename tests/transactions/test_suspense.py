"""Money whose owner nobody named: given away once, under a signature, never more than there is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.errors import OwnRequest
from accounts.models import Approval
from accounts.roles import Role
from accounts.states import ApprovalState, Verdict
from audit.errors import Invalid, NotFound
from audit.typeids import uuid7
from tests import factories
from tests.books import assert_books_hold, moved, stands_at
from tests.conftest import STAGE
from tests.factories import Cast, committed
from tests.four_eyes import carry_out, commit, decide, outcomes, post_raw
from transactions.errors import AlreadyBooked, CurrencyMismatch, MoreThanRemains
from transactions.meanings import Movement, MovementKind
from transactions.models import LedgerAccount, SuspenseAllocation
from transactions.money import Money
from transactions.proposals import Allocation
from transactions.rounds.approvals import CLERK, carry_out_approvals
from transactions.selectors.suspense import Item, access_suspense, open_suspense
from transactions.services.interbook import Passage, post_between_books
from transactions.services.movements import book_movement
from transactions.services.suspense import allocate_suspense, propose_allocation

__all__ = ["committed"]
pytestmark = pytest.mark.usefixtures("committed")
FINANCE = factories.colleague(Role.FINANCE_OPERATOR)
HELD_MINOR = 9_000


@pytest.fixture
def cast() -> Cast:
    """A partner whose taker has nothing yet."""
    return factories.cast()


def stray(**changes: Any) -> tuple[Item, Movement]:
    """Return money that arrived for nobody: in the house's book."""
    paid = factories.charge(None, amount_minor=HELD_MINOR, fee_minor=0, **changes)
    with STAGE.as_role("worker"):
        book_movement(actor=factories.provider(), movement=paid)
    return factories.suspense_of(paid), paid


def proposed(
    item: Item, company: Cast, *, amount_minor: int = HELD_MINOR, **changes: Any
) -> SuspenseAllocation:
    """Return an allocation to the taker that waits for a second person."""
    facts: dict[str, Any] = {
        "id": uuid7(),
        "posting_id": item.id,
        "account_id": company.taker.pk,
        "amount_minor": amount_minor,
        "reason": "the payer named order 17 on the phone",
    }
    return propose_allocation(actor=FINANCE, allocation=Allocation(**{**facts, **changes}))


def remains(item: Item) -> int:
    """Return what of an item nobody has allocated."""
    return access_suspense(item.id, actor=FINANCE).remains_minor


def test_money_in_the_houses_suspense_crosses_into_its_owners_book(cast: Cast) -> None:
    item, _ = stray()
    waiting = proposed(item, cast)
    assert stands_at(cast.taker.pk) == (0, 0)
    assert carry_out(waiting.approval).state == ApprovalState.USED
    assert stands_at(cast.taker.pk) == (HELD_MINOR, 0)
    assert moved(cast.partner.book_id)["interbook:house"] == -HELD_MINOR
    assert moved(item.book_id)[f"interbook:{cast.partner.slug}"] == HELD_MINOR
    assert remains(item) == 0
    assert item.id not in {one.id for one in open_suspense(limit=500, to=FINANCE)}
    assert_books_hold()


def test_a_part_is_allocated_and_the_rest_remains(cast: Cast) -> None:
    item, _ = stray()
    carry_out(proposed(item, cast, amount_minor=2_500).approval)
    assert remains(item) == HELD_MINOR - 2_500
    with pytest.raises(MoreThanRemains):
        proposed(item, cast, amount_minor=HELD_MINOR)
    carry_out(proposed(item, cast, amount_minor=HELD_MINOR - 2_500).approval)
    assert stands_at(cast.taker.pk) == (HELD_MINOR, 0)
    assert_books_hold()


def test_money_in_a_partners_own_suspense_stays_in_its_book(cast: Cast) -> None:
    paid = factories.charge(cast.taker, amount_minor=7_000, fee_minor=0)
    late = factories.after(paid, kind=MovementKind.DISPUTE_REVERSAL, amount_minor=300)
    with STAGE.as_role("worker"):
        for movement in (paid, replace(late, currency="USD")):
            book_movement(actor=factories.provider(), movement=movement)
    items = [
        one for one in open_suspense(limit=500, to=FINANCE) if one.book_id == cast.partner.book_id
    ]
    usd = factories.account(cast.portfolio, currency="USD", holding_minor=0)
    carry_out(proposed(items[0], cast, amount_minor=300, account_id=usd.pk).approval)
    assert stands_at(usd.pk) == (300, 0)
    assert not any(code.startswith("interbook") for code in moved(cast.partner.book_id))
    assert_books_hold()


def test_what_was_rejected_moves_nothing_and_may_be_proposed_again(cast: Cast) -> None:
    item, _ = stray()
    carry_out(proposed(item, cast).approval, verdict=Verdict.REJECT)
    assert remains(item) == HELD_MINOR
    carry_out(proposed(item, cast).approval)
    assert stands_at(cast.taker.pk) == (HELD_MINOR, 0)


def test_of_two_approved_for_the_same_money_the_second_is_stale_and_says_what_changed(
    cast: Cast,
) -> None:
    item, _ = stray()
    first, second = proposed(item, cast), proposed(item, cast, amount_minor=5_000)
    carry_out(first.approval)
    stuck = carry_out(second.approval)
    assert (stuck.state, stuck.obstacle) == (ApprovalState.APPROVED, "stale_approval")
    assert stuck.obstacle_facts["changed"] == {"remains_minor": [HELD_MINOR, 0]}
    assert stands_at(cast.taker.pk) == (HELD_MINOR, 0)
    assert_books_hold()


def test_what_the_provider_took_back_remains_no_more(cast: Cast) -> None:
    item, paid = stray()
    refund = factories.after(paid, kind=MovementKind.REFUND, amount_minor=-4_000)
    with STAGE.as_role("worker"):
        book_movement(actor=factories.provider(), movement=refund)
    assert remains(item) == HELD_MINOR - 4_000
    with pytest.raises(MoreThanRemains):
        proposed(item, cast)


def test_a_form_that_says_too_little_or_another_currency_is_refused(cast: Cast) -> None:
    item, _ = stray()
    dollars = factories.account(cast.portfolio, currency="USD", holding_minor=0)
    with pytest.raises(CurrencyMismatch):
        proposed(item, cast, account_id=dollars.pk)
    with pytest.raises(Invalid):
        proposed(item, cast, reason=" ")
    for amount in (0, -1, HELD_MINOR + 1):
        with pytest.raises(MoreThanRemains):
            proposed(item, cast, amount_minor=amount)


# -- ways round the second person -------------------------------------------------------------


def test_nobody_signs_their_own_allocation_under_any_login(cast: Cast) -> None:
    waiting = proposed(stray()[0], cast)
    with pytest.raises(OwnRequest):
        decide(waiting.approval, by=factories.colleague(person_id=FINANCE.person_id))


def test_an_approval_of_another_act_allocates_nothing(cast: Cast) -> None:
    waiting = proposed(stray()[0], cast)
    decide(waiting.approval)
    forged = Approval.objects.exclude(action=waiting.approval.action).first()
    wrong = forged.pk if forged else uuid7()
    with STAGE.as_role("worker"), pytest.raises(NotFound):
        allocate_suspense(actor=CLERK, approval_id=wrong)


def test_of_many_workers_at_once_one_allocates(cast: Cast) -> None:
    waiting = proposed(stray()[0], cast)
    decide(waiting.approval)
    with STAGE.as_role("worker"):
        said = outcomes(lambda: allocate_suspense(actor=CLERK, approval_id=waiting.approval_id))
    assert said == ["already_decided"] * 3 + ["done"]
    assert stands_at(cast.taker.pk) == (HELD_MINOR, 0)
    assert_books_hold()


def test_rival_approvals_for_the_same_money_at_once_allocate_it_once(cast: Cast) -> None:
    item, _ = stray()
    rivals = [proposed(item, cast, amount_minor=6_000) for _ in range(4)]
    for rival in rivals:
        decide(rival.approval)
    keys = iter([rival.approval_id for rival in rivals])
    with STAGE.as_role("worker"):
        said = outcomes(lambda: allocate_suspense(actor=CLERK, approval_id=next(keys)))
    assert said == ["done"] + ["stale_approval"] * 3
    assert stands_at(cast.taker.pk) == (6_000, 0)
    assert_books_hold()
    with STAGE.as_role("worker"):
        carry_out_approvals()


@pytest.mark.parametrize("role", ["admin", "api", "worker"])
@pytest.mark.parametrize("signed", ["unsigned", "approved"])
def test_no_login_allocates_by_the_ledgers_own_door(cast: Cast, role: str, signed: str) -> None:
    item, _ = stray()
    waiting = proposed(item, cast)
    if signed == "approved":
        decide(waiting.approval)
    clearing = LedgerAccount.objects.get(
        book_id=item.book_id, code="clearing:stripe", currency="EUR"
    )
    lines = [(item.account_id, -HELD_MINOR), (clearing.pk, HELD_MINOR)]
    journal = {
        "book": str(item.book_id),
        "purpose": "allocation",
        "subject": waiting.audit_ref,
        "origin": f"allocation:{waiting.pk}",
    }
    with STAGE.as_role(role), pytest.raises(DatabaseError, match="allocation_signed"):
        post_raw(journal, lines=lines)


TALLIES = {
    "more than there is": "allocated_minor = amount_minor + 1",
    "given back": "allocated_minor = 0",
    "a larger item": "amount_minor = amount_minor * 2",
}


@pytest.mark.parametrize("tampering", TALLIES)
def test_the_tally_is_what_the_books_say(cast: Cast, tampering: str) -> None:
    item, _ = stray()
    carry_out(proposed(item, cast).approval)
    statement = f"UPDATE transactions_suspensetally SET {TALLIES[tampering]} WHERE id = %s"
    with STAGE.as_role("worker"), pytest.raises(DatabaseError, match="suspense_tally"):
        commit(statement, item.id)
    with STAGE.as_role("api"), pytest.raises(DatabaseError, match="permission denied"):
        commit(statement, item.id)


# -- between books ----------------------------------------------------------------------------


def test_a_passage_between_books_happens_once_for_its_origin(cast: Cast) -> None:
    rival = factories.cast()
    passage = Passage(
        giver=LedgerAccount.objects.get(pk=cast.giver.pk),
        taker=LedgerAccount.objects.get(pk=rival.taker.pk),
        money=Money(700, "EUR"),
        purpose="internal",
        subject_ref="transfer:x",
        origin=factories.origin(),
        occurred_at=timezone.now() - timedelta(minutes=1),
    )
    # Undone at the end: nothing but a command may commit the accounts that it opens.
    with STAGE.as_role("migrator"), transaction.atomic():
        journals, opened = post_between_books(passage)
        assert (len(journals), len(opened)) == (2, 2)
        with pytest.raises(AlreadyBooked):
            post_between_books(passage)
        assert stands_at(rival.taker.pk) == (700, 0)
        assert moved(cast.partner.book_id)[f"interbook:{rival.partner.slug}"] == 700
        assert moved(rival.partner.book_id)[f"interbook:{cast.partner.slug}"] == -700
        transaction.set_rollback(True)
