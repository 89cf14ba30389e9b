"""Rounds, tables and bars: what every script prints, and whether it is good enough."""

import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

ROUNDS: Final = int(os.environ.get("ROUNDS", "5"))
SECONDS: Final = float(os.environ.get("SECONDS", "3"))
ROUNDS_MIN: Final = 5  # fewer are for trying: nothing is proven by them

Found = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """`row` reaches `least` times `peer`, or stays within `most` times; medians of rounds."""

    row: str
    peer: str
    least: float | None = None
    most: float | None = None

    def is_met(self, found: Found) -> bool:
        """Say whether the median of the rounds' ratios is on the right side, and print it."""
        ratio = statistics.median(ratios(found, row=self.row, peer=self.peer))
        is_met = (self.least is None or ratio >= self.least) and (
            self.most is None or ratio <= self.most
        )
        want = f">= {self.least}" if self.least is not None else f"<= {self.most}"
        print(f"  {_word(is_met)}  {self.row} / {self.peer}: {ratio:.3f}, wanted {want}")
        return is_met


def interleave(measures: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Measure each in turn, round after round, so that a noisy minute hits all of them."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(ROUNDS):
        for name, measure in measures.items():
            found[name].append(measure())
    return found


def ratios(found: Found, *, row: str, peer: str) -> list[float]:
    """Return `row` over `peer`, round by round."""
    return [ours / theirs for ours, theirs in zip(found[row], found[peer], strict=True)]


def show(title: str, found: Found, *, peers: Sequence[str], unit: str = "a second") -> None:
    """Print each row's median, and the median of its rounds' ratios to each peer."""
    wide = max(map(len, found)) + 2
    print(f"\n{title} ({ROUNDS} rounds)")
    print(
        f"{'':<{wide}}{unit:>12}" + "".join(f"{'/ ' + peer.split(':')[0]:>10}" for peer in peers)
    )
    for name, values in found.items():
        compared = (statistics.median(ratios(found, row=name, peer=peer)) for peer in peers)
        cells = "".join(f"{ratio:>10.2f}" for ratio in compared)
        print(f"{name:<{wide}}{statistics.median(values):>12,.1f}{cells}")


def judge(found: Found, bars: Sequence[Bar], *, wrong: Sequence[str]) -> bool:
    """Print how each bar was met and what the riders found; True where all is well."""
    met = [bar.is_met(found) for bar in bars]
    return ride(wrong) and all(met) and _are_enough()


def say(what: str, *, value: float, most: float) -> bool:
    """Print one figure against its limit and return whether it keeps it."""
    print(f"  {_word(value <= most)}  {what}: {value:.3f}, wanted <= {most}")
    return value <= most


def ride(wrong: Sequence[str]) -> bool:
    """Print what is wrong with the books; a figure without sound books counts for nothing."""
    for line in wrong:
        print(f"  WRONG   {line}")
    if not wrong:
        print("  sound   sums constant, running balances re-derived, nothing lost, nothing twice")
    return not wrong


def _are_enough() -> bool:
    if ROUNDS < ROUNDS_MIN:
        print(f"  short   {ROUNDS} rounds prove nothing: {ROUNDS_MIN} are needed")
    return ROUNDS >= ROUNDS_MIN


def _word(is_met: bool, /) -> str:  # noqa: FBT001 - one word for one truth
    return "met   " if is_met else "MISSED"
