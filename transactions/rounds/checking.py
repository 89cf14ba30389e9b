"""Checking the books: recompute, then write down what is broken and what is well again.

Everything is looked at as often as it costs little, once a day at least, and for as long as
something is broken; in between, what changed since the last look that found all well. What looks
wrong there is looked at in everything before anybody is woken. The check reads outside any
command, for it takes seconds; a breach that comes and goes between two looks is not the books'
normal life, so nothing is missed by that.
"""

import logging
from typing import Final

from accounts.roles import SYSTEM_GRANTS
from audit.actors import Actor, ActorKind
from transactions.selectors.changes import watermark
from transactions.selectors.findings import last_clean
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
    """Check what has to be checked, alarm and write down; return how much is wrong."""
    since, began = last_clean(), watermark()
    found = list(findings(since=since))
    if since and any(each.violations for each in found):
        since, began = None, watermark()
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
        is_full=since is None,
        began=began,
    )
    return len(breaches)
