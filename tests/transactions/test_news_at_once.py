"""Late, doubled and shuffled news ends at once as one by one."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.factories import committed
from tests.transactions.provider_words import codes, report, take
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
from transactions.reports import Report

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("worker")]
EXAMPLES = 12
NEWS_MAX = 14
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
