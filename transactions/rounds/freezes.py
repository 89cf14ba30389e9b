"""Freezes that begin and end by the clock: each is turned once, and crashes leave it due."""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from accounts.models import Freeze
from accounts.roles import SYSTEM_GRANTS
from accounts.selectors.freezes import freezes_to_end, freezes_to_start
from audit.actors import Actor, ActorKind
from audit.circumstances import new_trace_id, under
from audit.errors import Refusal
from audit.rounds import one_alone
from transactions.services.freezes import end_freeze, start_freeze

log = logging.getLogger(__name__)
CALENDAR: Final = Actor(
    kind=ActorKind.SYSTEM,
    id="calendar",
    label="Calendar",
    credential="process",
    grants=SYSTEM_GRANTS,
)


def turn_freezes() -> int:
    """Start what is due to start, and end what is due to end; return how many were due."""
    return _turn(freezes_to_start(), act=start_freeze) + _turn(freezes_to_end(), act=end_freeze)


def _turn(due: Sequence[Freeze], *, act: Callable[..., object]) -> int:
    for freeze in due:
        with under(trace_id=new_trace_id()), one_alone(freeze.audit_ref):
            try:
                act(actor=CALENDAR, freeze_id=freeze.pk)
            except Refusal as refusal:  # another worker, or two people, were faster
                log.info("%s: %s", freeze.audit_ref, refusal.code)
    return len(due)
