"""The ledger against a plain Python oracle, act by act, on the real database with real commits."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final
from uuid import UUID

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.models import Account
from accounts.states import FreezeMode
from audit.errors import Refusal
from tests import factories
from tests.books import assert_books_hold
from tests.conftest import STAGE
from tests.factories import Cast, committed
from tests.logins import Lines
from tests.properties.oracle import Oracle, Purse
from transactions.models import Balance, LedgerAccount, Posting, Transfer
from transactions.orders import TransferOrder
from transactions.services.dispatching import (
    claim_transfer,
    fail_transfer,
    note_doubt,
    return_transfer,
    settle_transfer,
)
from transactions.services.freezes import freeze_account
from transactions.services.movements import book_movement
from transactions.services.transfers import cancel_transfer, request_transfer
from transactions.states import LimitWindow

__all__ = ["committed"]
pytestmark = pytest.mark.usefixtures("committed")
HELD_MINOR: Final = 50
# What may leave the first account a day, and how often anything may leave those in EUR.
ALLOWANCE_MINOR: Final = 90
TURNS: Final = 12
# Two in one currency, one each in currencies without minor units and with three digits of them.
CURRENCIES: Final = {"first": "EUR", "second": "EUR", "yen": "JPY", "dinar": "BHD"}
accounts = st.sampled_from(["first", "first", "second", "second", "yen", "dinar"])
amounts = st.integers(1, 60)
dice = st.integers(0, 10**6)
has_payouts = precondition(lambda self: bool(self.oracle.payouts))
EVERY_ANSWER: Final = {
    "done",
    "account_frozen",
    "already_frozen",
    "contradiction",
    "currency_mismatch",
    "insufficient_funds",
    "limit_exceeded",
    "nothing_changed",
    "too_early",
    "wrong_state",
}
BANK = factories.provider("testbank")


class Ledger(RuleBasedStateMachine):
    """A partner with four accounts, and everything that can happen to their money."""

    lines: ClassVar[Lines]
    heard: ClassVar[Counter[str]]

    @initialize()
    def set_up(self) -> None:
        """Open four accounts, each with a little in it; nothing of others waits to be sent."""
        factories.nothing_waits()
        self.cast: Cast = factories.cast(holding_minor=0, threshold_minor=10**9)
        self.accounts: dict[str, Account] = {
            name: factories.account(
                self.cast.portfolio, currency=currency, holding_minor=HELD_MINOR
            )
            for name, currency in CURRENCIES.items()
        }
        self.oracle = Oracle(
            {name: Purse(currency, HELD_MINOR) for name, currency in CURRENCIES.items()},
            turns={"EUR": TURNS},
        )
        self.oracle.purses["first"].allowance = ALLOWANCE_MINOR
        day = LimitWindow.DAY
        factories.limit(self.accounts["first"], window=day, amount_max_minor=ALLOWANCE_MINOR)
        factories.limit(self.cast.partner, window=day, count_max=TURNS)
        self.transfers: dict[str, Transfer] = {}

    @rule(source=accounts, destination=accounts, amount=amounts)
    def transfer(self, source: str, destination: str, amount: int) -> None:
        """Move money between two accounts."""
        if source == destination:
            return
        order = factories.order(
            self.accounts[source], amount_minor=amount, to=self.accounts[destination]
        )
        said = self._hear("api", lambda: self._ask(order))
        self._compare(said, self.oracle.transfer(source, destination, amount))

    @rule(source=accounts, amount=amounts)
    def reserve(self, source: str, amount: int) -> None:
        """Ask for a payout."""
        name = f"payout-{len(self.transfers)}"
        order = factories.order(self.accounts[source], amount_minor=amount)
        made: list[Transfer] = []
        said = self._hear("api", lambda: made.append(self._ask(order)))
        self._compare(said, self.oracle.reserve(name, source, amount))
        if made:
            self.transfers[name] = made[0]

    @has_payouts
    @rule(pick=dice)
    def cancel(self, pick: int) -> None:
        """Call a payout off."""
        name, transfer = self._pick(pick)
        said = self._hear(
            "api", lambda: cancel_transfer(actor=self.cast.actor, transfer_id=transfer.pk)
        )
        self._compare(said, self.oracle.cancel(name))

    @has_payouts
    @rule()
    def claim(self) -> None:
        """Let a worker claim what has waited longest of what may leave."""
        wanted = self.oracle.claimable()
        claimed: list[Transfer] = []
        said = self._hear("worker", lambda: claimed.append(claim_transfer(actor=factories.SYSTEM)))
        self._compare(said, set() if wanted else {"nothing_changed"})
        if claimed:
            assert claimed[0].pk == self.transfers[wanted[0]].pk
            self.oracle.payouts[wanted[0]].state = "dispatched"

    @has_payouts
    @rule(pick=dice, what=st.sampled_from(["settle", "settle", "fail", "doubt", "give_back"]))
    def hear_from_the_bank(self, pick: int, what: str) -> None:
        """Hear any news of any payout, fitting or not."""
        name, transfer = self._pick(pick)
        now = timezone.now()
        news: dict[str, Callable[[], object]] = {
            "settle": lambda: settle_transfer(
                actor=BANK, transfer_id=transfer.pk, provider_ref=name, occurred_at=now
            ),
            "fail": lambda: fail_transfer(
                actor=BANK, transfer_id=transfer.pk, reason="closed", occurred_at=now
            ),
            "doubt": lambda: note_doubt(actor=BANK, transfer_id=transfer.pk, because="silence"),
            "give_back": lambda: return_transfer(
                actor=BANK, transfer_id=transfer.pk, reason="returned", occurred_at=now
            ),
        }
        said = self._hear("worker", news[what])
        self._compare(said, getattr(self.oracle, what)(name))

    @rule(account=accounts, gross=amounts, share=st.integers(0, 100))
    def charge(self, account: str, gross: int, share: int) -> None:
        """Take in a payment, a share of which its provider keeps."""
        fee = gross * share // 100
        movement = factories.charge(
            self.accounts[account],
            amount_minor=gross,
            fee_minor=fee,
            currency=CURRENCIES[account],
        )
        said = self._hear(
            "worker", lambda: book_movement(actor=factories.provider(), movement=movement)
        )
        self._compare(said, self.oracle.charge(account, gross, fee))

    @precondition(lambda self: sum(bool(p.frozen) for p in self.oracle.purses.values()) < 2)
    @rule(account=accounts, mode=st.sampled_from([mode for mode in FreezeMode if mode.bits]))
    def freeze(self, account: str, mode: FreezeMode) -> None:
        """Freeze an account in one more way; nothing thaws here, so two accounts at most."""
        act: dict[str, Any] = {"mode": mode, "reason": "order", "legal_reference": "12 C 3/26"}
        said = self._hear(
            "admin",
            lambda: freeze_account(
                actor=factories.colleague(), account_id=self.accounts[account].pk, **act
            ),
        )
        self._compare(said, self.oracle.freeze(account, mode.bits))

    @invariant()
    def the_balances_are_the_oracles(self) -> None:
        """Compare what each account holds, has reserved, how it is frozen, and its version."""
        if not hasattr(self, "oracle"):
            return
        names = {account.pk: name for name, account in self.accounts.items()}
        found = {
            names[row.pk]: (row.posted_minor, row.pending_minor, row.frozen, row.version)
            for row in Balance.objects.filter(pk__in=names)
        }
        assert found == {
            name: (purse.posted, purse.pending, purse.frozen, purse.version)
            for name, purse in self.oracle.purses.items()
        }

    @invariant()
    def every_payout_stands_where_the_oracle_says(self) -> None:
        """Compare the states."""
        if getattr(self, "transfers", None):
            keys = {transfer.pk: name for name, transfer in self.transfers.items()}
            rows = Transfer.objects.filter(pk__in=keys).values_list("pk", "state")
            assert {keys[pk]: state for pk, state in rows} == {
                name: payout.state for name, payout in self.oracle.payouts.items()
            }

    def teardown(self) -> None:
        """Compare what stands on the system's accounts, and recompute all of the books."""
        if hasattr(self, "oracle"):
            book_id = self.cast.partner.book_id
            assert system_sums(book_id) == {
                key: total for key, total in self.oracle.system.items() if total
            }
            assert_books_hold()

    def _ask(self, order: TransferOrder) -> Transfer:
        return request_transfer(actor=self.cast.actor, order=order, origin=factories.origin())

    def _pick(self, pick: int) -> tuple[str, Transfer]:
        names = list(self.transfers)
        name = names[pick % len(names)]
        return name, self.transfers[name]

    def _hear(self, role: str, act: Callable[[], object]) -> str:
        """Act as a login; return the code of a refusal, or ''."""
        with self.lines.signed_in(role):
            try:
                act()
            except Refusal as refusal:
                return refusal.code
        return ""

    def _compare(self, said: str, wanted: set[str]) -> None:
        assert said in (wanted or {""}), f"heard {said!r}, the oracle says {wanted or 'done'}"
        self.heard[said or "done"] += 1


def system_sums(book_id: UUID) -> dict[tuple[str, str], int]:
    """Return what stands on a book's system accounts, by code and currency; openings aside."""
    accounts = LedgerAccount.objects.filter(book_id=book_id, keeps_balance=False)
    names = {row.pk: (row.code, row.currency) for row in accounts.exclude(code="bank:opening")}
    sums: Counter[tuple[str, str]] = Counter()
    for posting in Posting.objects.filter(account_id__in=names):
        sums[names[posting.account_id]] += posting.amount_minor
    return {name: total for name, total in sums.items() if total}


@contextmanager
def on_stage() -> Iterator[Counter[str]]:
    """Let the ledger sign in as who acts, and count what is heard."""
    Ledger.lines, Ledger.heard = Lines(STAGE.passwords), Counter()
    try:
        yield Ledger.heard
    finally:
        Ledger.lines.leave()


def play(machine: type[Ledger] = Ledger, *, examples: int, steps: int) -> Counter[str]:
    """Let so many stories happen to the ledger, the same in every run; count what was heard."""
    how = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    with on_stage() as heard:
        run_state_machine_as_test(machine, settings=how)
    return heard


def test_t52_short_the_ledger_does_what_the_oracle_says() -> None:
    assert play(examples=5, steps=20)["done"] > 10


@pytest.mark.full
def test_t52_the_ledger_does_what_the_oracle_says_act_by_act() -> None:
    heard = play(examples=80, steps=40)
    print(f"T52: the oracle agreed on {heard.total()} acts: {dict(heard)}")  # noqa: T201 - the proof
    assert set(heard) == EVERY_ANSWER


def test_freezes_add_up_and_each_is_placed_once() -> None:
    """A story that the short form does not happen to tell."""
    with on_stage() as heard:
        story = Ledger()
        story.set_up()
        for mode in (FreezeMode.CREDITS, FreezeMode.DEBITS, FreezeMode.ALL, FreezeMode.ALL):
            story.freeze(account="second", mode=mode)
            story.transfer(source="second", destination="first", amount=5)
            story.the_balances_are_the_oracles()
        story.teardown()
        assert heard == {"done": 4, "account_frozen": 3, "already_frozen": 1}


class Mistaken(Ledger):
    """The same ledger before an oracle that forgets one version."""

    @invariant()
    def forget(self) -> None:
        """Forget every version."""
        for purse in self.oracle.purses.values() if hasattr(self, "oracle") else ():
            purse.version = 1


def test_t52_control_an_oracle_that_is_wrong_is_contradicted() -> None:
    """What the comparison is for: it must be able to fail."""
    with pytest.raises(AssertionError):
        play(Mistaken, examples=5, steps=20)
