"""What this floor does when a second person has decided: one line a kind of request."""

from accounts.acts import register_act
from transactions.services.accounts import (
    CLOSE,
    FLOOR,
    REOPEN,
    close_account,
    reopen_account,
    set_floor,
)
from transactions.services.dispatching import reject_transfer, release_transfer
from transactions.services.freezes import CONFIRM, LIFT, confirm_freeze, lift_freeze
from transactions.services.intake import RELEASE

register_act(
    RELEASE,
    yes=lambda actor, approval: release_transfer(actor=actor, transfer_id=approval.subject_id),
    no=lambda actor, approval: reject_transfer(actor=actor, transfer_id=approval.subject_id),
)
# A no to any of these leaves the account as it is: nothing was set aside for it.
register_act(CONFIRM, yes=lambda by, approval: confirm_freeze(actor=by, approval_id=approval.pk))
register_act(LIFT, yes=lambda by, approval: lift_freeze(actor=by, approval_id=approval.pk))
register_act(CLOSE, yes=lambda by, approval: close_account(actor=by, approval_id=approval.pk))
register_act(REOPEN, yes=lambda by, approval: reopen_account(actor=by, approval_id=approval.pk))
register_act(FLOOR, yes=lambda by, approval: set_floor(actor=by, approval_id=approval.pk))
