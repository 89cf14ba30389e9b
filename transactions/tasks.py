"""Celery entry points: thin, named, and carrying nothing. Running one twice is safe."""

import logging

from celery import shared_task

from transactions.rounds import approvals, freezes
from transactions.selectors.invariants import violations

log = logging.getLogger(__name__)


@shared_task(name="transactions.carry_out_approvals")
def carry_out_approvals() -> int:
    """Carry out decided approvals: each takes its approval once."""
    return approvals.carry_out_approvals()


@shared_task(name="transactions.turn_freezes")
def turn_freezes() -> int:
    """Start and end freezes whose time has come: each is turned once."""
    return freezes.turn_freezes()


@shared_task(name="transactions.check_books")
def check_books() -> int:
    """Recompute the books; every violation is an alarm. Reads only."""
    found = violations()
    for line in found:
        log.critical("books: %s", line)
    return len(found)
