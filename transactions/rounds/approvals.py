"""Carrying out decided approvals: each act checks the world again and consumes its approval."""

import logging

from accounts.roles import SYSTEM_GRANTS
from accounts.states import ApprovalState
from audit.actors import Actor, ActorKind
from audit.circumstances import under
from audit.doorbell import ring
from audit.errors import Refusal
from audit.failpoints import between_failpoints
from audit.rounds import one_alone
from transactions.models import Transfer
from transactions.selectors.dispatching import decided_transfers
from transactions.services.dispatching import reject_transfer, release_transfer

log = logging.getLogger(__name__)
release = between_failpoints("approval.release")(release_transfer)
reject = between_failpoints("approval.reject")(reject_transfer)
CLERK = Actor(
    kind=ActorKind.SYSTEM,
    id="clerk",
    label="Clerk",
    credential="process",
    grants=SYSTEM_GRANTS,
)


def carry_out_approvals() -> int:
    """Release or reject every payout that has been decided; return how many."""
    decided = decided_transfers()
    for transfer in decided:
        with under(trace_id=transfer.trace_id), one_alone(f"transfer {transfer.pk}"):
            _carry_out(transfer)
    if decided:
        ring("integrations.send_payouts")
    return len(decided)


def _carry_out(transfer: Transfer) -> None:
    """Run the one act the decision asks for; a refusal is written down and tried again."""
    is_yes = transfer.approval is not None and transfer.approval.state == ApprovalState.APPROVED
    act = release if is_yes else reject
    try:
        act(actor=CLERK, transfer_id=transfer.pk)
    except Refusal as refusal:
        log.warning("transfer %s: %s", transfer.pk, refusal.code)
