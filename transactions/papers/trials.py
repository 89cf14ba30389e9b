"""A trial balance as CSV."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from audit.typeids import typeid
from transactions.papers.tables import csv_of, figure
from transactions.selectors.trial import TrialBalance
from transactions.states import Clock

COLUMNS: Final = ("row", "at", "clock", "account", "code", "debit", "credit", "currency")


def trial_csv(balances: Sequence[TrialBalance], *, at: datetime, clock: Clock) -> bytes:
    """Return trial balances as CSV: a row an account, and one for the sums of each currency."""
    return csv_of(
        COLUMNS,
        rows=[
            (kind, at, clock.value, account, code, *_columns(each.currency, *sums), each.currency)
            for each in balances
            for kind, account, code, sums in _rows(each)
        ],
    )


def _rows(balance: TrialBalance) -> list[tuple[str, str, str, tuple[int, int]]]:
    lines = [
        (
            "account",
            typeid("acc", line.account_id),
            line.code,
            (line.debit_minor, line.credit_minor),
        )
        for line in balance.lines
    ]
    return [*lines, ("total", "", "", (balance.debit_minor, balance.credit_minor))]


def _columns(currency: str, *sums: int) -> list[object]:
    return [figure(each, currency=currency) for each in sums]
