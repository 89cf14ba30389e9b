"""What a statement is printed on: the same content on each paper."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from transactions.papers.plain import statement_json
from transactions.papers.sheets import statement_pdf
from transactions.papers.tables import statement_csv
from transactions.statements import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One format: its media type, and how a statement is printed on it."""

    media_type: str
    print: Callable[[Statement], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What somebody takes away."""

    name: str
    media_type: str
    body: bytes


PAPERS: Final[Mapping[str, Paper]] = {
    "json": Paper(media_type="application/json", print=statement_json),
    "csv": Paper(media_type="text/csv", print=statement_csv),
    "pdf": Paper(media_type="application/pdf", print=statement_pdf),
}


def file_name(statement: Statement, *, form: str) -> str:
    """Return a name for the file, e.g. `account-acme-eur_2026-11-01_2026-12-01_recorded.csv`."""
    period = statement.period
    code = "".join(c if c.isascii() and c.isalnum() else "-" for c in statement.code)
    return f"{code}_{period.since:%Y-%m-%d}_{period.until:%Y-%m-%d}_{period.clock.value}.{form}"
