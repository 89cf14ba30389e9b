"""Copies of the books that staff take out of the house. Nothing changes; each is on record."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from audit.actors import Actor
from audit.commands import command
from audit.services.recording import record
from transactions.models import BatchFile, TransferBatch
from transactions.papers import PAPERS, File, file_name
from transactions.papers.batches import foreseen_csv, results_csv
from transactions.papers.trials import trial_csv
from transactions.selectors.batches import access_batch, items_in_order
from transactions.selectors.files import access_batch_file, file_of_batch
from transactions.selectors.statements import access_books_account, statement_of
from transactions.selectors.trial import access_book, trial_balances
from transactions.services.rehearsals import rehearse
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
def export_batch(*, actor: Actor, batch_id: UUID) -> File:
    """Print what came of each transfer of a batch as CSV. NotFound."""
    batch = access_batch(batch_id, actor=actor)
    file = file_of_batch(batch)
    rows = dict(enumerate(file.rows if file else [], 1))
    body = results_csv(items_in_order(batch), rows=rows)
    return _taken(batch, name=f"{batch.public_id}.csv", body=body, actor=actor)


@command
def export_batch_file(*, actor: Actor, file_id: UUID) -> File:
    """Print a file's rows as CSV, each with what would come of it now. NotFound."""
    file = access_batch_file(file_id, actor=actor)
    found = [
        (each.row, each.word.value, each.refusal) for each in rehearse(file, actor=actor).rows
    ]
    body = foreseen_csv(found)
    return _taken(file, name=f"{file.public_id}.csv", body=body, actor=actor)


def _taken(row: BatchFile | TransferBatch, *, name: str, body: bytes, actor: Actor) -> File:
    """Return a copy of a batch or a file of transfers, on record with its fingerprint."""
    kind = "batch" if isinstance(row, TransferBatch) else "batch_file"
    facts = {"format": "csv", "sha256": sha256(body).hexdigest()}
    record(f"{kind}.exported", actor=actor, target=row, facts=facts, book_id=row.book_id)
    return File(name=name, media_type="text/csv", body=body)


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
