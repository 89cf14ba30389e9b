"""`python -m config.sandbox <command>`: what the Makefile calls."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from config.sandbox import greeting, running, testing
from config.sandbox.leash import die_with_parent
from config.sandbox.supervisor import Interrupted

STOPPED: Final = 130


def _demo(_arguments: Sequence[str]) -> int:
    """Tell the demo's stories. Imported late: it needs a running sandbox, the others do not."""
    from config.sandbox.demo import main as tell  # noqa: PLC0415

    return int(tell() or 0)


def _screenshots(arguments: Sequence[str]) -> int:
    """Take pictures of the pages. Imported late: the others need no browser."""
    from config.sandbox.screenshots import take  # noqa: PLC0415

    return take(arguments)


COMMANDS: Final[Mapping[str, Callable[[Sequence[str]], int]]] = {
    "run": running.run,
    "code": greeting.print_codes,
    "demo": _demo,
    "screenshots": _screenshots,
    "test": testing.run_suite,
    "prove": testing.run_full_form,
    "examples": lambda _: testing.run_suite(["tests/examples", "-q", "--write-examples"]),
    "bank": lambda _: testing.run_full_form(["T01"]),
    "failover": lambda _: testing.run_full_form(["T03"]),
    "migrations": lambda _: testing.check_migrations(),
    "bench": testing.run_benchmarks,
}


def main(words: Sequence[str]) -> int:
    """Run one command and return its status."""
    if not words or words[0] not in COMMANDS:
        print(f"usage: python -m config.sandbox {'|'.join(COMMANDS)}", file=sys.stderr)
        return 2
    if "MAKELEVEL" in os.environ:
        die_with_parent()  # make passes no signal on when it is killed outright
    try:
        return COMMANDS[words[0]](words[1:])
    except (Interrupted, KeyboardInterrupt):
        return STOPPED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
