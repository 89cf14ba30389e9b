"""Celery entry points: thin, named, and carrying nothing. Running one twice is safe."""

from celery import shared_task

from transactions.rounds import approvals, batches, checking, freezes, holds, schedules
from transactions.services import rolling


@shared_task(name="transactions.carry_out_approvals")
def carry_out_approvals() -> int:
    """Carry out decided approvals: each takes its approval once."""
    return approvals.carry_out_approvals()


@shared_task(name="transactions.expire_holds")
def expire_holds() -> int:
    """Release what is left of expired holds: each expires once."""
    return holds.expire_holds()


@shared_task(name="transactions.execute_scheduled")
def execute_scheduled() -> int:
    """Carry out transfers whose time has come: each leaves its schedule once."""
    return schedules.execute_scheduled()


@shared_task(name="transactions.carry_out_batches")
def carry_out_batches() -> int:
    """Carry out batches: each chunk is one transaction and happens once."""
    return batches.carry_out_batches()


@shared_task(name="transactions.turn_freezes")
def turn_freezes() -> int:
    """Start and end freezes whose time has come: each is turned once."""
    return freezes.turn_freezes()


@shared_task(name="transactions.check_books")
def check_books() -> int:
    """Recompute the books; what is wrong is an alarm and an entry, once while it lasts."""
    return checking.check_books()


@shared_task(name="transactions.roll_up")
def roll_up() -> int:
    """Roll up what moved since the last time. A second one at once finds the first and leaves."""
    return rolling.roll_up()


@shared_task(name="transactions.fold_limits")
def fold_limits() -> int:
    """Bring the slices of past days' limits together. Twice at once does no harm."""
    return rolling.fold_limits()
