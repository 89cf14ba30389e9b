"""The only door to the books, each function one call of a database function.

In the caller's transaction the database locks balances (lowest id first),
checks freeze and floor, and writes.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import Error, connection, transaction

from audit.circumstances import current
from audit.constraints import broken_rule
from audit.errors import Fault, NotFound, Refusal
from audit.typeids import typeid
from transactions.errors import AccountFrozen, AlreadyBooked, InsufficientFunds

LINES_MIN: Final = 2
LINES_MAX: Final = 64


class Unbalanced(Fault):
    """A journal was built that does not sum to zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One side of a movement. `amount_minor` > 0 arrives in the account, < 0 leaves it.

    `release_minor` frees that much of what was reserved on the account.
    """

    account_id: UUID
    amount_minor: int
    currency: str
    release_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One journal about to be written. `origin` is what caused it and can cause only one.

    `spill_id` names an account that takes what a line's own account cannot
    bear (no funds, frozen), for money that the world has moved already.
    """

    book_id: UUID
    purpose: str
    subject_ref: str
    origin: str
    occurred_at: datetime
    lines: Sequence[Line]
    reverses: UUID | None = None
    spill_id: UUID | None = None


def post(draft: Draft) -> UUID:
    """Write `draft` as one journal and return its id.

    Refuses with AlreadyBooked, AccountFrozen or InsufficientFunds; a Fault
    where the lines do not balance.
    """
    _check(draft.lines)
    rules: dict[str, Refusal] = {
        "transactions_journalorigin_pkey": AlreadyBooked(origin=draft.origin),
    }
    with _in_our_words(rules, account_id=_payer(draft.lines)), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_post(%s::jsonb)", [json.dumps(_spell(draft))])
        found: UUID = cursor.fetchone()[0]
    return found


def lock(*account_ids: UUID) -> None:
    """Lock the balances of these accounts until the transaction ends, lowest id first.

    To be called before any row that refers to them is written: a later lock
    would wait behind the foreign key's own and collapse on a hot account.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_lock(%s::uuid[])", [list(account_ids)])


def reserve(account_id: UUID, *, amount_minor: int) -> None:
    """Set money aside, so that it is no longer available. AccountFrozen or InsufficientFunds."""
    with _in_our_words({}, account_id=account_id), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_reserve(%s, %s)", [account_id, amount_minor])


def free(account_id: UUID, *, amount_minor: int) -> None:
    """Give reserved money back to its account."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_reserve(%s, %s)", [account_id, -amount_minor])


def freeze(account_id: UUID, *, bits: int) -> None:
    """Stop debits (1), credits (2), both (3) or nothing (0), after postings under way."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_freeze(%s, %s)", [account_id, bits])


def open_balance(account_id: UUID) -> None:
    """Start the balance of a new account at zero."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_open(%s)", [account_id])


@contextmanager
def _in_our_words(rules: dict[str, Refusal], *, account_id: UUID) -> Iterator[None]:
    """Turn the ledger's noes into refusals; let every other error through."""
    try:
        with transaction.atomic():
            yield
    except Error as error:
        blamed = _blamed(error) or account_id
        words = {
            "ledger_account_frozen": AccountFrozen(account=typeid("acc", blamed)),
            "balance_above_floor": InsufficientFunds(account=typeid("acc", account_id)),
            "ledger_unknown_account": NotFound(ref=f"account:{blamed}"),
            "ledger_foreign_book": NotFound(ref=f"book:{blamed}"),
            **rules,
        }
        refusal = words.get(broken_rule(error))
        if refusal is None:
            raise
        raise refusal from error


def _blamed(error: Error) -> UUID | None:
    """Return the account a ledger function named, where it named one."""
    diagnosis = getattr(error.__cause__, "diag", None)
    if diagnosis is None or diagnosis.sqlstate != "LG002":
        return None
    return UUID(diagnosis.message_detail)


def _payer(lines: Sequence[Line]) -> UUID:
    """Return the account that money leaves first: the one a missing balance is about."""
    return next((line.account_id for line in lines if line.amount_minor < 0), lines[0].account_id)


def _check(lines: Sequence[Line]) -> None:
    """Raise unless there are few enough lines and each currency sums to zero."""
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.currency] = sums.get(line.currency, 0) + line.amount_minor
    if not LINES_MIN <= len(lines) <= LINES_MAX or any(sums.values()):
        raise Unbalanced(f"{len(lines)} lines sum to {sums}")


def _spell(draft: Draft) -> dict[str, object]:
    return {
        "book": str(draft.book_id),
        "purpose": draft.purpose,
        "subject": draft.subject_ref,
        "origin": draft.origin,
        "reverses": str(draft.reverses) if draft.reverses else None,
        "trace": current().trace_id,
        "occurred_at": draft.occurred_at.isoformat(),
        "spill": str(draft.spill_id) if draft.spill_id else None,
        "lines": [
            {
                "account": str(line.account_id),
                "amount": line.amount_minor,
                "currency": line.currency,
                "release": line.release_minor,
            }
            for line in draft.lines
        ],
    }
