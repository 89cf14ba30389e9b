"""Batches: taken in whole, carried out chunk by chunk, each item with an outcome of its own."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from django.db import Error, connection, transaction

from accounts.keys import origin_of
from accounts.models import Account, IdempotencyKey, Letter
from accounts.states import FreezeMode
from audit.canonical import fingerprint
from audit.constraints import broken_rule
from audit.errors import NotFound
from audit.models import Entry
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.factories import Cast, committed
from transactions.errors import InsufficientFunds
from transactions.models import BatchItem, Transfer, TransferBatch
from transactions.orders import TransferOrder
from transactions.rounds.batches import carry_out_batches
from transactions.services import batches
from transactions.services.freezes import freeze_account
from transactions.services.intake import Instruction
from transactions.services.items import KeyedOrder
from transactions.services.storing import Taken
from transactions.services.transfers import request_transfer
from transactions.states import BatchState, ItemOutcome, TransferState

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("worker")]
As = Callable[[str], AbstractContextManager[None]]


def outcomes(batch: TransferBatch) -> list[tuple[str, str]]:
    return list(
        BatchItem.objects.filter(batch=batch).order_by("number").values_list("outcome", "code")
    )


def carried_out(batch: TransferBatch) -> TransferBatch:
    carry_out_batches()
    return TransferBatch.objects.get(pk=batch.pk)


def move(company: Cast, amount_minor: int = 100) -> KeyedOrder:
    return factories.keyed(
        factories.order(company.giver, to=company.taker, amount_minor=amount_minor)
    )


def test_every_item_has_its_own_outcome_and_a_no_stops_no_other() -> None:
    company = factories.cast(holding_minor=1_000)
    stranger = factories.cast()
    batch = factories.batch(
        company,
        move(company, 600),
        move(company, 600),
        factories.keyed(factories.order(company.giver, to=stranger.taker)),
        factories.keyed(factories.order(company.giver, amount_minor=400)),
        factories.keyed(factories.order(company.taker, to=company.giver, amount_minor=600)),
    )
    done = carried_out(batch)
    assert outcomes(batch) == [
        ("done", ""),
        ("refused", "insufficient_funds"),
        ("refused", "not_found"),
        ("done", ""),
        ("done", ""),
    ]
    assert (done.state, done.done_count, done.refused_count) == (BatchState.FINISHED, 3, 2)
    assert stands_at(company.giver.pk) == (1_000, 400)
    assert stands_at(company.taker.pk) == (0, 0)
    assert_books_hold()


@pytest.mark.parametrize("seed", range(3))
def test_a_batch_ends_as_its_items_would_one_by_one(seed: int, as_role: As) -> None:
    """Few accounts, met again and again, some poor: outcomes and balances are the same."""
    draw = Random(seed)  # noqa: S311 - the same draw each time
    moves = [(draw.sample(range(3), 2), draw.randint(1, 60)) for _ in range(40)]
    alone, together = (_purses() for _ in range(2))
    company, purses = alone
    said = []
    for (source, to), amount in moves:
        wanted = factories.order(purses[source], to=purses[to], amount_minor=amount)
        try:
            with as_role("api"):
                request_transfer(actor=company.actor, order=wanted, origin=factories.origin())
            said.append(("done", ""))
        except InsufficientFunds as refusal:
            said.append(("refused", refusal.code))
    company, purses = together
    orders = [
        factories.keyed(factories.order(purses[source], to=purses[to], amount_minor=amount))
        for (source, to), amount in moves
    ]
    with patch.object(batches, "CHUNK_ITEMS", 15):
        batch = carried_out(factories.batch(company, *orders))
    assert outcomes(batch) == said
    assert len(set(said)) == 2
    assert [stands_at(each.pk) for each in purses] == [stands_at(each.pk) for each in alone[1]]
    assert_books_hold()


def _purses() -> tuple[Cast, list[Account]]:
    company = factories.cast(holding_minor=0)
    return company, [
        factories.account(company.portfolio, holding_minor=held) for held in (100, 40, 0)
    ]


def test_each_item_and_each_chunk_has_one_entry_and_each_transfer_a_letter() -> None:
    company = factories.cast(holding_minor=250)
    with patch.object(batches, "CHUNK_ITEMS", 2):
        batch = carried_out(factories.batch(company, *(move(company) for _ in range(5))))
    said = Counter(
        Entry.objects.filter(book_id=company.partner.book_id, trace_id=batch.trace_id).values_list(
            "action", "outcome"
        )
    )
    assert said == {
        ("batch.accepted", "done"): 1,
        ("transfer.requested", "done"): 2,
        ("transfer.refused", "refused"): 3,
        ("batch.moved_on", "done"): 2,
        ("batch.finished", "done"): 1,
    }
    letters = Letter.objects.filter(trace_id=batch.trace_id).order_by("id")
    assert Counter(letters.values_list("type", flat=True)) == {
        "batch.accepted": 1,
        "transfer.settled": 2,
        "batch.finished": 1,
    }
    actor = set(Entry.objects.filter(trace_id=batch.trace_id).values_list("actor_ref", flat=True))
    assert actor == {company.actor.ref}


def test_an_atomic_batch_that_can_be_is_done_whole() -> None:
    company = factories.cast()
    with patch.object(batches, "CHUNK_ITEMS", 3):
        batch = carried_out(
            factories.batch(company, *(move(company) for _ in range(10)), is_atomic=True)
        )
    assert (batch.state, batch.done_count) == (BatchState.FINISHED, 10)
    assert stands_at(company.taker.pk) == (1_000, 0)
    assert_books_hold()


def test_an_atomic_batch_with_one_no_moves_nothing_and_says_which() -> None:
    company = factories.cast(holding_minor=350)
    with patch.object(batches, "CHUNK_ITEMS", 2):
        batch = carried_out(
            factories.batch(company, *(move(company) for _ in range(5)), is_atomic=True)
        )
    assert (batch.state, batch.refused_number) == (BatchState.REFUSED, 4)
    assert batch.refused_code == "insufficient_funds"
    assert not Transfer.objects.filter(trace_id=batch.trace_id).exists()
    assert Counter(outcomes(batch)) == {("", ""): 4, ("refused", "insufficient_funds"): 1}
    assert stands_at(company.giver.pk) == (350, 0)
    assert not IdempotencyKey.objects.filter(scope=factories.key_scope(company)).exists()


def test_payouts_of_a_batch_are_held_and_large_ones_wait_for_a_second_person() -> None:
    company = factories.cast()
    large = company.partner.approval_threshold_minor
    batch = factories.batch(
        company,
        factories.keyed(factories.order(company.giver, amount_minor=500)),
        factories.keyed(factories.order(company.giver, amount_minor=large)),
    )
    carried_out(batch)
    made = Transfer.objects.filter(trace_id=batch.trace_id).order_by("amount_minor")
    assert [row.state for row in made] == [
        TransferState.ACCEPTED,
        TransferState.AWAITING_APPROVAL,
    ]
    assert stands_at(company.giver.pk)[1] == 500 + large
    assert all((row.payee_iban and "*" in row.payee_iban.masked) or row.payee_iban for row in made)
    assert_books_hold()


def test_a_key_used_before_shows_the_first_transfer_or_is_refused() -> None:
    company = factories.cast(holding_minor=1_000)
    same = move(company, 100)
    other = KeyedOrder(
        order=same.order, key_hash=same.key_hash, fingerprint=fingerprint({"said": "other"})
    )
    poor = move(company, 5_000)
    first = carried_out(factories.batch(company, same, poor))
    again = carried_out(factories.batch(company, same))
    reused = carried_out(factories.batch(company, other))
    stuck = carried_out(factories.batch(company, poor))
    assert outcomes(again) == [("replayed", "")]
    assert again.replayed_count == 1
    moved = BatchItem.objects.get(batch=first, outcome=ItemOutcome.DONE).transfer_id
    assert BatchItem.objects.get(batch=again).transfer_id == moved
    assert outcomes(reused) == [("refused", "key_reused")]
    assert outcomes(stuck) == [("refused", "already_processed")]
    assert stands_at(company.giver.pk) == (900, 0)


def test_a_key_keeps_what_it_made_and_forgets_a_no_that_may_pass() -> None:
    company = factories.cast()
    stranger = factories.cast()
    made, lost = move(company), factories.keyed(factories.order(stranger.giver, to=company.taker))
    carried_out(factories.batch(company, made, lost))
    (kept,) = IdempotencyKey.objects.filter(scope=factories.key_scope(company))
    transfer = Transfer.objects.get(
        origin=origin_of(factories.key_scope(company), key_hash=bytes(made.key_hash))
    )
    assert (kept.resource, kept.answer) == (f"/v1/transfers/{transfer.public_id}", None)


def test_an_account_frozen_meanwhile_lets_nothing_of_a_batch_leave(as_role: As) -> None:
    company = factories.cast()
    batch = factories.batch(company, move(company))
    with as_role("admin"):
        freeze_account(
            actor=factories.colleague(),
            account_id=company.giver.pk,
            mode=FreezeMode.DEBITS,
            reason="fraud",
            legal_reference="",
        )
    carried_out(batch)
    assert outcomes(batch) == [("refused", "account_frozen")]


def test_another_partner_does_not_know_of_it() -> None:
    company, stranger = factories.cast(), factories.cast()
    batch = factories.batch(company, move(company))
    actor = stranger.actor.holding("transactions.carry_out_batch")
    with pytest.raises(NotFound):
        batches.carry_out_batch(actor=actor, batch_id=batch.pk)


def test_a_batch_that_is_over_has_nothing_left_to_do() -> None:
    company = factories.cast()
    batch = carried_out(factories.batch(company, move(company)))
    actor = company.actor.holding("transactions.carry_out_batch")
    assert batches.carry_out_batch(actor=actor, batch_id=batch.pk) == []


def broken_by(statement: str, *values: Any) -> str:
    """Return the rule that a statement breaks, as the tables' own login."""
    from tests.conftest import STAGE

    with STAGE.as_role("migrator"):
        with pytest.raises(Error) as caught, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
        return broken_rule(caught.value)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("state = 'running', finished_at = NULL", "batch_over_is_final"),
        ("done_count = 0", "batch_over_is_final"),
    ],
)
def test_the_database_lets_no_batch_that_is_over_move(change: str, rule: str) -> None:
    company = factories.cast()
    batch = carried_out(factories.batch(company, move(company)))
    statement = f"UPDATE transactions_transferbatch SET {change} WHERE id = %s"
    assert broken_by(statement, batch.pk) == rule


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("item_count = 2", "batch_order_fixed"),
        ("is_atomic = true", "batch_order_fixed"),
        ("done_count = 2", "batch_counts_within_items"),
        ("done_count = -1", "batch_order_fixed"),
        ("state = 'finished', finished_at = now()", "batch_finished_is_whole"),
        ("state = 'refused', finished_at = now()", "batch_refused_moved_nothing"),
        ("state = 'lost'", "batch_state_known"),
        ("state = 'finished', done_count = 1", "batch_over_has_time"),
    ],
)
def test_the_database_keeps_an_open_batch_in_order(change: str, rule: str) -> None:
    company = factories.cast()
    batch = factories.batch(company, move(company))
    statement = f"UPDATE transactions_transferbatch SET {change} WHERE id = %s"
    assert broken_by(statement, batch.pk) == rule


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("outcome = ''", "batch_item_outcome_final"),
        ("outcome = 'refused', code = 'x', transfer_id = NULL", "batch_item_outcome_final"),
    ],
)
def test_the_database_lets_no_outcome_change(change: str, rule: str) -> None:
    company = factories.cast()
    batch = carried_out(factories.batch(company, move(company)))
    statement = f"UPDATE transactions_batchitem SET {change} WHERE batch_id = %s"
    assert broken_by(statement, batch.pk) == rule


def test_two_items_of_a_batch_may_not_share_a_key() -> None:
    company = factories.cast()
    one = move(company)
    with pytest.raises(Error) as caught:
        factories.batch(company, one, one)
    assert broken_rule(caught.value) == "batch_item_key_once"


def test_many_at_once_have_outcomes_without_a_batch(as_role: As) -> None:
    company = factories.cast(holding_minor=150)
    orders: Sequence[TransferOrder] = [move(company).order for _ in range(3)]
    instructions = [Instruction(order=order, origin=factories.origin()) for order in orders]
    with as_role("api"):
        found = batches.request_transfers(actor=company.actor, instructions=instructions)
    assert [isinstance(each, Taken) for each in found] == [True, False, False]
    ref = f"account:{company.giver.pk}"
    assert Entry.objects.filter(target_ref=ref, action="transfer.refused").count() == 2
    assert isinstance(found[1], InsufficientFunds)
    assert_books_hold()
