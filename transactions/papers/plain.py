"""A statement as the JSON of the partner API, in the words of the other endpoints."""

from uuid import UUID

from rest_framework.renderers import JSONRenderer

from audit.typeids import typeid
from transactions.statements import Statement, StatementLine


def statement_json(statement: Statement) -> bytes:
    """Return a statement as JSON."""
    body: bytes = JSONRenderer().render(_spelled(statement))
    return body


def _spelled(statement: Statement) -> dict[str, object]:
    period = statement.period
    return {
        "account": typeid("acc", statement.account_id),
        "code": statement.code,
        "currency": statement.currency,
        "clock": period.clock.value,
        "from": period.since,
        "to": period.until,
        "is_final": statement.is_final,
        "opening_minor": statement.opening_minor,
        "in_minor": statement.in_minor,
        "out_minor": statement.out_minor,
        "closing_minor": statement.closing_minor,
        "lines": [_line(line) for line in statement.lines],
    }


def transfer_of(line: StatementLine) -> str | None:
    """Return the public id of the transfer that a line is of, None where it is of none."""
    model, _, key = line.subject_ref.partition(":")
    return typeid("trf", UUID(key)) if model == "transfer" else None


def _line(line: StatementLine) -> dict[str, object]:
    return {
        "id": typeid("pst", line.posting_id),
        "journal": typeid("jnl", line.journal_id),
        "purpose": line.purpose,
        "transfer": transfer_of(line),
        "occurred_at": line.occurred_at,
        "recorded_at": line.recorded_at,
        "amount_minor": line.amount_minor,
        "balance_minor": line.balance_minor,
    }
