"""A bank's word on many payouts at once ends as one by one, and as by commands of their own."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import pytest
from django.db.models import QuerySet
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.models import Letter
from audit.circumstances import under
from audit.errors import Refusal
from audit.models import Entry
from audit.selectors.entries import spoken
from audit.typeids import uuid7
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.factories import committed
from tests.transactions.bank_words import BANK, S, codes, take, take_no_credits, told
from transactions.fees import FeeTerms
from transactions.meanings import TransferNotice
from transactions.meanings import TransferState as Word
from transactions.models import Hold, Journal, LedgerAccount, LimitUse, Posting, Transfer
from transactions.money import Money
from transactions.services.dispatching import (
    fail_transfer,
    note_acceptance,
    return_transfer,
    settle_transfer,
)
from transactions.states import LimitWindow, TransferKind, TransferState

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("worker")]
EXAMPLES: Final = 3
EXAMPLES_FULL: Final = 100
NEWS_MAX: Final = 16
STARTS: Final = (S.DISPATCHED, S.DISPATCHED, S.UNKNOWN, S.ACCEPTED, S.SETTLED)
NAMES: Final = ("pay_0", "pay_0", "pay_0", "pay_1")
Take = Callable[[Sequence[TransferNotice]], list[str]]


def at_once(notices: Sequence[TransferNotice]) -> list[str]:
    """Take all of it in one command."""
    return codes(take(*notices))


def one_by_one(notices: Sequence[TransferNotice]) -> list[str]:
    """Take it in a command each."""
    return [said for each in notices for said in codes(take(each))]


def by_commands_of_their_own(notices: Sequence[TransferNotice]) -> list[str]:
    """Take it as `settle_transfer` and its kin do, under the payout's trace."""
    return [_run(each) for each in notices]


def _run(notice: TransferNotice) -> str:
    money = Money(notice.amount_minor, notice.currency)
    what: dict[str, Any] = {"actor": BANK, "transfer_id": notice.transfer_id}
    named: dict[str, Any] = {"provider_ref": notice.provider_ref}
    because: dict[str, Any] = {"reason": notice.reason}
    at: dict[str, Any] = {"occurred_at": notice.occurred_at}
    act: Callable[[], Transfer] = {
        Word.ACCEPTED: partial(note_acceptance, **what, **named),
        Word.SETTLED: partial(settle_transfer, **what, **named, **at, told=money),
        Word.FAILED: partial(fail_transfer, **what, **because, **at),
        Word.RETURNED: partial(return_transfer, **what, **because, **at, told=money),
    }[notice.state]
    known = Transfer.objects.filter(pk__in=[notice.transfer_id]).first()
    with under(trace_id=known.trace_id if known else "f" * 32):
        try:
            act()
        except Refusal as refusal:
            return refusal.code
    return f"transfer {notice.state}"


class World:
    """One partner's side of a story that is told several times."""

    def __init__(self) -> None:
        """Let a fee be charged and limits count, and one of two accounts take nothing back."""
        self.cast = factories.cast()
        self.stopped = factories.account(self.cast.portfolio, holding_minor=factories.RICH_MINOR)
        for on in (self.cast.giver, self.stopped, self.cast.partner):
            factories.limit(
                on, window=LimitWindow.DAY, amount_max_minor=9_000_000, count_max=9_000
            )
        factories.fee(self.cast, FeeTerms(flat_minor=7), kind=TransferKind.PAYOUT)
        take_no_credits(self.stopped)

    def begin(self, starts: Sequence[TransferState], *, now: datetime) -> None:
        """Let new payouts wait for the bank's word, of either account in turn."""
        factories.nothing_waits()
        self.now = now
        self.payouts = [self._payout(number, state=state) for number, state in enumerate(starts)]
        self.names = dict(self._names())
        self.begins = uuid7()

    def _payout(self, number: int, *, state: TransferState) -> Transfer:
        is_paid = state is S.SETTLED
        start = S.DISPATCHED if is_paid else state
        giver = self.stopped if number % 2 else self.cast.giver
        within = replace(self.cast, giver=giver)
        made = factories.payout(within, state=start, amount_minor=1_000 + number)
        if is_paid:
            settle = partial(settle_transfer, provider_ref=NAMES[0], occurred_at=self.now)
            factories.set_up(settle)(actor=BANK, transfer_id=made.pk)
        return made

    def _names(self) -> Iterator[tuple[str, str]]:
        """Return what differs from world to world, and how it is called here."""
        for number, each in enumerate(self.payouts):
            hold = Hold.objects.get(transfer=each)
            spelled = (str(each.pk), each.public_id, each.trace_id, str(hold.pk))
            yield from ((text, f"payout {number}") for text in spelled)
        for name, account in (("giver", self.cast.giver), ("stopped", self.stopped)):
            yield from ((text, name) for text in (str(account.pk), account.public_id))

    def notice(self, *, about: int, word: Word, name: int, is_right: bool) -> TransferNotice:
        """Return one word on a payout; on one more than there are it is about nobody's."""
        payout = self.payouts[about] if about < len(self.payouts) else Transfer(amount_minor=9)
        return told(
            payout,
            word,
            provider_ref=NAMES[name],
            amount_minor=payout.amount_minor + (not is_right),
            currency="EUR",
            occurred_at=self.now,
        )

    def effects(self) -> dict[str, list[str]]:
        """Return what it came to, in words that are the same in every world."""
        refs = [each.audit_ref for each in self.payouts]
        keys = [each.pk for each in self.payouts]
        accounts = (self.cast.giver.pk, self.stopped.pk)
        letters = Letter.objects.filter(book_id=self.cast.partner.book_id, pk__gt=self.begins)
        found: dict[str, Iterable[object]] = {
            "payouts": map(_state, Transfer.objects.filter(pk__in=keys).order_by("pk")),
            "holds": map(_ending, Hold.objects.filter(transfer_id__in=keys).order_by("pk")),
            "journals": _journals(Journal.objects.filter(subject_ref__in=refs), since=self.begins),
            "stands": map(stands_at, accounts),
            "limits": map(_used, (*accounts, self.cast.partner.book_id)),
            "letters": letters.order_by("id").values_list(
                "type", "payload", "occurred_at", "trace_id"
            ),
            "entries": self._entries(),
        }
        return {name: [self._renamed(str(each)) for each in all_] for name, all_ in found.items()}

    @factories.set_up
    def _entries(self) -> list[object]:
        """Return what was written down of the payouts."""
        refs = [each.audit_ref for each in self.payouts]
        written = Entry.objects.filter(target_ref__in=refs, pk__gt=self.begins).order_by("id")
        told = [spoken(each) for each in written]
        return [
            [*(each[name] for name in SPOKEN), each["outcome"] == "refused" or each["action"]]
            for each in told
        ]

    def _renamed(self, text: str) -> str:
        for own, name in self.names.items():
            text = text.replace(own, name)
        text = INSTANT.sub(self._when, text)
        return KEY.sub("#", text)

    def _when(self, at: re.Match[str]) -> str:
        return "then" if datetime.fromisoformat(at[0]) == self.now else "now"


SPOKEN: Final = ("actor", "outcome", "target", "facts", "touches", "trace", "reason")
INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(\+00:00|Z)")
KEY: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|callback:\w+")


def _state(transfer: Transfer) -> list[object]:
    asked = transfer.ask_at is not None
    return [
        transfer.state,
        transfer.provider_ref,
        transfer.failure_code,
        transfer.settled_at,
        asked,
    ]


def _ending(hold: Hold) -> list[object]:
    return [hold.state, hold.captured_minor, hold.released_minor]


def _journals(journals: QuerySet[Journal], *, since: UUID) -> Iterator[list[object]]:
    origins: dict[UUID | None, str] = {None: "", **dict(journals.values_list("pk", "origin"))}
    ours = LedgerAccount.objects.filter(keeps_balance=False)
    codes = dict(ours.values_list("pk", "code"))
    for each in journals.filter(pk__gt=since).order_by("id"):
        lines = Posting.objects.filter(journal_id=each.pk).order_by("id")
        yield [
            *(each.origin, each.purpose, each.trace_id, each.occurred_at, origins[each.reverses]),
            *((codes.get(e.account_id), e.amount_minor, e.balance_after_minor) for e in lines),
        ]


def _used(subject_id: UUID) -> tuple[int, int]:
    """Return how much of a subject's limits is used, and how often."""
    uses = list(LimitUse.objects.filter(subject_id=subject_id))
    return int(sum(use.amount_minor for use in uses)), sum(use.times for use in uses)


NEWS = st.fixed_dictionaries(
    {
        "about": st.sampled_from([0, 0, 0, 1, 1, 1, 2, 2, 3]),
        "word": st.sampled_from(Word),
        "name": st.integers(0, len(NAMES) - 1),
        "is_right": st.sampled_from([True, True, True, False]),
    }
)


def compare(*, examples: int) -> None:
    """Tell so many stories at once, one by one, and by commands of their own; all end alike."""
    ways: dict[Take, World] = {}
    for way in (at_once, one_by_one, by_commands_of_their_own):
        ways[way] = World()

    @settings(
        max_examples=examples,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(
        starts=st.lists(st.sampled_from(STARTS), min_size=3, max_size=3),
        news=st.lists(NEWS, min_size=6, max_size=NEWS_MAX),
    )
    def tell(starts: list[TransferState], news: list[dict[str, Any]]) -> None:
        said, effects = [], []
        now = timezone.now()
        for way, world in ways.items():
            world.begin(starts, now=now)
            said.append(way([world.notice(**each) for each in news]))
            effects.append(world.effects())
        assert said[0] == said[1] == said[2]
        assert effects[0] == effects[1]
        assert effects[0] == effects[2]

    tell()
    assert_books_hold()


def test_late_doubled_and_shuffled_words_end_at_once_as_one_by_one() -> None:
    compare(examples=EXAMPLES)


@pytest.mark.full
def test_many_stories_of_late_doubled_and_shuffled_words_end_alike() -> None:
    compare(examples=EXAMPLES_FULL)
