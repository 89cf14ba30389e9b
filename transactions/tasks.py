"""Celery entry points: thin, named, and carrying nothing. Running one twice is safe."""

from celery import shared_task

from transactions.rounds import approvals, checking


@shared_task(name="transactions.carry_out_approvals")
def carry_out_approvals() -> int:
    """Carry out decided approvals: each takes its approval once."""
    return approvals.carry_out_approvals()


@shared_task(name="transactions.check_books")
def check_books() -> int:
    """Recompute the books; what is wrong is an alarm and an entry, once while it lasts."""
    return checking.check_books()
