"""What a round of a bank's words keeps, and to itself: traces, patience, whose payout it is."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audit.circumstances import under
from audit.errors import NotFound
from audit.models import Entry
from audit.typeids import uuid7
from integrations.models import Callback
from integrations.rounds.callbacks import Told, _carry_out
from integrations.states import CallbackState
from tests import factories
from tests.books import stands_at
from tests.conftest import STAGE
from tests.factories import Cast, committed
from tests.transactions.bank_words import codes, report, sent, take, told
from transactions.ledger.posting import stand
from transactions.meanings import TransferState as Word
from transactions.models import Hold, Transfer
from transactions.services.dispatching import settle_transfer
from transactions.services.news import take_news
from transactions.states import TransferState

__all__ = ["committed"]
pytestmark = pytest.mark.role("worker")
STRANGER = factories.provider("stripe")
INNOCENTS = 15
HELD_SECONDS_MAX = 30


@pytest.fixture
def cast() -> Cast:
    """A partner with 10,000.00 EUR on one account."""
    return factories.cast()


@contextmanager
def held_elsewhere(account_id: UUID) -> Iterator[None]:
    """Let another transaction hold an account's balance meanwhile."""
    is_held, is_over = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            stand([account_id])
            is_held.set()
            is_over.wait(HELD_SECONDS_MAX)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_held.wait(HELD_SECONDS_MAX)
    try:
        yield
    finally:
        is_over.set()
        holder.join()


@pytest.mark.usefixtures("committed")
def test_each_version_bears_the_trace_of_its_own_payout(cast: Cast) -> None:
    payouts = sent(cast, count=2)
    with under(trace_id="f" * 32):
        take(*(told(each, Word.SETTLED) for each in payouts))
    for payout in payouts:
        assert Entry.objects.filter(target_ref=payout.audit_ref).latest("id").trace_id == (
            payout.trace_id
        )
        for history in (
            Transfer.history.filter(id=payout.pk),
            Hold.history.filter(transfer_id=payout.pk),
        ):
            assert history.latest("history_id").history_trace_id == payout.trace_id


@pytest.mark.usefixtures("committed")
def test_another_bank_is_not_heard_holds_nothing_and_speaks_under_no_trace_of_ours(
    cast: Cast,
) -> None:
    (payout,) = sent(cast, count=1)
    word = told(payout, Word.SETTLED, provider="stripe")
    with pytest.raises(NotFound):
        settle_transfer(
            actor=STRANGER, transfer_id=payout.pk, provider_ref="x", occurred_at=timezone.now()
        )
    assert codes(take_news(actor=STRANGER, provider="stripe", reports=[report(word)])) == [
        "not_found"
    ]
    assert Entry.objects.filter(action="news.refused").latest("id").trace_id != payout.trace_id
    assert Transfer.objects.get(pk=payout.pk).state == TransferState.DISPATCHED


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("function", ["transfers_advance", "holds_end"])
def test_what_was_decided_on_a_row_that_is_not_there_is_not_passed_over(function: str) -> None:
    rows = json.dumps([{"id": str(uuid7()), "state": "settled"}])
    with (
        pytest.raises(DatabaseError, match=r"1 \w+ decided on, 0 were stored"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"SELECT {function}(%s::jsonb)", [rows])


@pytest.mark.django_db(transaction=True)
def test_an_account_that_somebody_holds_puts_off_its_own_word_and_soon_no_other() -> None:
    with STAGE.as_role("worker"):
        calm, held = factories.cast(), factories.cast()
    payouts = [*sent(held, count=1), *sent(calm, count=INNOCENTS)]
    before = stands_at(calm.giver.pk)
    words = [
        Told(
            callback=Callback(id=uuid7(), provider="testbank", trace_id=f"{number:032x}"),
            meanings=[told(each, Word.SETTLED)],
        )
        for number, each in enumerate(payouts)
    ]
    began = time.monotonic()
    with held_elsewhere(held.giver.pk):
        endings = _carry_out(words)
    # Four halvings of a quarter of a second, and three seconds for the one that is left alone.
    assert time.monotonic() - began < 3 * 3
    states = [CallbackState(each.state) for each in endings]
    assert states == [CallbackState.RECEIVED, *[CallbackState.PROCESSED] * INNOCENTS]
    assert stands_at(calm.giver.pk) != before
