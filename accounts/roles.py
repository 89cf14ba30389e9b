"""Who may do what: role -> permissions, the whole matrix on one screen. Pure.

A permission is a command's name, or `app.view_noun` for a page. Deny by
default: what is not listed is not allowed. Nobody holds two roles of one
conflicting pair.
"""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """The jobs people do here."""

    SUPPORT_AGENT = "support_agent"
    FINANCE_OPERATOR = "finance_operator"
    COMPLIANCE_OFFICER = "compliance_officer"
    AUDITOR = "auditor"

    @property
    def label(self) -> str:
        """Return the job's name as people say it."""
        return self.value.replace("_", " ").capitalize()


# Held by those who work across all portfolios; support works inside portfolios granted one by one.
SEES_EVERY_PORTFOLIO_GRANT: Final = "accounts.see_every_portfolio"

MONEY_PAGES: Final = frozenset(
    {
        "transactions.view_transfer",
        "transactions.view_hold",
        "transactions.view_journal",
        "transactions.view_ledgeraccount",
        "transactions.view_payment",
        "transactions.view_dispute",
        "accounts.view_account",
        "accounts.view_customer",
    }
)
OVERSIGHT_PAGES: Final = frozenset(
    {
        SEES_EVERY_PORTFOLIO_GRANT,
        "accounts.view_approval",
        "accounts.view_freeze",
        "accounts.view_idempotencykey",
        "accounts.view_partner",
        "transactions.view_journalproposal",
        "transactions.view_suspenseposting",
        "transactions.view_limit",
        "transactions.view_registeredpayee",
        "transactions.view_feerule",
        "transactions.view_conversion",
        "transactions.view_transferbatch",
        "transactions.view_batchfile",
        "transactions.view_batchitem",
        "audit.view_entry",
        "integrations.view_callback",
        "integrations.view_dispatch",
        "transactions.view_finding",
    }
)
# The books on paper. Taking a copy out of the house is an act of its own, with an entry.
BOOKS_PAGES: Final = frozenset(
    {
        "transactions.view_trialbalance",
        "transactions.view_monthend",
        "transactions.export_statement",
        "transactions.export_trial_balance",
        "transactions.export_batch",
        "transactions.export_batch_file",
    }
)

ROLES: Final[dict[Role, frozenset[str]]] = {
    Role.SUPPORT_AGENT: MONEY_PAGES
    | {
        "transactions.note_on_transfer",
        "transactions.flag_transfer",
        "transactions.escalate_transfer",
    },
    Role.FINANCE_OPERATOR: MONEY_PAGES
    | OVERSIGHT_PAGES
    | BOOKS_PAGES
    | {
        "transactions.close_month",
        "transactions.request_transfer",
        "transactions.request_reversal",
        "transactions.cancel_transfer",
        "transactions.propose_manual_journal",
        "transactions.propose_allocation",
        "transactions.propose_payee",
        "transactions.propose_payee_change",
        "transactions.retire_payee",
        "transactions.propose_fee_rule",
        "transactions.propose_conversion",
        "transactions.upload_batch_file",
        "transactions.propose_batch",
        "transactions.note_on_transfer",
        "accounts.withdraw_approval",
        "accounts.retry_approval",
        "transactions.request_opening",
        "transactions.request_closing",
        "transactions.request_reopening",
        "transactions.request_floor",
        "transactions.request_limit",
        "transactions.request_partner_limit",
        "integrations.replay_callback",
    },
    Role.COMPLIANCE_OFFICER: MONEY_PAGES
    | OVERSIGHT_PAGES
    | BOOKS_PAGES
    | {
        "accounts.decide_approval",
        "accounts.retry_approval",
        "transactions.freeze_account",
        "transactions.request_lifting",
        "transactions.note_on_transfer",
        "transactions.flag_transfer",
        "integrations.replay_callback",
    },
    Role.AUDITOR: MONEY_PAGES | OVERSIGHT_PAGES | BOOKS_PAGES,
}

# Whoever asks may not decide; whoever checks the work may not do it.
CONFLICTS: Final = frozenset(
    {
        frozenset({Role.FINANCE_OPERATOR, Role.COMPLIANCE_OFFICER}),
        frozenset({Role.AUDITOR, Role.FINANCE_OPERATOR}),
        frozenset({Role.AUDITOR, Role.COMPLIANCE_OFFICER}),
        frozenset({Role.AUDITOR, Role.SUPPORT_AGENT}),
    }
)

# What the processes may do that no person asked: carry out, record, and tidy.
SYSTEM_GRANTS: Final = frozenset(
    {
        "transactions.claim_transfer",
        "transactions.expire_hold",
        "transactions.execute_scheduled",
        "transactions.note_check",
        "transactions.reclaim_transfer",
        "transactions.release_transfer",
        "transactions.reject_transfer",
        "transactions.reverse_transfer",
        "transactions.post_manual_journal",
        "transactions.post_conversion",
        "transactions.allocate_suspense",
        "transactions.activate_payee",
        "transactions.decline_payee",
        "transactions.change_payee",
        "transactions.adopt_fee_rule",
        "transactions.decline_fee_rule",
        "transactions.start_batch",
        "transactions.confirm_freeze",
        "transactions.lift_freeze",
        "transactions.start_freeze",
        "transactions.end_freeze",
        "transactions.open_account",
        "transactions.close_account",
        "transactions.reopen_account",
        "transactions.set_floor",
        "transactions.set_limit",
        "accounts.note_obstacle",
    }
)
PROVIDER_GRANTS: Final = frozenset(
    {
        "transactions.note_acceptance",
        "transactions.note_doubt",
        "transactions.settle_transfer",
        "transactions.fail_transfer",
        "transactions.return_transfer",
        "transactions.book_movement",
        "transactions.note_payment",
        "transactions.note_dispute",
        "transactions.note_payout",
        "transactions.take_news",
    }
)
# What a batch may do once it was taken in: go on in the name of whoever asked.
BATCH_GRANTS: Final = frozenset({"transactions.carry_out_batch"})
# Setting up the house and putting months away: only from the console, under the migrator's login.
FOUNDER_GRANTS: Final = frozenset(
    {
        "accounts.onboard_partner",
        "accounts.set_payee_policy",
        "accounts.open_portfolio",
        "accounts.register_customer",
        "accounts.register_client",
        "accounts.invite_staff",
        "accounts.disable_staff",
        "accounts.enrol_totp",
        "accounts.grant_portfolio",
        "transactions.open_house",
        "transactions.open_book",
        "transactions.set_up_account",
        "transactions.import_opening",
        "transactions.import_transfers",
        "transactions.detach_month",
        "transactions.attach_month",
    }
)

# What the front door writes down about whoever stands at it, each on its own.
FRONT_DOOR_GRANTS: Final = frozenset(
    {
        "accounts.note_sign_in",
        "accounts.note_sign_out",
        "accounts.note_step_up",
        "accounts.note_failed_sign_in",
        "accounts.note_lock_out",
        "accounts.note_authenticator",
        "accounts.note_password_change",
    }
)

# What an OAuth scope lets a partner's client do.
SCOPES: Final[dict[str, frozenset[str]]] = {
    "accounts:read": frozenset({"accounts.view_account"}),
    "transfers:read": frozenset({"transactions.view_transfer", "accounts.view_letter"}),
    "transfers:write": frozenset(
        {
            "transactions.request_transfer",
            "transactions.request_partner_transfer",
            "transactions.allow_payer",
            "transactions.withdraw_payer",
            "transactions.schedule_transfer",
            "transactions.request_transfers",
            "transactions.request_batch",
            "transactions.cancel_transfer",
            "transactions.reverse_transfer",
        }
    ),
    "holds:read": frozenset({"transactions.view_hold", "accounts.view_letter"}),
    "holds:write": frozenset(
        {
            "transactions.create_hold",
            "transactions.capture_hold",
            "transactions.void_hold",
        }
    ),
}


def grants_of(roles: frozenset[Role]) -> frozenset[str]:
    """Return everything a holder of `roles` may do."""
    return frozenset().union(*(ROLES[role] for role in roles))


def scope_grants(scopes: frozenset[str]) -> frozenset[str]:
    """Return everything a client with `scopes` may do; an unknown scope opens nothing."""
    return frozenset().union(*(SCOPES.get(scope, frozenset()) for scope in scopes))
