"""The ledger as plain Python says it: what every act does, and what it is told. Pure.

An act answers with the codes it may be refused with; with none, it has been done.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

DEBITS, CREDITS = 1, 2
STATES_OPEN = ("dispatched", "unknown")


@dataclass
class Purse:
    """One account: what it holds, what of it is reserved, which directions each freeze stops.

    `allowance` is what may still leave it today, and None where that is not limited.
    """

    currency: str
    posted: int
    allowance: int | None = None
    pending: int = 0
    freezes: set[int] = field(default_factory=set)
    version: int = 1

    @property
    def available(self) -> int:
        """Return what can be spent."""
        return self.posted - self.pending

    @property
    def frozen(self) -> int:
        """Return the directions that all freezes together stop."""
        return reduce(or_, self.freezes, 0)

    def move(self, amount: int, *, release: int = 0) -> None:
        """Post one line."""
        self.posted += amount
        self.pending -= release
        self.version += 1

    def set_aside(self, amount: int) -> None:
        """Reserve, or free what was reserved."""
        self.pending += amount
        self.version += 1

    def bears(self, amount: int) -> int:
        """Return how much of an amount that has moved already the account can take."""
        if amount > 0:
            return 0 if self.frozen & CREDITS else amount
        return 0 if self.frozen & DEBITS else -min(-amount, max(0, self.available))


@dataclass
class Payout:
    """One payout and how far it is."""

    source: str
    amount: int
    state: str = "accepted"


@dataclass
class Oracle:
    """Accounts and payouts by name, and what stands on the system's accounts by code, currency.

    `turns` is how often money may still leave any account in a currency today, where limited.
    """

    purses: dict[str, Purse] = field(default_factory=dict)
    payouts: dict[str, Payout] = field(default_factory=dict)
    system: Counter[tuple[str, str]] = field(default_factory=Counter)
    turns: dict[str, int] = field(default_factory=dict)

    def transfer(self, source: str, destination: str, amount: int) -> set[str]:
        """Move money inside."""
        giver, taker = self.purses[source], self.purses[destination]
        if giver.currency != taker.currency:
            return {"currency_mismatch"}
        if self._is_over(giver, amount):
            return {"limit_exceeded"}
        if giver.frozen & DEBITS:
            return {"account_frozen"}
        # Two accounts, two reasons: either may be met first.
        said = {"account_frozen"} if taker.frozen & CREDITS else set()
        said |= {"insufficient_funds"} if giver.available < amount else set()
        if not said:
            giver.move(-amount)
            taker.move(amount)
            self._use(giver, amount)
        return said

    def reserve(self, name: str, source: str, amount: int) -> set[str]:
        """Set money aside for a payout."""
        purse = self.purses[source]
        if self._is_over(purse, amount):
            return {"limit_exceeded"}
        if purse.frozen & DEBITS:
            return {"account_frozen"}
        if purse.available < amount:
            return {"insufficient_funds"}
        purse.set_aside(amount)
        self._use(purse, amount)
        self.payouts[name] = Payout(source, amount)
        return set()

    def cancel(self, name: str) -> set[str]:
        """Call a payout off."""
        payout = self.payouts[name]
        if payout.state != "accepted":
            return {"wrong_state"}
        return self._end(payout, "cancelled")

    def claimable(self) -> list[str]:
        """Return the payouts that may leave, oldest first."""
        return [
            name
            for name, payout in self.payouts.items()
            if payout.state == "accepted" and not self.purses[payout.source].frozen & DEBITS
        ]

    def doubt(self, name: str) -> set[str]:
        """Doubt a payout that was sent."""
        payout = self.payouts[name]
        if payout.state not in STATES_OPEN:
            return {"nothing_changed"}
        payout.state = "unknown"
        return set()

    def settle(self, name: str) -> set[str]:
        """Learn that a payout was paid."""
        payout = self.payouts[name]
        if payout.state in {"settled", "returned"}:
            return {"nothing_changed"}
        if payout.state not in STATES_OPEN:
            return {"contradiction"}
        payout.state = "settled"
        purse = self.purses[payout.source]
        purse.move(-payout.amount, release=payout.amount)
        self.system["clearing:testbank", purse.currency] += payout.amount
        return set()

    def fail(self, name: str) -> set[str]:
        """Learn that a payout failed."""
        payout = self.payouts[name]
        if payout.state == "failed":
            return {"nothing_changed"}
        if payout.state not in STATES_OPEN:
            return {"contradiction"}
        return self._end(payout, "failed")

    def give_back(self, name: str) -> set[str]:
        """Learn that a payout came back: to its account, or to suspense if that takes nothing."""
        payout = self.payouts[name]
        if payout.state in {"returned", *STATES_OPEN}:
            return {"nothing_changed" if payout.state == "returned" else "too_early"}
        if payout.state != "settled":
            return {"contradiction"}
        payout.state = "returned"
        purse = self.purses[payout.source]
        self.system["clearing:testbank", purse.currency] -= payout.amount
        self._spill(purse, payout.amount, to="suspense")
        return set()

    def charge(self, account: str, gross: int, fee: int) -> set[str]:
        """Take in what a payer paid: the gross is the account's, the fee is the provider's."""
        purse = self.purses[account]
        self.system["clearing:stripe", purse.currency] -= gross - fee
        self.system["fees:stripe", purse.currency] -= fee
        self._spill(purse, gross, to="shortfall")
        return set()

    def freeze(self, account: str, bits: int) -> set[str]:
        """Stop an account's money, in each way once under the one reference that there is here."""
        freezes = self.purses[account].freezes
        if bits in freezes:
            return {"already_frozen"}
        freezes.add(bits)
        return set()

    def _end(self, payout: Payout, state: str) -> set[str]:
        payout.state = state
        self.purses[payout.source].set_aside(-payout.amount)
        self._use(self.purses[payout.source], -payout.amount, times=-1)
        return set()

    def _is_over(self, purse: Purse, amount: int) -> bool:
        return (purse.allowance is not None and amount > purse.allowance) or (
            self.turns.get(purse.currency, 1) < 1
        )

    def _use(self, purse: Purse, amount: int, *, times: int = 1) -> None:
        if purse.allowance is not None:
            purse.allowance -= amount
        if purse.currency in self.turns:
            self.turns[purse.currency] -= times

    def _spill(self, purse: Purse, amount: int, *, to: str) -> None:
        borne = purse.bears(amount)
        if borne:
            purse.move(borne)
        self.system[to, purse.currency] += amount - borne
