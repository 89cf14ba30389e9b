"""Copies of the books that staff take out of the house. Nothing changes; each is on record."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from audit.actors import Actor
from audit.commands import command
from audit.services.recording import record
from transactions.papers import PAPERS, File, file_name
from transactions.papers.trials import trial_csv
from transactions.selectors.statements import access_books_account, statement_of
from transactions.selectors.trial import access_book, trial_balances
from transactions.statements import Period
from transactions.states import Clock


@command
def export_statement(*, actor: Actor, account_id: UUID, period: Period, form: str) -> File:
    """Print a statement on a paper of `PAPERS`. NotFound, StatementTooLong."""
    account = access_books_account(account_id, actor=actor)
    statement = statement_of(account, period=period)
    body = PAPERS[form].print(statement)
    record(
        "statement.exported",
        actor=actor,
        target=account,
        facts={
            "format": form,
            "clock": period.clock.value,
            "from": period.since,
            "to": period.until,
            "lines": len(statement.lines),
            "is_final": statement.is_final,
            "sha256": sha256(body).hexdigest(),
        },
        book_id=account.book_id,
    )
    name = file_name(statement, form=form)
    return File(name=name, media_type=PAPERS[form].media_type, body=body)


@command
def export_trial_balance(*, actor: Actor, book_id: UUID, at: datetime, clock: Clock) -> File:
    """Print a book's trial balance as CSV. NotFound."""
    book = access_book(book_id, actor=actor)
    balances = trial_balances(book, at=at, clock=clock)
    body = trial_csv(balances, at=at, clock=clock)
    record(
        "trial_balance.exported",
        actor=actor,
        target=book,
        facts={
            "clock": clock.value,
            "at": at,
            "accounts": sum(len(each.lines) for each in balances),
            "sha256": sha256(body).hexdigest(),
        },
        book_id=book.pk,
    )
    name = f"trial-balance_{at:%Y-%m-%d}_{clock.value}.csv"
    return File(name=name, media_type="text/csv", body=body)
