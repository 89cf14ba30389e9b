"""What is proposed on an account and waits for a second person, for the account's pages."""

from uuid import UUID

from django.utils.safestring import SafeString

from audit.adminparts import instant, page_of, table
from transactions.money import Money
from transactions.selectors.proposals import pending_lines_on


def show_pending(account_id: UUID) -> SafeString:
    """Return what would move on the account, each with the way to its proposal."""
    rows = [
        (
            page_of("transactions.journalproposal", line.proposal_id, text=line.proposal.reason),
            Money(line.amount_minor, line.account.currency),
            instant(line.proposal.proposed_at),
        )
        for line in pending_lines_on(account_id)
    ]
    return table(["Why", "Amount", "Proposed"], rows=rows)
