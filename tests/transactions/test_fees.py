"""Fees: signed by two, charged with the amount, booked beside it, given back with all of it."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import Error
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.errors import AlreadyDecided
from accounts.states import Verdict
from audit.errors import Invalid, NotPermitted
from tests import factories, four_eyes
from tests.books import assert_books_hold, moved, stands_at
from tests.conftest import STAGE
from tests.factories import Cast
from tests.races.crowd import at_once
from transactions.errors import InsufficientFunds
from transactions.fees import FeeTerms
from transactions.models import FeeRule, Journal, LedgerAccount, Transfer
from transactions.selectors.statements import statement_of
from transactions.services.fees import adopt_fee_rule
from transactions.services.reversals import reverse_transfer
from transactions.services.schedules import execute_scheduled
from transactions.services.transfers import request_transfer
from transactions.statements import Period
from transactions.states import Clock, FeeState, TransferKind, TransferState

pytestmark = pytest.mark.role("api")
FIVE = FeeTerms(flat_minor=5)
OURS = "fees:house"


@pytest.fixture(scope="module", autouse=True)
def _commits(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        STAGE.enter("api")
        yield
        STAGE.reclone()


@pytest.fixture
def cast() -> Cast:
    """A partner with 10.00 on its giver."""
    return factories.cast(holding_minor=1_000)


def send(cast: Cast, amount_minor: int) -> Transfer:
    return request_transfer(
        actor=cast.actor,
        order=factories.order(cast.giver, amount_minor=amount_minor, to=cast.taker),
        origin=factories.origin(),
    )


def test_it_leaves_the_payer_by_a_journal_of_its_own_beside_the_transfers(cast: Cast) -> None:
    rule = factories.fee(cast, FeeTerms(flat_minor=25, bps=100))
    made = send(cast, 500)
    assert (made.fee_minor, made.fee_rule_id) == (30, rule.pk)
    assert stands_at(cast.giver.pk) == (470, 0)
    assert stands_at(cast.taker.pk) == (500, 0)
    assert moved(cast.partner.book_id)[OURS] == 30
    there = Journal.objects.filter(subject_ref=made.audit_ref).order_by("id")
    assert [each.purpose for each in there] == ["internal", "fee"]
    assert len({each.xact for each in there}) == 1
    assert_books_hold()


@pytest.mark.parametrize("kind", [TransferKind.INTERNAL, TransferKind.PAYOUT])
def test_deciding_and_booking_a_fee_asks_the_database_nothing_more(
    cast: Cast, kind: TransferKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = cast.taker if kind is TransferKind.INTERNAL else None
    asked: list[object] = []
    execute = psycopg.Cursor.execute

    def listen(*args: Any, **kwargs: Any) -> psycopg.Cursor[Any]:
        asked.append(args[1])
        return execute(*args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", listen)

    def statements() -> int:
        order = factories.order(cast.giver, amount_minor=100, to=to)
        asked.clear()
        request_transfer(actor=cast.actor, order=order, origin=factories.origin())
        return len(asked)

    free = statements()
    factories.fee(cast, FIVE, kind=kind)
    assert statements() == free


def test_a_statement_shows_the_fee_as_a_line_of_its_own(cast: Cast) -> None:
    factories.fee(cast, FIVE)
    began = timezone.now()
    made = send(cast, 100)
    period = Period(since=began, until=timezone.now() + timedelta(seconds=1), clock=Clock.RECORDED)
    found = statement_of(LedgerAccount.objects.get(pk=cast.giver.pk), period=period)
    assert [(line.purpose, line.amount_minor) for line in found.lines] == [
        ("internal", -100),
        ("fee", -5),
    ]
    assert {line.subject_ref for line in found.lines} == {made.audit_ref}


def test_without_a_rule_for_the_kind_nothing_is_charged(cast: Cast) -> None:
    factories.fee(cast, FIVE, kind=TransferKind.PAYOUT)
    made = send(cast, 500)
    assert (made.fee_minor, made.fee_rule_id) == (0, None)


def test_amount_and_fee_must_be_there_together(cast: Cast) -> None:
    factories.fee(cast, FIVE)
    with pytest.raises(InsufficientFunds):
        send(cast, 996)
    assert stands_at(cast.giver.pk) == (1_000, 0)
    assert send(cast, 995).state == TransferState.SETTLED
    assert stands_at(cast.giver.pk) == (0, 0)


def test_of_many_at_once_no_more_go_than_amount_and_fee_allow(cast: Cast) -> None:
    # Ten transfers of 100 would fit, with a fee of 5 only nine do.
    factories.fee(cast, FIVE)
    said = at_once([partial(send, cast, 100)] * 10)
    assert Counter(said) == {"done": 9, "insufficient_funds": 1}
    assert stands_at(cast.giver.pk) == (55, 0)
    assert_books_hold()


def test_a_payouts_fee_is_reserved_with_it_and_taken_when_it_settles(cast: Cast) -> None:
    factories.fee(cast, FIVE, kind=TransferKind.PAYOUT)
    asked = factories.payout(cast, amount_minor=400)
    assert stands_at(cast.giver.pk) == (1_000, 405)
    factories.settle(asked)
    assert stands_at(cast.giver.pk) == (595, 0)
    assert moved(cast.partner.book_id)[OURS] == 5
    factories.give_back(asked)
    assert stands_at(cast.giver.pk) == (995, 0)  # the bank did what it was asked: the fee stays
    assert_books_hold()


@pytest.mark.parametrize(
    "state", [TransferState.FAILED, TransferState.CANCELLED], ids=lambda state: state.value
)
def test_a_payout_that_does_not_happen_costs_nothing(cast: Cast, state: TransferState) -> None:
    factories.fee(cast, FIVE, kind=TransferKind.PAYOUT)
    factories.payout(cast, state=state, amount_minor=400)
    assert stands_at(cast.giver.pk) == (1_000, 0)
    assert OURS not in moved(cast.partner.book_id)
    assert_books_hold()


def test_a_payout_that_waits_shows_its_fee_to_the_second_person(cast: Cast) -> None:
    factories.fee(cast, FIVE, kind=TransferKind.PAYOUT)
    rich = factories.account(cast.portfolio)
    asked = request_transfer(
        actor=cast.actor,
        order=factories.order(rich, amount_minor=factories.THRESHOLD_MINOR),
        origin=factories.origin(),
    )
    assert asked.approval is not None
    assert asked.approval.payload["fee_minor"] == 5


def test_a_partial_reversal_keeps_the_fee_and_the_last_gives_it_back(cast: Cast) -> None:
    factories.fee(cast, FIVE)
    made = send(cast, 500)
    for amount, left in ((200, 695), (None, 1_000)):
        reverse_transfer(
            actor=cast.actor,
            transfer_id=made.pk,
            origin=factories.origin(),
            reason="wrong account",
            amount_minor=amount,
        )
        assert stands_at(cast.giver.pk) == (left, 0)
    assert OURS not in moved(cast.partner.book_id)
    assert_books_hold()


def test_a_transfer_to_another_partner_is_charged_in_the_payers_book(cast: Cast) -> None:
    factories.fee(cast, FIVE, kind=TransferKind.PARTNER)
    taker = factories.cast()
    factories.between(cast, taker, amount_minor=100)
    assert stands_at(cast.giver.pk) == (895, 0)
    assert moved(cast.partner.book_id)[OURS] == 5
    assert OURS not in moved(taker.partner.book_id)
    assert_books_hold()


def test_what_waits_for_its_time_is_charged_by_the_rule_of_that_time(cast: Cast) -> None:
    factories.fee(cast, FIVE)
    later = factories.scheduled(cast, factories.order(cast.giver, amount_minor=100, to=cast.taker))
    assert later.fee_minor == 0
    factories.fee(cast, FeeTerms(flat_minor=7))
    factories.pass_by(later.execute_at)
    with STAGE.as_role("worker"):
        done = execute_scheduled(actor=factories.SYSTEM, transfer_id=later.pk)
    assert (done.state, done.fee_minor) == (TransferState.SETTLED, 7)
    assert_books_hold()


def test_a_new_version_charges_what_comes_and_leaves_what_was(cast: Cast) -> None:
    first = factories.fee(cast, FIVE)
    before = send(cast, 100)
    second = factories.fee(cast, FeeTerms(flat_minor=7))
    after = send(cast, 100)
    assert (first.version, second.version) == (1, 2)
    assert FeeRule.objects.get(pk=first.pk).state == FeeState.ENDED
    before = Transfer.objects.get(pk=before.pk)
    assert (before.fee_rule_id, before.fee_minor) == (first.pk, 5)
    assert (after.fee_rule_id, after.fee_minor) == (second.pk, 7)
    assert_books_hold()


def test_a_rule_charges_nothing_until_somebody_else_signed_it(cast: Cast) -> None:
    rule = factories.proposed_fee(cast, FIVE)
    assert send(cast, 100).fee_minor == 0
    assert four_eyes.carry_out(rule.approval).state == "used"
    assert send(cast, 100).fee_minor == 5


def test_a_rule_that_is_rejected_never_comes_into_force(cast: Cast) -> None:
    rule = factories.proposed_fee(cast, FIVE)
    four_eyes.carry_out(rule.approval, verdict=Verdict.REJECT)
    assert FeeRule.objects.get(pk=rule.pk).state == FeeState.DECLINED
    with STAGE.as_role("worker"), pytest.raises(AlreadyDecided):
        adopt_fee_rule(actor=factories.SYSTEM, approval_id=rule.approval_id)


def test_of_two_proposals_the_second_is_stale_once_the_first_is_in_force(cast: Cast) -> None:
    first, second = factories.proposed_fee(cast, FIVE), factories.proposed_fee(cast, FIVE)
    assert four_eyes.carry_out(first.approval).state == "used"
    assert four_eyes.carry_out(second.approval).obstacle == "stale_approval"


@pytest.mark.parametrize(
    "terms",
    [
        FeeTerms(flat_minor=-1),
        FeeTerms(bps=10_001),
        FeeTerms(minimum_minor=10, cap_minor=9),
        FeeTerms(minimum_minor=2**63),
    ],
)
def test_terms_that_make_no_sense_are_refused(cast: Cast, terms: FeeTerms) -> None:
    with pytest.raises(Invalid):
        factories.proposed_fee(cast, terms)


def test_only_finance_proposes(cast: Cast) -> None:
    with pytest.raises(NotPermitted):
        factories.proposed_fee(cast, FIVE, by=factories.colleague())


PAST_THE_COMMANDS = {
    "fee_rule_fixed": "UPDATE transactions_feerule SET flat_minor = 9 WHERE id = %s",
    "fee_rule_moves_forward": "UPDATE transactions_feerule SET state = 'declined' WHERE id = %s",
}


@pytest.mark.parametrize("rule", PAST_THE_COMMANDS)
def test_the_database_keeps_a_rule_as_it_was_signed(cast: Cast, rule: str) -> None:
    made = factories.fee(cast, FIVE)
    with STAGE.as_role("worker"), pytest.raises(Error, match=rule):
        four_eyes.commit(PAST_THE_COMMANDS[rule], made.pk)


def test_the_database_puts_no_rule_in_force_that_nobody_signed(cast: Cast) -> None:
    rule, old = factories.proposed_fee(cast, FIVE), factories.fee(factories.cast(), FIVE)
    with STAGE.as_role("worker"), pytest.raises(Error, match="fee_rule_signed"):
        four_eyes.commit(
            "UPDATE transactions_feerule SET state = 'in_force', version = 1, begins_at = now(),"
            " account_id = %s WHERE id = %s",
            old.account_id,
            rule.pk,
        )


def test_the_database_keeps_what_a_transfer_was_charged(cast: Cast) -> None:
    factories.fee(cast, FIVE)
    made = send(cast, 100)
    with pytest.raises(Error, match="transfer_order_fixed"):
        four_eyes.commit("UPDATE transactions_transfer SET fee_minor = 0 WHERE id = %s", made.pk)
