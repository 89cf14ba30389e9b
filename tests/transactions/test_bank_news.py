"""A bank's word on many payouts at once: each as if it came alone, in a few statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final
from unittest.mock import patch

import psycopg
import pytest

from accounts.models import Letter
from audit.models import Entry
from tests import factories
from tests.books import assert_books_hold, moved, stands_at
from tests.factories import Cast, committed
from tests.transactions.bank_words import S, codes, sent, take, take_no_credits, told
from transactions.errors import Contradiction, NothingChanged
from transactions.meanings import MovementKind
from transactions.meanings import TransferState as Word
from transactions.models import Hold, Journal, Transfer
from transactions.states import HoldState

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("worker")]
MANY: Final = 20


@pytest.fixture
def cast() -> Cast:
    """A partner with 10,000.00 EUR on one account."""
    return factories.cast()


def test_each_of_many_has_its_state_its_journal_its_entry_and_its_letter(cast: Cast) -> None:
    payouts = sent(cast, count=6)
    words = [Word.SETTLED, Word.FAILED, Word.ACCEPTED] * 2
    said = codes(take(*(told(each, word) for each, word in zip(payouts, words, strict=True))))
    assert said == ["transfer settled", "transfer failed", "transfer accepted"] * 2
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR - 2_000, 2_000)
    for transfer, word in zip(payouts, words, strict=True):
        entry = Entry.objects.filter(target_ref=transfer.audit_ref).latest("id")
        action = "accepted_by_provider" if word is Word.ACCEPTED else word.value
        assert (entry.action, entry.trace_id) == (f"transfer.{action}", transfer.trace_id)
        letters = Letter.objects.filter(payload__id=transfer.public_id).order_by("id")
        told_of = [each.type for each in letters][2:]  # after accepted and dispatched by ourselves
        assert told_of == [f"transfer.{word}"] * (word is not Word.ACCEPTED)
        journals = Journal.objects.filter(subject_ref=transfer.audit_ref)
        assert [each.trace_id for each in journals] == [transfer.trace_id] * (word is Word.SETTLED)
    assert_books_hold()


def test_a_refused_one_changes_nothing_and_its_neighbours_go_through(cast: Cast) -> None:
    first, second, third = sent(cast, count=3)
    stranger = told(first, Word.SETTLED, reference="trf_nobody")
    unknown = told(first, Word.SETTLED, reference=cast.giver.public_id)
    wrong = told(second, Word.SETTLED, amount_minor=1)
    found = take(told(first, Word.SETTLED), wrong, stranger, unknown, told(third, Word.FAILED))
    assert codes(found) == [
        "transfer settled",
        Contradiction.code,
        "not_found",
        "not_found",
        "transfer failed",
    ]
    assert Transfer.objects.get(pk=second.pk).state == S.DISPATCHED
    assert Hold.objects.get(transfer=second).state == HoldState.OPEN
    refused = Entry.objects.filter(action="news.refused", target_ref=second.audit_ref)
    assert [each.code for each in refused] == [Contradiction.code]
    assert_books_hold()


def test_a_bank_is_heard_on_what_it_was_sent_and_on_nothing_else(cast: Cast) -> None:
    (payout,) = sent(cast, count=1)
    inside = factories.internal(cast)
    others = told(payout, Word.SETTLED, provider="stripe")
    assert codes(take(others, told(inside, Word.RETURNED))) == ["not_found"] * 2
    assert Transfer.objects.get(pk=payout.pk).state == S.DISPATCHED
    assert Transfer.objects.get(pk=inside.pk).state == S.SETTLED
    assert_books_hold()


def test_one_payout_is_accepted_settled_told_again_and_returned_in_one_breath(cast: Cast) -> None:
    (payout,) = sent(cast, count=1)
    words = [Word.ACCEPTED, Word.SETTLED, Word.SETTLED, Word.ACCEPTED, Word.RETURNED, Word.FAILED]
    assert codes(take(*(told(payout, word) for word in words))) == [
        "transfer accepted",
        "transfer settled",
        NothingChanged.code,
        NothingChanged.code,
        "transfer returned",
        Contradiction.code,
    ]
    out, back = Journal.objects.filter(subject_ref=payout.audit_ref).order_by("id")
    assert (out.purpose, back.purpose, back.reverses) == ("payout", "payout_return", out.pk)
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR, 0)
    assert_books_hold()


def test_what_a_stopped_account_cannot_take_back_waits_in_suspense(cast: Cast) -> None:
    payouts = [factories.payout(cast, state=S.SETTLED) for _ in range(3)]
    take_no_credits(cast.giver)
    assert (
        codes(take(*(told(each, Word.RETURNED) for each in payouts))) == ["transfer returned"] * 3
    )
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR - 3_000, 0)
    assert moved(cast.partner.book_id)["suspense"] == 3_000
    assert_books_hold()


@pytest.mark.parametrize(
    ("words", "stands", "short_minor"),
    [
        ([Word.FAILED, None], (2_000, 0), 0),
        ([None, Word.FAILED], (10_000, 0), -8_000),
        ([Word.SETTLED, None], (0, 0), -8_000),
        ([None, Word.SETTLED], (0, 0), -8_000),
    ],
)
def test_what_is_freed_or_has_left_counts_for_movements_told_in_the_same_breath(
    words: list[Word | None], stands: tuple[int, int], short_minor: int
) -> None:
    """Of 10.00, all is reserved for a payout; then a dispute takes 8.00 of the same account."""
    cast = factories.cast(holding_minor=0, threshold_minor=10**6)
    charge = factories.charge(cast.giver, amount_minor=10_000, fee_minor=0, provider="testbank")
    take(charge)
    payout = factories.payout(cast, state=S.DISPATCHED, amount_minor=10_000)
    taken = factories.after(charge, kind=MovementKind.DISPUTE, amount_minor=-8_000)
    lost = replace(taken, provider="testbank")
    found = take(*(told(payout, word) if word else lost for word in words))
    assert not any(each.refusal for each in found)
    assert stands_at(cast.giver.pk) == stands
    assert moved(cast.partner.book_id).get("shortfall", 0) == short_minor
    assert_books_hold()


# -- many cost what one costs -----------------------------------------------------------------


@contextmanager
def statements_noted() -> Iterator[list[str]]:
    """Note whatever goes to the database, whoever sends it: statements and commits."""
    seen: list[str] = []
    execute, commit = psycopg.Cursor.execute, psycopg.Connection.commit

    def executing(self: Any, query: Any, *args: Any, **options: Any) -> Any:
        seen.append(str(query))
        return execute(self, query, *args, **options)

    def committing(self: Any) -> None:
        seen.append("COMMIT")
        commit(self)

    with (
        patch.object(psycopg.Cursor, "execute", executing),
        patch.object(psycopg.Connection, "commit", committing),
    ):
        yield seen


def test_twenty_words_are_one_transaction_and_as_many_statements_as_five(cast: Cast) -> None:
    words = [Word.SETTLED, Word.SETTLED, Word.FAILED, Word.ACCEPTED, Word.SETTLED]
    take(told(sent(cast, count=1)[0], Word.SETTLED))  # opens what its book has not got yet
    seen: dict[int, list[str]] = {}
    for count in (len(words), MANY):
        payouts = sent(cast, count=count)
        with statements_noted() as noted:
            take(*(told(each, words[n % len(words)]) for n, each in enumerate(payouts)))
        seen[count] = noted
    assert len(seen[MANY]) == len(seen[len(words)])
    assert seen[MANY].count("COMMIT") == 1
    assert len(seen[MANY]) <= 8
    assert_books_hold()
