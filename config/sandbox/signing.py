"""The second signature in the demo world."""

from accounts.models import Approval
from accounts.services.approvals import decide_approval
from accounts.states import Verdict
from audit.actors import Actor


def sign(asked: Approval, *, checker: Actor, reason: str) -> None:
    """Let somebody else approve exactly what was asked for."""
    decide_approval(
        actor=checker,
        approval_id=asked.pk,
        verdict=Verdict.APPROVE,
        reason=reason,
        shown_hash=asked.payload_hash,
    )
