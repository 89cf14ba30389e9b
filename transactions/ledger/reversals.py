"""Undoing a journal by another: within what it moved, as the database counts it."""

from uuid import UUID

from django.db import connection

from audit.constraints import refuse_on
from audit.errors import Refusal
from transactions.ledger.posting import Draft, post


def post_reversal(draft: Draft, *, exceeded: Refusal) -> UUID:
    """Post `draft`, which names the journal it undoes in whole or part; return its own id.

    Refuses like `post`, and with `exceeded` where its lines are more than is
    left of that journal's. The database checks at commit; here it is asked now.
    """
    with refuse_on({"reversed_line_within": exceeded}), connection.cursor() as cursor:
        journal_id = post(draft)
        cursor.execute("SET CONSTRAINTS journal_reversal IMMEDIATE")
        cursor.execute("SET CONSTRAINTS journal_reversal DEFERRED")
    return journal_id
