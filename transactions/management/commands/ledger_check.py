"""`manage.py ledger_check`: recompute the books and the witness, and say what does not hold."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from transactions.selectors.findings import last_clean
from transactions.selectors.invariants import INVARIANTS, NOT_YET, findings


class Command(BaseCommand):
    """Prints every invariant with its time; ends with 1 if one is broken."""

    help = "Check every invariant of the books and the witness; 1 if one is broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take `--changes`."""
        parser.add_argument(
            "--changes",
            action="store_true",
            help="only what changed since beat's last look that found all well, if there is one",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Check, print, and end as the checks say. Reads only."""
        broken, since = 0, last_clean() if options["changes"] else None
        looked_at = (
            f"what changed since {since.at:%Y-%m-%d %H:%M:%S} UTC" if since else "everything"
        )
        self.stdout.write(f"Looking at {looked_at}.")
        for found in findings(since=since):
            mark = "BROKEN" if found.violations else "holds "
            invariant = found.invariant
            self.stdout.write(
                f"{mark} {invariant.name:<3} {found.milliseconds:6} ms {invariant.promise}"
            )
            for each in found.violations:
                self.stdout.write(f"           {each}")
            broken += bool(found.violations)
        for invariant in INVARIANTS:
            if since and not invariant.changes:
                self.stdout.write(f"later   {invariant.name:<3}           {invariant.promise}")
        for name, reason in NOT_YET.items():
            self.stdout.write(f"not yet {name:<3}           {reason}")
        self.stdout.write(f"{broken} broken" if broken else "All invariants hold.")
        if broken:
            sys.exit(1)
