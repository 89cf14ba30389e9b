"""Carrying out decided approvals: each act checks the world again and consumes its approval."""

import logging
from collections.abc import Mapping

from accounts.acts import Deed, deed_for
from accounts.errors import AlreadyDecided
from accounts.models import Approval
from accounts.roles import SYSTEM_GRANTS
from accounts.selectors.approvals import decided_approvals
from accounts.services import approvals
from audit.actors import Actor, ActorKind
from audit.circumstances import new_trace_id, under
from audit.doorbell import ring
from audit.errors import Refusal
from audit.failpoints import between_failpoints
from audit.rounds import one_alone

log = logging.getLogger(__name__)
AT_ONCE_MAX = 100
FAULT = "internal"
note_obstacle = between_failpoints("approval.obstacle")(approvals.note_obstacle)
CLERK = Actor(
    kind=ActorKind.SYSTEM,
    id="clerk",
    label="Clerk",
    credential="process",
    grants=SYSTEM_GRANTS,
)


def carry_out_approvals() -> int:
    """Do what each decision asks for, whatever it is about; return how many were due.

    A crash leaves a decision due, and a decision is used once: running twice is safe.
    """
    due = decided_approvals(limit=AT_ONCE_MAX)
    for approval in due:
        with under(trace_id=approval.trace_id or new_trace_id()):
            _carry_out(approval)
    if due:
        ring("integrations.send_payouts")
    return len(due)


def _carry_out(approval: Approval) -> None:
    """Run the one act the decision asks for; what stands in its way is noted and shown."""
    what = f"approval {approval.pk}"
    with one_alone(what, otherwise=lambda: _put_off(approval)):
        deed = deed_for(approval)
        try:
            if deed is not None:
                _do(deed, approval=approval)
        except Refusal as refusal:
            log.warning("%s: %s", what, refusal.code)
            _note(
                approval,
                code=refusal.code,
                facts=refusal.facts(),
                may_pass=refusal.transient,
            )


@between_failpoints("approval.act")
def _do(deed: Deed, *, approval: Approval) -> None:
    """Call the command that was registered for it."""
    deed(CLERK, approval)


def _put_off(approval: Approval) -> None:
    """Try again later what failed by a fault of ours, which was logged."""
    _note(approval, code=FAULT, facts={}, may_pass=True)


def _note(approval: Approval, *, code: str, facts: Mapping[str, object], may_pass: bool) -> None:
    """Note what stood in the way, unless another worker has carried it out in the meantime."""
    try:
        note_obstacle(
            actor=CLERK, approval_id=approval.pk, code=code, facts=facts, may_pass=may_pass
        )
    except AlreadyDecided:
        log.info("approval %s: another worker was faster", approval.pk)
