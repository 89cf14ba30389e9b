"""Many pieces of news at once: each as if it came alone, all written together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, Letter
from audit.models import Entry, Touch
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.factories import Cast, committed
from transactions.errors import AlreadyBooked, Contradiction, NothingChanged
from transactions.meanings import (
    DisputeNotice,
    DisputeState,
    Meaning,
    Movement,
    MovementKind,
    PaymentNotice,
    PaymentState,
    PayoutNotice,
    PayoutState,
)
from transactions.models import Dispute, Journal, LedgerAccount, Payment, Posting, ProviderPayout
from transactions.reports import Outcome, Report
from transactions.services.news import take_news

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("worker")]
STRIPE = factories.provider("stripe")
EXAMPLES = 12
NEWS_MAX = 14


@pytest.fixture
def cast() -> Cast:
    """A partner whose accounts are empty."""
    return factories.cast(holding_minor=0)


def report(*meanings: Meaning) -> Report:
    """Return a callback that says this, under a trace of its own."""
    number = next(factories.numbers)
    return Report(credential=f"callback:{number}", trace_id=f"{number:032x}", meanings=meanings)


def take(*reports: Report) -> list[Outcome]:
    """Take reports as Stripe's, all at once."""
    return take_news(actor=STRIPE, provider="stripe", reports=reports)


def codes(outcomes: Iterable[Outcome]) -> list[str]:
    """Return what each outcome says."""
    return [each.said for each in outcomes]


def sale(taker: Account | None, **changes: Any) -> tuple[PaymentNotice, Movement]:
    """Return what Stripe says of one sale: how it stands, and what it moved."""
    told = factories.notice(taker)
    charge = factories.charge(taker, **changes)
    return told, replace(charge, payment_ref=told.reference, subject_ref=told.reference)


def test_each_of_many_has_its_effect_its_entry_and_its_letter(cast: Cast) -> None:
    reports = [report(*sale(cast.taker, amount_minor=1_000 + n, fee_minor=n)) for n in range(20)]
    said = codes(take(*reports))
    assert said == ["payment succeeded", "booked charge"] * 20
    assert stands_at(cast.taker.pk) == (sum(1_000 + n for n in range(20)), 0)
    assert Journal.objects.filter(book_id=cast.partner.book_id).count() == 20
    assert Letter.objects.filter(book_id=cast.partner.book_id).count() == 40
    for each in reports:
        entries = Entry.objects.filter(trace_id=each.trace_id)
        assert {entry.action for entry in entries} == {"payment.noted", "movement.booked"}
        assert all(each.credential.encode() in bytes(entry.body) for entry in entries)
        assert Journal.objects.filter(trace_id=each.trace_id).count() == 1
    assert_books_hold()


def test_a_refused_one_changes_nothing_and_its_neighbours_go_through(cast: Cast) -> None:
    _, known = sale(cast.taker)
    take(report(known))
    wrong = replace(known, amount_minor=99, fee_minor=0)
    fresh = [report(*sale(cast.taker)) for _ in range(2)]
    found = take(fresh[0], report(wrong, *sale(cast.taker)), report(known), fresh[1])
    refusals = [type(each.refusal) for each in found if each.refusal]
    assert refusals == [Contradiction, AlreadyBooked]
    assert [each.is_over for each in found] == [False, False, True, False, False, False]
    assert Journal.objects.filter(book_id=cast.partner.book_id).count() == 3
    assert Entry.objects.filter(action="news.refused", outcome="refused").count() == 2
    assert_books_hold()


def test_a_copy_in_the_same_breath_is_known_already(cast: Cast) -> None:
    told, charge = sale(cast.taker)
    found = take(report(told, charge), report(told, charge))
    assert [each.said for each in found[2:]] == [NothingChanged.code, AlreadyBooked.code]
    assert Journal.objects.filter(origin=charge.origin).count() == 1
    assert_books_hold()


def test_news_of_one_payment_is_applied_in_the_order_given(cast: Cast) -> None:
    told, charge = sale(cast.taker, amount_minor=10_000, fee_minor=0)
    early = replace(told, reference=str(told.intent_ref), state=PaymentState.PROCESSING)
    back = factories.after(charge, kind=MovementKind.REFUND, amount_minor=-4_000)
    assert codes(take(report(early), report(told, charge), report(early), report(back))) == [
        "payment processing",
        "payment succeeded",
        "booked charge",
        "nothing_changed",
        "booked refund",
    ]
    payment = Payment.objects.get(reference=told.reference)
    assert (payment.booked_minor, payment.refunded_minor) == (10_000, 4_000)
    assert stands_at(cast.taker.pk) == (6_000, 0)
    touches = Touch.objects.filter(row_id=str(payment.pk)).order_by("entry_id")
    states = [(each.before or {}).get("state") for each in touches]
    assert states == [None, "processing", None, None]
    assert_books_hold()


def test_what_an_account_cannot_bear_any_more_is_the_books_shortfall(cast: Cast) -> None:
    told, charge = sale(cast.taker, amount_minor=10_000, fee_minor=0)
    lost = factories.after(charge, kind=MovementKind.DISPUTE, amount_minor=-8_000)
    more = factories.after(charge, kind=MovementKind.DISPUTE, amount_minor=-8_000)
    take(report(told, charge), report(lost), report(more))
    assert stands_at(cast.taker.pk) == (0, 0)
    short = LedgerAccount.objects.get(book_id=cast.partner.book_id, code="shortfall")
    assert [each.amount_minor for each in Posting.objects.filter(account_id=short.pk)] == [-6_000]
    assert_books_hold()


def test_a_dispute_that_comes_and_goes_in_one_breath_leaves_its_versions(cast: Cast) -> None:
    """The payment ends as it began; both entries say that it changed, and it did."""
    told, charge = sale(cast.taker, amount_minor=10_000, fee_minor=0)
    take(report(told, charge))
    lost = factories.after(charge, kind=MovementKind.DISPUTE, amount_minor=-8_000)
    back = factories.after(charge, kind=MovementKind.DISPUTE_REVERSAL, amount_minor=8_000)
    take(report(lost), report(back))
    payment = Payment.objects.get(reference=told.reference)
    versions = payment.history.order_by("history_id").values_list("disputed_minor", flat=True)
    assert (payment.disputed_minor, list(versions)[-2:]) == (0, [8_000, 0])
    assert_books_hold()


# -- many at once is the same as one by one ---------------------------------------------------


MOVED = {
    "sold": (MovementKind.CHARGE, 1),
    "back": (MovementKind.REFUND, -1),
    "lost": (MovementKind.DISPUTE, -1),
    "won": (MovementKind.DISPUTE_REVERSAL, 1),
}


class World:
    """One partner's side of a story that is told twice, under names that differ by a prefix."""

    def __init__(self, prefix: str, *, taker: Account, now: datetime) -> None:
        """Note whose story it is."""
        self.prefix, self.taker, self.now = prefix, taker, now

    def meaning(self, kind: str, *, sale: int, step: int, has_account: bool) -> Meaning:
        """Return one piece of news about sale number `sale`, its `step` deciding the rest."""
        named = self.taker.pk if has_account else None
        charge, intent = f"ch_{self.prefix}{sale}", f"pi_{self.prefix}{sale}"
        at = self.now + timedelta(seconds=step)
        states = list(PaymentState)
        match kind:
            case "intent" | "charge":
                return PaymentNotice(
                    provider="stripe",
                    reference=intent if kind == "intent" else charge,
                    intent_ref=intent,
                    state=states[step % len(states)],
                    amount_minor=1_000,
                    refunded_minor=0,
                    currency="EUR",
                    occurred_at=at,
                    account_id=named,
                    failure_code=None,
                )
            case "dispute":
                return DisputeNotice(
                    provider="stripe",
                    reference=f"dp_{self.prefix}{sale}",
                    payment_ref=charge,
                    state=list(DisputeState)[step % len(DisputeState)],
                    amount_minor=1_000,
                    currency="EUR",
                    reason="fraudulent",
                    occurred_at=at,
                )
            case "payout":
                return PayoutNotice(
                    provider="stripe",
                    reference=f"po_{self.prefix}{sale}",
                    state=list(PayoutState)[step % len(PayoutState)],
                    amount_minor=1_000,
                    currency="EUR",
                    arrival_at=at,
                    occurred_at=at,
                    failure_code=None,
                )
            case _:
                moved, sign = MOVED[kind]
                return Movement(
                    provider="stripe",
                    reference=f"txn_{self.prefix}{sale}_{kind}_{step % 2}",
                    kind=moved,
                    amount_minor=sign * (1_000 + step % 3),
                    fee_minor=0,
                    currency="EUR",
                    occurred_at=self.now,
                    payment_ref=charge,
                    subject_ref=charge,
                    account_id=named,
                )

    def effects(self) -> dict[str, object]:
        """Return what it came to, in words without the prefix."""
        mine = {"reference__contains": f"_{self.prefix}"}
        code = dict(LedgerAccount.objects.values_list("pk", "code"))
        code |= {self.taker.pk: "taker"}
        journals = Journal.objects.filter(origin__contains=f"_{self.prefix}")
        found = {
            "payments": sorted(
                Payment.objects.filter(**mine).values_list(
                    "reference",
                    "intent_ref",
                    "state",
                    "account",
                    "booked_minor",
                    "refunded_minor",
                    "disputed_minor",
                ),
                key=str,
            ),
            "disputes": sorted(Dispute.objects.filter(**mine).values_list("reference", "state")),
            "payouts": sorted(
                ProviderPayout.objects.filter(**mine).values_list("reference", "state")
            ),
            "journals": {
                each.origin: sorted(
                    (code[line.account_id], line.amount_minor)
                    for line in Posting.objects.filter(journal_id=each.pk)
                )
                for each in journals
            },
            "stands": stands_at(self.taker.pk),
        }
        return {
            name: str(value).replace(f"_{self.prefix}", "_").replace(str(self.taker.pk), "taker")
            for name, value in found.items()
        }


NEWS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["intent", "charge", "dispute", "payout", *MOVED]),
        "sale": st.integers(0, 2),
        "step": st.integers(0, 8),
        "has_account": st.booleans(),
    }
)


def told_in(world: World, *, news: Sequence[Sequence[dict[str, Any]]]) -> list[Report]:
    """Return the reports of this news in a world of its own."""
    return [report(*(world.meaning(**each) for each in one)) for one in news]


@pytest.fixture
def books_hold() -> Iterator[None]:
    """The books, looked at once when all is told."""
    yield
    assert_books_hold()


@pytest.mark.usefixtures("books_hold")
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(news=st.lists(st.lists(NEWS, min_size=1, max_size=2), min_size=2, max_size=NEWS_MAX))
def test_late_doubled_and_shuffled_news_ends_at_once_as_one_by_one(
    news: list[list[dict[str, Any]]],
) -> None:
    worlds = []
    now = timezone.now()
    for _ in range(2):
        number = next(factories.numbers)
        taker = factories.cast(holding_minor=0).taker
        worlds.append(World(f"{number}x", taker=taker, now=now))
    first, *more = told_in(worlds[0], news=news)
    together = [*take(first), *take(*more)]
    alone = [each for one in told_in(worlds[1], news=news) for each in take(one)]
    assert codes(together) == codes(alone)
    assert worlds[0].effects() == worlds[1].effects()
