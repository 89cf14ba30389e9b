"""Celery entry points: thin, named, and carrying nothing.

Running one twice is safe: each works off what the database says is due, under
leases and row locks.
"""

from celery import shared_task

from integrations.rounds import callbacks, dispatching


@shared_task(name="integrations.drain_inbox")
def drain_inbox() -> int:
    """Work off the inbox."""
    return callbacks.drain_inbox()


@shared_task(name="integrations.send_payouts")
def send_payouts() -> int:
    """Send what may go out."""
    return dispatching.send_payouts()


@shared_task(name="integrations.ask_providers")
def ask_providers() -> int:
    """Ask after payouts nobody told us about."""
    return dispatching.ask_providers()
