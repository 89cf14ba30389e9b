"""Carrying out transfers whose time has come: a command each."""

import logging
from typing import Final

from audit.circumstances import under
from audit.errors import Refusal
from audit.failpoints import between_failpoints
from audit.rounds import one_alone
from transactions.rounds.approvals import CLERK
from transactions.selectors.dispatching import scheduled_transfers
from transactions.services import schedules

log = logging.getLogger(__name__)
execute = between_failpoints("schedule.execute")(schedules.execute_scheduled)
AT_ONCE_MAX: Final = 5_000


def execute_scheduled() -> int:
    """Carry out every transfer that is due, the longest overdue first; return how many were due.

    A transfer leaves its schedule once, whoever comes first: running twice is safe.
    """
    due = scheduled_transfers(limit=AT_ONCE_MAX)
    for transfer_id, trace_id in due:
        with under(trace_id=trace_id), one_alone(f"transfer {transfer_id}"):
            try:
                execute(actor=CLERK, transfer_id=transfer_id)
            except Refusal as refusal:
                log.info("transfer %s: %s", transfer_id, refusal.code)
    return len(due)
