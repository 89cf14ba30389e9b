"""Checking the books: recompute everything, then write down what is broken and what is well again.

The check reads outside any command, for it takes seconds; a breach that comes and goes between two
looks is not the books' normal life, so nothing is missed by that.
"""

import logging
from typing import Final

from accounts.roles import SYSTEM_GRANTS
from audit.actors import Actor, ActorKind
from transactions.selectors.invariants import SHOWN_MAX, findings
from transactions.services.findings import Breach, note_check

log = logging.getLogger(__name__)
EXAMINER: Final = Actor(
    kind=ActorKind.SYSTEM,
    id="examiner",
    label="Examiner of the books",
    credential="process",
    grants=SYSTEM_GRANTS,
)


def check_books() -> int:
    """Check every invariant, alarm and write down; return how much is wrong."""
    found = list(findings())
    breaches = [
        Breach(invariant=each.invariant.name, promise=each.invariant.promise, detail=line)
        for each in found
        for line in each.violations
    ]
    for breach in breaches:
        log.critical("books: %s %s: %s", breach.invariant, breach.promise, breach.detail)
    note_check(
        actor=EXAMINER,
        breaches=breaches,
        duration_ms=sum(each.milliseconds for each in found),
        unsure=frozenset(
            each.invariant.promise for each in found if len(each.violations) >= SHOWN_MAX
        ),
    )
    return len(breaches)
