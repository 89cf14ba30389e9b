"""Ringing for a worker when a transaction has committed.

A bell carries nothing and may be lost: the worker walks by every few seconds
anyway, so Redis can be wiped and nothing else is.
"""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


def ring(task: str) -> None:
    """Ask for `task` once the transaction under way commits; at once if there is none."""
    transaction.on_commit(lambda: _send(task))


def _send(task: str) -> None:
    try:
        current_app.send_task(task, ignore_result=True, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("the bell for %s did not ring: %s", task, type(error).__name__)
