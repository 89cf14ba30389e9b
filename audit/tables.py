"""Every table in one of three classes. A test compares this page with the catalogue. Pure.

Guarded: changed only under an entry that touches that row, and versioned
where a history table is named. Append-only: written through definer functions,
never changed. Bookkeeping: the machinery's own rows, each with its reason.
"""

from typing import Final

GUARDED: Final = frozenset(
    {
        "accounts_account",
        "accounts_apiclient",
        "accounts_approval",
        "accounts_customer",
        "accounts_decision",
        "accounts_freeze",
        "accounts_partner",
        "accounts_person",
        "accounts_portfolio",
        "accounts_rolegrant",
        "accounts_user",
        "transactions_archivedmonth",
        "transactions_book",
        "transactions_dispute",
        "transactions_feerule",
        "transactions_finding",
        "transactions_hold",
        "transactions_ledgeraccount",
        "transactions_limit",
        "transactions_payinconsent",
        "transactions_payment",
        "transactions_providerpayout",
        "transactions_registeredpayee",
        "transactions_transfer",
        "transactions_transferbatch",
    }
)
# Guarded and not versioned: rows that are only ever added or removed, and sums of such rows.
WITNESSED: Final = frozenset(
    {
        "accounts_portfoliogroupperm",
        "accounts_portfoliouserperm",
        "accounts_user_groups",
        "accounts_user_user_permissions",
        "transactions_batchfile",
        "transactions_conversion",
        "transactions_journalproposal",
        "transactions_payeechange",
        "transactions_proposedline",
        "transactions_suspenseallocation",
        "transactions_suspensetally",
    }
)
APPEND_ONLY: Final = frozenset(
    {
        "accounts_letter",
        "audit_entry",
        "audit_touch",
        "transactions_archivedbalance",
        "transactions_closedbalance",
        "transactions_closedmonth",
        "transactions_journal",
        "transactions_journalorigin",
        "transactions_posting",
    }
)
BOOKKEEPING: Final[dict[str, str]] = {
    "audit_debt": "what each server process's last statement owes the log until it commits",
    "accounts_idempotencykey": "written by @command with the effect it answers for",
    "accounts_vaultrecord": "sealed once; the rows that hold its token are guarded",
    "integrations_callback": "inbox intake by an unauthenticated wire; its effects are commands",
    "integrations_dispatch": "one line for each call to a provider; its outcome is a command",
    "transactions_batchitem": "what a batch asks for, line by line; each outcome is an entry",
    "transactions_balance": "derived from postings and holds by the ledger's own functions",
    "transactions_limituse": "counts what limits allow; recomputed from transfers and holds",
    "transactions_reversedline": "derived from reversals by the ledger's own trigger",
    "transactions_movement": "derived from postings by the ledger's own functions",
    "transactions_rollup": "how far that has got, in one row",
    "transactions_bookscheck": "when the books were looked at; what was found is guarded",
    "django_migrations": "the migrator's own log",
    "django_content_type": "made by migrations",
    "django_session": "sign-in state",
    "auth_permission": "made by migrations",
    "auth_group": "teams; membership is guarded",
    "auth_group_permissions": "unused: roles carry permissions",
    "guardian_groupobjectpermission": "unused: grants have direct foreign keys",
    "guardian_userobjectpermission": "unused: grants have direct foreign keys",
    "account_emailaddress": "the sign-in package's",
    "account_emailconfirmation": "the sign-in package's",
    "mfa_authenticator": "the sign-in package's; its signals become entries",
    "usersessions_usersession": "the sign-in package's",
    "axes_accessattempt": "lock-out counters",
    "axes_accessattemptexpiration": "lock-out counters",
    "axes_accessfailurelog": "lock-out counters",
    "axes_accesslog": "lock-out counters",
    "allauth_idp_oidc_client": "the OAuth package's; api clients that name it are guarded",
    "allauth_idp_oidc_token": "short-lived tokens",
    "django_admin_log": "Django's admin log, unused: the entries are the log",
}
