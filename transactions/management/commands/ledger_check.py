"""`manage.py ledger_check`: recompute the books and the witness, and say what does not hold."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from transactions.selectors.invariants import NOT_YET, findings


class Command(BaseCommand):
    """Prints every invariant with its time; ends with 1 if one is broken."""

    help = "Check every invariant of the books and the witness; 1 if one is broken."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Check, print, and end as the checks say. Reads only."""
        broken = 0
        for found in findings():
            mark = "BROKEN" if found.violations else "holds "
            invariant = found.invariant
            self.stdout.write(
                f"{mark} {invariant.name:<3} {found.milliseconds:6} ms {invariant.promise}"
            )
            for each in found.violations:
                self.stdout.write(f"           {each}")
            broken += bool(found.violations)
        for name, reason in NOT_YET.items():
            self.stdout.write(f"not yet {name:<3}           {reason}")
        self.stdout.write(f"{broken} broken" if broken else "All invariants hold.")
        if broken:
            sys.exit(1)
