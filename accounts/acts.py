"""What happens once a second person has decided: one registered act for each kind of request.

`transactions.rounds.approvals` is the one errand that carries them out. Each app fills the
registry when it starts, from a page of its own named `acts.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from accounts.models import Approval
from accounts.states import ApprovalState
from audit.actors import Actor
from audit.errors import Fault

Deed = Callable[[Actor, Approval], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """How a request is carried out (`yes`), and what its rejection or withdrawal frees (`no`).

    Both are commands. `yes` checks the world again and consumes the approval;
    `no` concludes it.
    """

    yes: Deed
    no: Deed | None = None


ACTS: Final[dict[str, Act]] = {}


def register_act(action: str, *, yes: Deed, no: Deed | None = None) -> None:
    """Say how `action`, as in `transactions.release_transfer`, is carried out."""
    ACTS[action] = Act(yes=yes, no=no)


def deed_for(approval: Approval) -> Deed | None:
    """Return what has to be done now that `approval` stands as it does, None for nothing.

    A Fault where nobody ever said how: such a request must not even be opened.
    """
    act = ACTS.get(approval.action)
    if act is None:
        raise Fault(f"nobody registered how to carry out {approval.action}")
    match approval.state:
        case ApprovalState.APPROVED:
            return act.yes
        case ApprovalState.REJECTED | ApprovalState.WITHDRAWN:
            return act.no
        case _:
            return None
