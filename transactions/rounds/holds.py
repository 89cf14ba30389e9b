"""Giving back what is left of holds whose time is up: a command each."""

import logging
from typing import Final

from audit.circumstances import under
from audit.errors import Refusal
from audit.failpoints import between_failpoints
from audit.rounds import one_alone
from transactions.rounds.approvals import CLERK
from transactions.selectors.holds import holds_to_expire
from transactions.services import holds

log = logging.getLogger(__name__)
expire_hold = between_failpoints("hold.expire")(holds.expire_hold)
AT_ONCE_MAX: Final = 5_000


def expire_holds() -> int:
    """Expire every hold that is due, the longest overdue first; return how many were due.

    A hold expires once, whoever comes first: running twice is safe.
    """
    due = holds_to_expire(limit=AT_ONCE_MAX)
    for hold_id, trace_id in due:
        with under(trace_id=trace_id), one_alone(f"hold {hold_id}"):
            try:
                expire_hold(actor=CLERK, hold_id=hold_id)
            except Refusal as refusal:
                log.info("hold %s: %s", hold_id, refusal.code)
    return len(due)
