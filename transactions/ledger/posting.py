"""The only door to the books, each function one call of a database function.

In the caller's transaction the database locks balances (lowest id first),
checks freeze and floor, and writes: one journal or thousands in the same call.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import Error, transaction

from audit.calls import Call, Meaning, ask, send, spell
from audit.circumstances import current
from audit.errors import Fault, NotFound
from audit.typeids import typeid
from transactions.errors import (
    AccountClosed,
    AccountFrozen,
    AccountNotEmpty,
    AlreadyBooked,
    BalanceTooLarge,
    InsufficientFunds,
)
from transactions.ledger.standings import read_standings
from transactions.limits import Spending
from transactions.standing import Standing

LINES_MIN: Final = 2
LINES_MAX: Final = 64
STAND: Final = "SELECT * FROM ledger_stand(%s::uuid[], %s::uuid)"
STAND_TO_SPEND: Final = (
    "SELECT * FROM ledger_stand("
    "%s::uuid[], %s::uuid, %s::uuid[], %s::text[], %s::numeric, %s::int)"
)


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
    Without a `trace_id` it belongs to the trace under way.
    """

    book_id: UUID
    purpose: str
    subject_ref: str
    origin: str
    occurred_at: datetime
    lines: Sequence[Line]
    reverses: UUID | None = None
    spill_id: UUID | None = None
    trace_id: str = ""


def post(draft: Draft) -> UUID:
    """Write `draft` as one journal and return its id.

    Refuses with AlreadyBooked, AccountFrozen, BalanceTooLarge or
    InsufficientFunds; a Fault where the lines do not balance.
    """
    named = {line.account_id for line in draft.lines} if draft.spill_id else ()
    sound = spilled(draft, standings=stand(named) if named else {})
    with transaction.atomic():  # what is refused here may be looked into afterwards
        ((journal_id,),) = send(posting([sound]))
    found: UUID = journal_id
    return found


def posting(drafts: Sequence[Draft]) -> Call:
    """Return the call that writes `drafts`, one or thousands, in their order and all or none."""
    for draft in drafts:
        _check(draft.lines)
    lines = [
        _spell_line(line, journal=number)
        for number, draft in enumerate(drafts, 1)
        for line in draft.lines
    ]
    origins = drafts[0].origin if len(drafts) == 1 else f"{len(drafts)} journals"
    return Call(
        sql="ledger_post(%s::jsonb, %s::jsonb)",
        values=(spell([_spell(draft) for draft in drafts]), spell(lines)),
        rules=_rules(_payer(drafts[0].lines), origin=origins),
    )


def spilled(draft: Draft, *, standings: Mapping[UUID, Standing]) -> Draft:
    """Return the draft as its accounts can bear it, the rest moved to the spill account.

    Counts in `standings`, which are locked, what it makes of them.
    """
    if draft.spill_id is None:
        return draft
    lines: list[Line] = []
    for line in draft.lines:
        account = standings.get(line.account_id)
        borne = account.bearable(line.amount_minor) if account else line.amount_minor
        if account:
            account.posted_minor += borne
        rest = line.amount_minor - borne
        if borne:
            lines.append(replace(line, amount_minor=borne))
        if rest:
            spill = replace(line, account_id=draft.spill_id, amount_minor=rest, release_minor=0)
            lines.append(spill)
    return replace(draft, lines=lines, spill_id=None)


def stand(
    account_ids: Collection[UUID], *, book_id: UUID | None = None, spending: Spending | None = None
) -> dict[UUID, Standing]:
    """Lock the balances of these accounts, lowest id first, and tell how each stands.

    To be called before any row that refers to them is written: a later lock
    would wait behind the foreign key's own and collapse on a hot account.
    With `book_id`, accounts of other books are as if they did not exist. With
    `spending`, once in a transaction, the limits of who spends are told, and stand still
    until it ends.
    """
    values: list[Any] = [_spell_ids(account_ids), book_id]
    if spending:
        kinds, spenders = sorted(spending.kinds), _spell_ids(spending.account_ids)
        values += [spenders, kinds, spending.amount_minor, spending.times]
    return read_standings(ask(STAND_TO_SPEND if spending else STAND, values))


def lock(*account_ids: UUID) -> None:
    """Lock the balances of these accounts until the transaction ends, lowest id first."""
    stand(account_ids)


def reserving(amounts: Mapping[UUID, int]) -> Call:
    """Return the call that sets money aside, so that it is no longer available, or frees it.

    Its rules stand for AccountFrozen, BalanceTooLarge and InsufficientFunds.
    """
    return Call(
        sql="ledger_reserve(%s::uuid[], %s::bigint[])",
        values=(list(amounts), list(amounts.values())),
        rules=_rules(next(iter(amounts))),
    )


def free(account_id: UUID, *, amount_minor: int) -> None:
    """Give reserved money back to its account."""
    send(reserving({account_id: -amount_minor}))


def restrain(account_id: UUID) -> None:
    """Make the ledger obey the account's floor, freezes and closing, after postings under way.

    Refuses with AccountNotEmpty (closed, though money is on it or reserved) and
    InsufficientFunds (a floor above what is there).
    """
    empty = {"balance_closed_is_empty": AccountNotEmpty(account=typeid("acc", account_id))}
    call = Call(sql="ledger_restrain(%s)", values=(account_id,), rules=_rules(account_id) | empty)
    send(call)


def open_balance(account_id: UUID) -> None:
    """Start the balance of a new account at zero."""
    send(Call(sql="ledger_open(%s)", values=(account_id,)))


def _spell_ids(keys: Iterable[UUID]) -> str:
    """Return ids as the database reads an array: spelling thousands by parts takes longer."""
    return f"{{{','.join(map(str, keys))}}}"


def _rules(payer_id: UUID, *, origin: str = "") -> dict[str, Meaning]:
    """Return what the ledger's noes mean; those that name no account are about the payer."""

    def blamed(error: Error) -> UUID:
        return _blamed(error) or payer_id

    return {
        "ledger_account_closed": lambda e: AccountClosed(account=typeid("acc", blamed(e))),
        "ledger_account_frozen": lambda e: AccountFrozen(account=typeid("acc", blamed(e))),
        "balance_countable": lambda e: BalanceTooLarge(account=typeid("acc", blamed(e))),
        "balance_above_floor": lambda e: InsufficientFunds(account=typeid("acc", blamed(e))),
        "ledger_unknown_account": lambda e: NotFound(ref=f"account:{blamed(e)}"),
        "ledger_foreign_book": lambda e: NotFound(ref=f"book:{blamed(e)}"),
        "transactions_journalorigin_pkey": AlreadyBooked(origin=origin),
    }


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
        "book": draft.book_id,
        "purpose": draft.purpose,
        "subject": draft.subject_ref,
        "origin": draft.origin,
        "reverses": draft.reverses,
        "trace": draft.trace_id or current().trace_id,
        "occurred_at": draft.occurred_at,
    }


def _spell_line(line: Line, *, journal: int) -> dict[str, object]:
    return {
        "journal": journal,
        "account": line.account_id,
        "amount": line.amount_minor,
        "currency": line.currency,
        "release": line.release_minor,
    }
