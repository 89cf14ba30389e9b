"""`python -m tests.mutation [P2 …]`: plant each known bug; 0 if tests found all and were right."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.mutation.planting import Plant, known_plants, planted
from tests.mutation.trial import private_copy, run

RUNS_MAX: Final = 3
SAID_LINES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one bug: who found it, in which run; nobody in none."""

    plant: Plant
    seconds: float
    found_by: str = ""
    in_run: int = 0

    @property
    def is_right(self) -> bool:
        """Say whether it was found, or could not do harm as it should not."""
        return bool(self.found_by) is not bool(self.plant.held_by)

    def __str__(self) -> str:
        """Show it as a row of the table."""
        held = f"nothing: {self.plant.held_by}" if self.plant.held_by else "NOTHING"
        found = f"{self.found_by}, run {self.in_run}" if self.found_by else held
        plant = self.plant
        return f"| {plant.name} | {plant.bug} | {plant.what} | {found} | {self.seconds:.0f} |"


def main(words: Sequence[str]) -> int:
    """Try the sound tree, then each bug in it, and show what found it."""
    known = {plant.name.upper(): plant for plant in known_plants()}
    if unknown := {word.upper() for word in words} - set(known):
        say(f"no such bug: {' '.join(sorted(unknown))}; there are {' '.join(known)}")
        return 2
    chosen = [known[word.upper()] for word in words] or [
        plant for plant in known.values() if not plant.held_by
    ]
    with private_copy() as tree:
        is_sound = control(chosen, tree=tree)
        # The database is migrated anew for each that is in it; the others share one.
        in_turn = sorted(chosen, key=lambda plant: plant.is_in_database)
        outcomes = [hunt(plant, tree=tree) for plant in in_turn] if is_sound else []
    say("\n| Bug | Is | What was changed | Found by | Seconds |\n|---|---|---|---|---|")
    for outcome in sorted(outcomes, key=lambda outcome: chosen.index(outcome.plant)):
        say(str(outcome))
    right = sum(outcome.is_right for outcome in outcomes)
    say(f"\n{right} of {len(chosen)} as it should be")
    return 0 if is_sound and right == len(chosen) else 1


def control(plants: Sequence[Plant], *, tree: Path) -> bool:
    """Run the same tests on the tree as it is: all of them must pass."""
    found = run(sorted({test for plant in plants for test in plant.caught_by}), tree=tree)
    say(f"control: {found.passed} tests pass on the sound tree, {found.seconds:.0f} s")
    for name, complaint in found.complaints.items():
        say(f"control: {name} FAILS on the sound tree\n{complaint}")
    return not found.complaints


def hunt(plant: Plant, *, tree: Path) -> Outcome:
    """Run the plant's tests until one finds it, at most three times."""
    seconds = 0.0
    with planted(plant.changes, tree=tree):
        for in_run in range(1, RUNS_MAX + 1):
            found = run(plant.caught_by, tree=tree)
            seconds += found.seconds
            for name, complaint in found.complaints.items():
                if said := re.search(plant.complaint, complaint):
                    say(f"{plant.name}: {name}, run {in_run}, {seconds:.0f} s: {said[0]}")
                    return Outcome(plant=plant, seconds=seconds, found_by=name, in_run=in_run)
                last = "\n".join(complaint.splitlines()[-SAID_LINES:])
                say(f"{plant.name}: {name} failed, but not because of it:\n{last}")
    say(f"{plant.name}: not found in {RUNS_MAX} runs, {seconds:.0f} s")
    return Outcome(plant=plant, seconds=seconds)


def say(line: str) -> None:
    """Show a line at once."""
    print(line, flush=True)  # noqa: T201 - what the hunt shows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
