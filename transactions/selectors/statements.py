"""Reading statements: opening, lines and closing, all of one moment."""

from datetime import datetime
from itertools import accumulate
from typing import Any, Final
from uuid import UUID

from django.db import connection

from audit.actors import Actor
from audit.errors import NotFound
from transactions.errors import StatementTooLong
from transactions.models import LedgerAccount
from transactions.selectors.archive import asking
from transactions.selectors.pages import visible_ledger_accounts
from transactions.statements import LINES_MAX, Period, Statement, StatementLine
from transactions.states import Clock

# A line is written in the same statement as its journal, so within a login's statement time limit.
LAG_MAX: Final = "10 seconds"
LINES: Final = """
    SELECT p.id, p.journal_id, j.purpose, j.subject_ref, p.occurred_at, j.recorded_at,
        p.amount_minor
    FROM transactions_posting AS p
    INNER JOIN transactions_journal AS j ON j.id = p.journal_id
    WHERE p.account_id = %(account)s AND closing.postings - opening.postings <= %(most)s
"""
BY: Final[dict[Clock, str]] = {
    Clock.OCCURRED: f"""{LINES}
        AND p.occurred_at >= %(since)s AND p.occurred_at < %(until)s
        ORDER BY p.occurred_at, p.id
    """,
    Clock.RECORDED: f"""{LINES}
        AND p.id >= audit_uuid_floor(%(since)s)
        AND p.id < audit_uuid_floor(%(until)s + interval '{LAG_MAX}')
        AND j.recorded_at >= %(since)s AND j.recorded_at < %(until)s
        ORDER BY j.recorded_at, p.id
    """,
}
STATEMENT: Final = """
SELECT opening.balance_minor, closing.balance_minor, closing.postings - opening.postings,
    r.settled_at, line.*
FROM ledger_stand_before(ARRAY[%(account)s], %(clock)s, %(since)s) AS opening
CROSS JOIN ledger_stand_before(ARRAY[%(account)s], %(clock)s, %(until)s) AS closing
CROSS JOIN transactions_rollup AS r
LEFT JOIN LATERAL ({lines}) AS line ON true
"""


def access_books_account(account_id: UUID, *, actor: Actor) -> LedgerAccount:
    """Return an account of the books that `actor` may see; NotFound for any other."""
    found = visible_ledger_accounts(to=actor).filter(pk=account_id).first()
    if found is None:
        raise NotFound(ref=f"account:{account_id}")
    return found


def statement_of(account: LedgerAccount, *, period: Period) -> Statement:
    """Return the statement of an account the caller may see. StatementTooLong above `LINES_MAX`.

    InstantArchived where it would open before what is here. One query, so that what others post
    meanwhile is in all of it or in nothing.
    """
    with asking(period.clock), connection.cursor() as cursor:
        cursor.execute(
            STATEMENT.format(lines=BY[period.clock]),
            {
                "account": account.pk,
                "clock": period.clock.value,
                "since": period.since,
                "until": period.until,
                "most": LINES_MAX,
            },
        )
        rows = cursor.fetchall()
    opening, closing, count, settled_at = rows[0][:4]
    if count > LINES_MAX:
        raise StatementTooLong(lines=count, lines_max=LINES_MAX)
    return Statement(
        account_id=account.pk,
        code=account.code,
        currency=account.currency,
        period=period,
        opening_minor=opening,
        closing_minor=closing,
        lines=_lines([row[4:] for row in rows if row[4] is not None], opening_minor=opening),
        is_final=_is_final(period, settled_at=settled_at),
    )


def _lines(rows: list[tuple[Any, ...]], *, opening_minor: int) -> list[StatementLine]:
    """Return the lines with how the account stood after each."""
    after = accumulate((row[6] for row in rows), initial=opening_minor)
    next(after)
    return [
        StatementLine(
            posting_id=row[0],
            journal_id=row[1],
            purpose=row[2],
            subject_ref=row[3],
            occurred_at=row[4],
            recorded_at=row[5],
            amount_minor=row[6],
            balance_minor=balance,
        )
        for row, balance in zip(rows, after, strict=True)
    ]


def _is_final(period: Period, *, settled_at: datetime) -> bool:
    return period.clock is Clock.RECORDED and period.until <= settled_at
