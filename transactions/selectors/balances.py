"""Reading balances and what changed them."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from accounts.scopes import visible_books
from audit.actors import Actor
from transactions.models import Balance, Journal, Posting


def balances_of(account_ids: Iterable[UUID]) -> Mapping[UUID, Balance]:
    """Return the balances of accounts the caller may see, by account."""
    return {row.account_id: row for row in Balance.objects.filter(pk__in=list(account_ids))}


def postings_on(
    account_id: UUID, *, to: Actor, before: UUID | None, limit: int
) -> Sequence[tuple[Posting, Journal]]:
    """Return an account's postings with their journals, the newest first, older than `before`."""
    found = visible_books(Posting.objects.filter(account_id=account_id), to=to)
    if before is not None:
        found = found.filter(pk__lt=before)
    postings = list(found.order_by("-id")[:limit])
    journals = {
        row.pk: row
        for row in Journal.objects.filter(pk__in={posting.journal_id for posting in postings})
    }
    # A line just after a border may be of a journal that was put away: it is away, too.
    return [
        (posting, journals[posting.journal_id])
        for posting in postings
        if posting.journal_id in journals
    ]
