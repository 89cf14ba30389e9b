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
from transactions.services.books import OPEN, open_account
from transactions.services.conversions import POST_CONVERSION, post_conversion
from transactions.services.dispatching import reject_transfer, release_transfer
from transactions.services.fees import ADOPT, adopt_fee_rule, decline_fee_rule
from transactions.services.files import START, start_batch
from transactions.services.freezes import CONFIRM, LIFT, confirm_freeze, lift_freeze
from transactions.services.intake import RELEASE
from transactions.services.journals import POST_MANUAL, post_manual_journal
from transactions.services.limits import SET_LIMIT, set_limit
from transactions.services.payees import (
    ACTIVATE,
    CHANGE,
    activate_payee,
    change_payee,
    decline_payee,
)
from transactions.services.reversals import REVERSE, reverse_transfer
from transactions.services.suspense import ALLOCATE, allocate_suspense

register_act(
    RELEASE,
    yes=lambda actor, approval: release_transfer(actor=actor, transfer_id=approval.subject_id),
    no=lambda actor, approval: reject_transfer(actor=actor, transfer_id=approval.subject_id),
)
register_act(
    REVERSE,
    yes=lambda actor, approval: reverse_transfer(
        actor=actor,
        transfer_id=approval.subject_id,
        origin=approval.audit_ref,
        amount_minor=approval.payload["amount_minor"],
        reason=approval.payload["reason"],
        approval_id=approval.pk,
    ),
)
register_act(
    POST_MANUAL,
    yes=lambda actor, approval: post_manual_journal(actor=actor, approval_id=approval.pk),
)
register_act(
    POST_CONVERSION,
    yes=lambda actor, approval: post_conversion(actor=actor, approval_id=approval.pk),
)
register_act(
    ALLOCATE,
    yes=lambda actor, approval: allocate_suspense(actor=actor, approval_id=approval.pk),
)
register_act(
    ACTIVATE,
    yes=lambda actor, approval: activate_payee(actor=actor, approval_id=approval.pk),
    no=lambda actor, approval: decline_payee(actor=actor, approval_id=approval.pk),
)
register_act(
    CHANGE,
    yes=lambda actor, approval: change_payee(actor=actor, approval_id=approval.pk),
)
register_act(
    ADOPT,
    yes=lambda actor, approval: adopt_fee_rule(actor=actor, approval_id=approval.pk),
    no=lambda actor, approval: decline_fee_rule(actor=actor, approval_id=approval.pk),
)
register_act(START, yes=lambda actor, approval: start_batch(actor=actor, approval_id=approval.pk))
# A no to any of these leaves everything as it is: nothing was set aside for it.
register_act(CONFIRM, yes=lambda by, approval: confirm_freeze(actor=by, approval_id=approval.pk))
register_act(LIFT, yes=lambda by, approval: lift_freeze(actor=by, approval_id=approval.pk))
register_act(OPEN, yes=lambda by, approval: open_account(actor=by, approval_id=approval.pk))
register_act(CLOSE, yes=lambda by, approval: close_account(actor=by, approval_id=approval.pk))
register_act(REOPEN, yes=lambda by, approval: reopen_account(actor=by, approval_id=approval.pk))
register_act(FLOOR, yes=lambda by, approval: set_floor(actor=by, approval_id=approval.pk))
register_act(SET_LIMIT, yes=lambda by, approval: set_limit(actor=by, approval_id=approval.pk))
