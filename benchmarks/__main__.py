"""`python -m benchmarks [name …]`: ask those questions, or all; 1 unless every bar is met."""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import django


def main(names: Sequence[str]) -> int:
    """Run each script, whatever became of the one before it, and sum up."""
    django.setup()
    asked = names or sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    answers = {name: bool(import_module(f"benchmarks.{name}").main()) for name in asked}
    missed = [name for name, is_met in answers.items() if not is_met]
    print(f"\n{len(answers) - len(missed)} of {len(answers)} questions answered as they should be")
    print(f"short of a bar: {', '.join(missed)}" if missed else "every bar is met")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
