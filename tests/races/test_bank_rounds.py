"""Rounds of one bank's words at once, on the same payouts: each is taken once, none deadlocks."""

import random
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from unittest.mock import patch
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from audit.actors import Actor
from audit.errors import Refusal
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.conftest import STAGE
from tests.factories import Cast
from tests.races.crowd import SECONDS_MAX, at_once
from transactions.ledger.accounts import system_account
from transactions.meanings import TransferNotice
from transactions.meanings import TransferState as Word
from transactions.models import Journal, LedgerAccount, Transfer
from transactions.reports import Report
from transactions.selectors.transfers import access_payouts
from transactions.services import gathering, news, subjects
from transactions.services.dispatching import fail_transfer, settle_transfer
from transactions.services.news import take_news
from transactions.services.transfers import request_transfer
from transactions.states import LimitWindow, TransferState

pytestmark = pytest.mark.role("worker")
BANK = factories.provider("testbank")
PAYOUTS = 6
EACH_MINOR = 1_000
Act = Callable[[], object]


@pytest.fixture(scope="module")
def casts(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[list[Cast]]:
    """Two partners under limits, whose transactions really commit."""
    with django_db_blocker.unblock():
        STAGE.enter("worker")
        found = [factories.cast() for _ in range(2)]
        for each in found:
            for on in (each.giver, each.partner):
                factories.limit(on, window=LimitWindow.DAY, amount_max_minor=10**6, count_max=999)
        yield found
        STAGE.reclone()


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """Here all wait for each other: what would be asked again by halves is to be done at once."""
    with patch.object(news, "PATIENCE_TOGETHER_MS", SECONDS_MAX * 1_000):
        yield


def sent(casts: Sequence[Cast]) -> list[Transfer]:
    """Return payouts of the partners in turn, sent to the bank."""
    payout = factories.payout
    return [payout(each, state=TransferState.DISPATCHED) for _ in range(PAYOUTS) for each in casts]


def word_on(number: int) -> Word:
    """Return what the bank says of payout `number`: each third was refused."""
    return Word.SETTLED if number % 3 else Word.FAILED


def notice_on(payout: Transfer, *, number: int, word: Word) -> TransferNotice:
    """Return what the bank says of a payout that it calls by this number."""
    return TransferNotice(
        provider="testbank",
        reference=payout.public_id,
        provider_ref=f"pay_{number}",
        state=word,
        amount_minor=payout.amount_minor,
        currency="EUR",
        reason="account_closed",
        occurred_at=timezone.now(),
    )


def taking(notices: Iterable[TransferNotice]) -> Act:
    """Let these be taken at once, a callback each, in their order."""
    reports = [
        Report(credential=f"callback:{n}", trace_id=f"{n:032x}", meanings=[each])
        for n, each in enumerate(notices)
    ]
    return lambda: take_news(actor=BANK, provider="testbank", reports=reports)


def round_on(payouts: Sequence[Transfer], *, seed: int) -> Act:
    """Let the bank's words on all payouts be taken at once, in an order of their own."""
    notices = [notice_on(p, number=n, word=word_on(n)) for n, p in enumerate(payouts)]
    random.Random(seed).shuffle(notices)  # noqa: S311 - the same in every run
    return taking(notices)


def one_by_one(payouts: Sequence[Transfer]) -> Act:
    """Let the same words be taken alone, the last first; what is known already is refused."""

    def run() -> None:
        for number, each in reversed(list(enumerate(payouts))):
            with suppress(Refusal):
                if word_on(number) is Word.SETTLED:
                    settle_transfer(
                        actor=BANK,
                        transfer_id=each.pk,
                        provider_ref=f"pay_{number}",
                        occurred_at=timezone.now(),
                    )
                else:
                    fail_transfer(
                        actor=BANK,
                        transfer_id=each.pk,
                        reason="account_closed",
                        occurred_at=timezone.now(),
                    )

    return run


def spend(cast: Cast) -> Act:
    """Let the partner move money on the same account meanwhile."""

    def run() -> None:
        for _ in range(PAYOUTS):
            order = factories.order(cast.giver, to=cast.taker, amount_minor=1)
            request_transfer(actor=cast.actor, order=order, origin=factories.origin())

    return run


def test_rounds_on_the_same_payouts_take_each_word_once_and_never_deadlock(
    casts: list[Cast],
) -> None:
    payouts = sent(casts)
    before = [stands_at(each.giver.pk) for each in casts]
    rounds = [round_on(payouts, seed=seed) for seed in range(4)]
    said = at_once([*rounds, one_by_one(payouts), *map(spend, casts)])
    assert said == ["done"] * len(said)
    for number, each in enumerate(payouts):
        assert Transfer.objects.get(pk=each.pk).state == word_on(number).value
        journals = Journal.objects.filter(subject_ref=each.audit_ref)
        assert journals.count() == (word_on(number) is Word.SETTLED)
    for number, (cast, (posted, pending)) in enumerate(zip(casts, before, strict=True)):
        own = range(number, len(payouts), len(casts))
        paid = EACH_MINOR * sum(word_on(n) is Word.SETTLED for n in own)
        left = posted - paid - PAYOUTS, pending - EACH_MINOR * PAYOUTS
        assert stands_at(cast.giver.pk) == left
    assert_books_hold()


def test_control_locked_in_any_order_two_rounds_would_deadlock(casts: list[Cast]) -> None:
    """What the order is for: each has one that the other wants."""
    payouts = sent(casts)[:2]
    both, turn = threading.Barrier(2), iter((1, -1))

    def in_any_order(
        keys: Collection[UUID], *, provider: str, actor: Actor
    ) -> dict[UUID, Transfer]:
        first, second = sorted(keys)[:: next(turn)]
        found = access_payouts([first], provider=provider, actor=actor)
        both.wait(timeout=SECONDS_MAX)
        return found | access_payouts([second], provider=provider, actor=actor)

    with patch.object(gathering, "access_payouts", in_any_order):
        said = at_once([round_on(payouts, seed=seed) for seed in range(2)])
    assert sorted(said) == ["", "done"], "one of them was undone, and breaks no rule of ours"


def test_rounds_that_open_accounts_of_the_books_in_any_order_do_not_deadlock() -> None:
    """The first words ever on payouts of two books, told the other way round by another round."""
    with STAGE.as_role("worker"):
        two = [factories.cast() for _ in range(2)]
    words = [notice_on(p, number=n, word=Word.SETTLED) for n, p in enumerate(sent(two)[:4])]
    both, mine = threading.Barrier(2), threading.local()

    def opened(code: str, *, book_id: UUID, currency: str) -> LedgerAccount:
        if getattr(mine, "has_opened", False):
            with suppress(threading.BrokenBarrierError):
                both.wait(timeout=1)  # for the other to have opened one, too, if it could
        mine.has_opened = True
        return system_account(code, book_id=book_id, currency=currency)

    with patch.object(subjects, "system_account", opened):
        assert at_once([taking(words[:2]), taking(reversed(words[2:]))]) == ["done"] * 2
    assert_books_hold()
