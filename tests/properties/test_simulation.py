"""T59: thousands of worlds, each from a seed: nothing breaks, all comes to an end, all replays."""

from collections import Counter

import pytest

from tests.properties.simulated import Broken, Case
from tests.properties.simulation import World, live
from transactions.states import FINAL_STATES, TransferState

SEEDS_SHORT = 100
SEEDS_FULL = 10_000
REPLAYED = range(20)
# A payout is returned by its bank, never reversed.
ENDS = FINAL_STATES - {TransferState.REVERSED}
WANTED = {str(state) for state in ENDS} | {"too_early", "nothing_changed", "wrong_state"}


def live_all(seeds: int, *, world: type[World] = World) -> Counter[str]:
    """Live so many worlds; count how payouts ended and what was refused."""
    met: Counter[str] = Counter()
    for seed in range(seeds):
        met += live(seed, world=world)[1]
    assert set(met) >= WANTED, f"never met: {WANTED - set(met)}"
    return met


def test_t59_short_a_hundred_worlds_hold_and_come_to_an_end() -> None:
    live_all(SEEDS_SHORT)


@pytest.mark.full
def test_t59_ten_thousand_worlds_hold_and_come_to_an_end() -> None:
    met = live_all(SEEDS_FULL)
    print(f"T59: {SEEDS_FULL} seeds, 0 violations: {dict(met)}")  # noqa: T201 - the proof


def test_t59_a_seed_replays_bit_for_bit() -> None:
    first = [live(seed)[0] for seed in REPLAYED]
    assert [live(seed)[0] for seed in REPLAYED] == first
    assert len(set(first)) == len(REPLAYED)


class FreshKeys(World):
    """Sends a payout again under a new key, and does not wait for the bank's last word."""

    sent = 0

    def key_of(self, name: str) -> str:
        """Return another key each time."""
        self.sent += 1
        return f"key {self.sent} of {name}"


class Hasty(World):
    """Takes "never heard of it" for the last word, and lets another process use another key."""

    def key_of(self, name: str) -> str:
        """Return a key that changes with the claim."""
        return f"key of {name} at {self.house.cases[name].claimed_at}"

    def may_send_again(self, case: Case) -> bool:
        """Never wait."""
        del case
        return True


class Deaf(World):
    """Never asks after anything."""

    def _sweep(self) -> None:
        """Leave it."""


@pytest.mark.parametrize("wrong", [FreshKeys, Hasty, Deaf])
def test_t59_control_a_world_with_a_mistake_in_it_breaks(wrong: type[World]) -> None:
    """What the simulation is for: each of these mistakes must be found."""
    with pytest.raises(Broken):
        live_all(SEEDS_SHORT, world=wrong)
