"""The life of payouts in a world that is all dice: clock, lines, bank and crashes from one seed.

A storm comes first; when it is over, everything must come to an end.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from accounts.states import ApprovalState
from audit.errors import Refusal
from tests.properties.simulated import (
    ASK_SECONDS,
    OPEN,
    PAYOUTS,
    STORM_SECONDS,
    WINDOW_SECONDS,
    Broken,
    Case,
    Clock,
    House,
    S,
)
from transactions.errors import Contradiction, NothingChanged, TooEarly, WrongState
from transactions.states import FINAL_STATES, TransferState


@dataclass
class Deed:
    """What the bank knows of one key."""

    name: str
    state: TransferState
    ref: str


class Bank:
    """Pays a key once, tells of it until it is heard, and sometimes sends money back."""

    def __init__(self, world: "World") -> None:
        """Know nobody yet."""
        self.world = world
        self.deeds: dict[str, Deed] = {}
        self.moved: Counter[str] = Counter()

    def pay(self, key: str, name: str) -> Deed:
        """Take a payment, decline it, or say again what was said under its key."""
        if key not in self.deeds:
            is_declined = self.world.dice.random() < 0.15
            state = S.FAILED if is_declined else S.DISPATCHED
            self.deeds[key] = Deed(name, state, ref=f"ref-{len(self.deeds)}")
            if not is_declined:
                self.world.clock.later(self.world.dice.uniform(1, 40), partial(self._paid, key))
        return self.deeds[key]

    def _paid(self, key: str) -> None:
        deed = self.deeds[key]
        self.moved[deed.name] += 1
        self._tell(key, S.SETTLED)
        if self.world.dice.random() < 0.2:
            self.world.clock.later(self.world.dice.uniform(1, 30), partial(self._back, key))

    def _back(self, key: str) -> None:
        self._tell(key, S.RETURNED)

    def _tell(self, key: str, state: TransferState) -> None:
        deed = self.deeds[key]
        deed.state = state
        self._call_back(deed, state)

    def _call_back(self, deed: Deed, state: TransferState) -> None:
        """Deliver a callback: late, out of order, twice, or again where it was lost."""
        dice, is_stormy = self.world.dice, self.world.is_stormy
        if is_stormy and dice.random() < 0.3:
            self.world.clock.later(20, partial(self._call_back, deed, state))
            return
        for _ in range(2 if is_stormy and dice.random() < 0.3 else 1):
            delay = dice.uniform(0, 50) if is_stormy else 0.1
            self.world.clock.later(delay, partial(self.world.receive, deed, state))


class World:
    """Everything, from one seed."""

    def __init__(self, seed: int) -> None:
        """Put the first things in line."""
        self.dice = random.Random(seed)  # noqa: S311 - the same world for the same seed
        self.clock, self.house, self.bank = Clock(), House(), Bank(self)
        self.inbox: list[tuple[Deed, TransferState]] = []
        self.log: list[str] = []
        self.refused: Counter[str] = Counter()
        self.life = 0  # of the worker; what an earlier life began, a later one does not end
        for number in range(PAYOUTS):
            self._plan(f"payout-{number}")
        for seconds, beat in ((4.0, self._walk_by), (6.0, self._sweep)):
            self.clock.later(seconds, partial(self._every, seconds, beat))

    @property
    def is_stormy(self) -> bool:
        """Say whether things still go wrong."""
        return self.clock.now < STORM_SECONDS

    def run(self) -> str:
        """Live to the end; return the fingerprint of all that happened. Broken says what broke."""
        before: object = None
        for now in self.clock.run():
            stand = self.house.standing(), self.bank.moved.total()
            if stand != before:
                self.house.check(self.bank.moved)
                self.log.append(f"{now:.6f} {stand}")
                before = stand
        stuck = {n: str(c.state) for n, c in self.house.cases.items() if not self._is_over(n, c)}
        if stuck or self.inbox:
            raise Broken(f"never came to an end: {stuck}, {len(self.inbox)} in the inbox")
        return sha256("\n".join(self.log).encode()).hexdigest()

    def receive(self, deed: Deed, state: TransferState) -> None:
        """Put a callback into the inbox."""
        self.inbox.append((deed, state))

    def key_of(self, name: str) -> str:
        """Return the one key a payout is sent under."""
        return f"key of {name}"

    def may_send_again(self, case: Case) -> bool:
        """Say whether "never heard of it" is the bank's last word."""
        return self.clock.now - case.claimed_at > WINDOW_SECONDS

    def _is_over(self, name: str, case: Case) -> bool:
        if case.state is S.AWAITING_APPROVAL:
            return case.approval is ApprovalState.OPEN  # nobody has looked: that is no fault
        last = [deed.state for deed in self.bank.deeds.values() if deed.name == name]
        return case.state in FINAL_STATES and last in ([], [case.state])

    def _plan(self, name: str) -> None:
        """Let one payout be asked for, perhaps decided, perhaps called off, whenever."""
        dice, house = self.dice, self.house
        asked = dice.uniform(0, STORM_SECONDS / 2)
        maker, amount = dice.choice("ab"), dice.randint(1, 300)
        self.clock.later(asked, partial(house.request, name, amount_minor=amount, maker=maker))
        for _ in range(dice.randint(0, 3)):
            decide = partial(
                house.decide, name, checker=dice.choice("abc"), is_yes=dice.random() < 0.8
            )
            self.clock.later(asked + dice.uniform(0, 60), decide)
        if dice.random() < 0.25:
            cancel = partial(self._try, partial(house.cancel, name))
            self.clock.later(asked + dice.uniform(0, 60), cancel)

    def _every(self, seconds: float, beat: Callable[[], None]) -> None:
        """Do something again and again; a worker that is killed starts anew a little later."""
        self.clock.later(seconds, partial(self._every, seconds, beat))
        if self.is_stormy and self.dice.random() < 0.1:
            self.life += 1
            return
        beat()

    def _try(self, act: Callable[[], None]) -> bool:
        """Run a command; count what it is refused with."""
        try:
            act()
        except (WrongState, NothingChanged) as refusal:
            self.refused[refusal.code] += 1
            return False
        except Contradiction as refusal:
            raise Broken(str(refusal)) from refusal
        return True

    def _walk_by(self) -> None:
        """Carry out decisions, work off the inbox, send what waits."""
        for case in self.house.cases.values():
            if case.state is S.AWAITING_APPROVAL:
                self._try(partial(self.house.carry_out, case))
        waiting, self.inbox = self.inbox, []
        for deed, state in waiting:
            try:
                self._hear(deed, state)
            except TooEarly as refusal:
                self.refused[refusal.code] += 1
                self.inbox.append((deed, state))
        while name := self.house.claim(self.clock.now):
            self._send(name)

    def _send(self, name: str) -> None:
        """Call the bank: the call or its answer may be lost, be late, or end the worker."""
        life, dice = self.life, self.dice
        delay = dice.uniform(0, WINDOW_SECONDS * 0.9) if self.is_stormy else 0.1
        if not (self.is_stormy and dice.random() < 0.2):
            self.clock.later(delay, partial(self._arrive, self.key_of(name), name, life))
        if self.is_stormy and dice.random() < 0.5:
            self.clock.later(5, partial(self._doubt, name, life))

    def _arrive(self, key: str, name: str, life: int) -> None:
        """Let the bank have the call, and the worker the answer if it still lives."""
        deed = self.bank.pay(key, name)
        is_lost = self.is_stormy and self.dice.random() < 0.3
        if not is_lost and life == self.life and deed.state is S.FAILED:
            self._hear(deed, S.FAILED)

    def _doubt(self, name: str, life: int) -> None:
        if life == self.life:
            self._try(partial(self.house.doubt, name, self.clock.now))

    def _sweep(self) -> None:
        """Ask after every payout of which nothing was heard for too long."""
        for name, case in self.house.cases.items():
            if case.state not in OPEN or case.ask_at is None or case.ask_at > self.clock.now:
                continue
            case.ask_at = self.clock.now + ASK_SECONDS
            deed = self.bank.deeds.get(self.key_of(name))
            if deed is None:
                if self.may_send_again(case):
                    case.claimed_at = self.clock.now
                    self._send(name)
            elif deed.state is S.RETURNED:
                self._hear(deed, S.SETTLED)
                self._hear(deed, S.RETURNED)
            elif deed.state is not S.DISPATCHED:
                self._hear(deed, deed.state)

    def _hear(self, deed: Deed, state: TransferState) -> None:
        hear = partial(self.house.hear, deed.name, state, ref=deed.ref)
        self._try(hear)


def live(seed: int, *, world: type[World] = World) -> tuple[str, Counter[str]]:
    """Live one seed to the end; return its fingerprint and what was refused on the way."""
    lived = world(seed)
    try:
        print_of_all = lived.run()
    except (Broken, Refusal) as failure:
        raise Broken(f"seed {seed} at {lived.clock.now:.3f} s: {failure}") from failure
    ends = Counter(str(case.state) for case in lived.house.cases.values())
    return print_of_all, ends + lived.refused
