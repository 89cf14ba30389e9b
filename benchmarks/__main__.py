"""`python -m benchmarks [name …]`: ask those questions, or all; 1 unless every bar is met."""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import django

from benchmarks._databases import GROWN, drop_database, work_as


def main(names: Sequence[str]) -> int:
    """Run each script, whatever became of the one before it, and sum up."""
    django.setup()
    asked = names or sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    try:
        answers = {name: _ask(name) for name in asked}
    finally:
        drop_database(GROWN)
    missed = [name for name, is_met in answers.items() if not is_met]
    print(f"\n{len(answers) - len(missed)} of {len(answers)} questions answered as they should be")
    print(f"short of a bar: {', '.join(missed)}" if missed else "every bar is met")
    return bool(missed)


def _ask(name: str, /) -> bool:
    """Run one script as the migrator, which is how all begin."""
    work_as("cs_migrator")
    return bool(import_module(f"benchmarks.{name}").main())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
