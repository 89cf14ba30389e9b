"""A file of transfers as finance keeps it: CSV, read strictly or not at all. Pure: no Django.

The first row names the columns, in any order: `source_account`, `amount`, `currency`, `key`, at
least one of `destination_account` and `payee`, and `reference` if there are any. Rows are
numbered as a spreadsheet numbers them, so the first transfer is row 2.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from audit.canonical import Json
from audit.texts import MISLEADS, misleads
from transactions.money import AMOUNT_MINOR_MAX, EXPONENTS, Money

BYTES_MAX: Final = 2 * 1024 * 1024
ROWS_MAX: Final = 10_000
FIRST_ROW: Final = 2
REFERENCE_CHARACTERS_MAX: Final = 140
NAME_CHARACTERS_MAX: Final = 80
NEEDED: Final = ("source_account", "amount", "currency", "key")
TARGETS: Final = ("destination_account", "payee")
COLUMNS: Final = (*NEEDED, *TARGETS, "reference")
SEPARATORS: Final = (",", ";")
BOMS_OF_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
AMOUNT: Final = re.compile(r"([0-9]{1,19})(?:[.,]([0-9]{1,3}))?")
KEY: Final = re.compile(r"[\x21-\x7e]{8,100}")
KEY_RULE: Final = "needs 8 to 100 visible characters without spaces, such as INV-2026-0412"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with one row; row 1 stands for the columns' names, 0 for the whole file."""

    row: int
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One transfer as it is written down: accounts and payee by the names people use."""

    number: int
    source: str
    destination: str
    payee: str
    money: Money
    reference: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """One transfer of a stored file: accounts and payee by their ids."""

    number: int
    source_id: UUID
    destination_id: UUID | None
    payee_id: UUID | None
    money: Money
    reference: str
    key: str

    @property
    def target_id(self) -> UUID:
        """Return the id of the account or payee that the money goes to."""
        return self.destination_id or self.payee_id  # type: ignore[return-value]

    def spelled(self) -> dict[str, Json]:
        """Return it as the file's content holds it."""
        return {
            "source": str(self.source_id),
            "destination": str(self.destination_id) if self.destination_id else None,
            "payee": str(self.payee_id) if self.payee_id else None,
            "amount_minor": self.money.amount_minor,
            "currency": self.money.currency,
            "reference": self.reference,
            "key": self.key,
        }

    @classmethod
    def read(cls, spelled: Mapping[str, str | int | None], *, number: int) -> "FileRow":
        """Return the row that a file's content holds, as `spelled` wrote it."""
        to, payee = spelled["destination"], spelled["payee"]
        return cls(
            number=number,
            source_id=UUID(str(spelled["source"])),
            destination_id=UUID(str(to)) if to else None,
            payee_id=UUID(str(payee)) if payee else None,
            money=Money(int(spelled["amount_minor"] or 0), str(spelled["currency"])),
            reference=str(spelled["reference"]),
            key=str(spelled["key"]),
        )


def read_file(raw: bytes) -> tuple[list[Row], list[Problem]]:
    """Return the transfers that a file spells and everything that is wrong with it, row by row."""
    try:
        columns, records = _opened(raw)
    except ValueError as error:
        return [], [Problem(row=0, said=str(error))]
    if wrong := _wrong_columns(columns):
        return [], [Problem(row=1, said=said) for said in wrong]
    rows: list[Row] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for number, record in enumerate(records, FIRST_ROW):
        try:
            row = _row(number, record=record, columns=columns)
            _check_key(row, seen=seen)
            rows.append(row)
        except ValueError as error:
            problems.append(Problem(row=number, said=str(error)))
    return rows, problems


def _opened(raw: bytes) -> tuple[list[str], list[list[str]]]:
    """Return the names of the columns and the records below them; a ValueError that says why not.

    The separator is the one with which the first line names more of our columns.
    """
    if len(raw) > BYTES_MAX:
        raise ValueError(f"The file is larger than {BYTES_MAX // 1024 // 1024} MiB.")
    text = _decoded(raw)
    first = text.split("\n", 1)[0]
    by = max(SEPARATORS, key=lambda mark: len(set(COLUMNS) & set(_names(first.split(mark)))))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=by, strict=True)
    try:
        records = list(reader)
    except csv.Error as error:
        raise ValueError(f"Line {reader.line_num} is not CSV: {error}.") from error
    while records and not any(records[-1]):
        records.pop()  # spreadsheets leave empty rows at the end
    if len(records) < FIRST_ROW:
        raise ValueError("There is no transfer in this file.")
    if len(records) - 1 > ROWS_MAX:
        raise ValueError(f"There are {len(records) - 1:,} transfers; a file holds {ROWS_MAX:,}.")
    return _names(records[0]), records[1:]


def _decoded(raw: bytes) -> str:
    if raw.startswith(BOMS_OF_UTF16):
        raise ValueError("The file is in UTF-16. Save it as CSV in UTF-8.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ValueError(f"Line {line} is not UTF-8. Save the file as CSV in UTF-8.") from error


def _names(cells: Sequence[str]) -> list[str]:
    return [cell.strip(' "\r').lower() for cell in cells]


def _wrong_columns(columns: Sequence[str]) -> list[str]:
    """Say what is wrong with the names of the columns."""
    wrong = [f"“{shown(name)}” is no column here." for name in columns if name not in COLUMNS]
    wrong += [f"“{name}” is there twice." for name in COLUMNS if columns.count(name) > 1]
    wrong += [f"The column “{name}” is missing." for name in NEEDED if name not in columns]
    if not set(TARGETS) & set(columns):
        wrong.append(f"A column “{TARGETS[0]}” or “{TARGETS[1]}” is missing.")
    return wrong


def shown(text: str) -> str:
    """Return what somebody wrote as it may be repeated to them: short, and printable."""
    plain = "".join(char if char.isprintable() else "�" for char in text)
    return plain if len(plain) <= NAME_CHARACTERS_MAX else f"{plain[: NAME_CHARACTERS_MAX - 1]}…"


def _row(number: int, *, record: Sequence[str], columns: Sequence[str]) -> Row:
    """Return one row's transfer; a ValueError that says what is wrong with it."""
    if len(record) != len(columns):
        raise ValueError(f"It has {len(record)} cells under {len(columns)} columns.")
    cells = dict.fromkeys(COLUMNS, "") | {
        name: cell.strip(" ") for name, cell in zip(columns, record, strict=True)
    }
    for name, cell in cells.items():
        _check_text(cell, name=spoken(name))
    if not cells["source_account"]:
        raise ValueError("It names no source account.")
    if bool(cells["destination_account"]) is bool(cells["payee"]):
        raise ValueError("It needs either a destination account or a payee.")
    if len(cells["reference"]) > REFERENCE_CHARACTERS_MAX:
        raise ValueError(f"Its reference is longer than {REFERENCE_CHARACTERS_MAX} characters.")
    if not KEY.fullmatch(cells["key"]):
        raise ValueError(f"Its key {KEY_RULE}.")
    return Row(
        number=number,
        source=cells["source_account"],
        destination=cells["destination_account"],
        payee=cells["payee"],
        money=_money(cells["amount"], currency=cells["currency"]),
        reference=cells["reference"],
        key=cells["key"],
    )


def _check_text(cell: str, *, name: str) -> None:
    """Refuse what is not one line, and what may be read as another text."""
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in cell):
        raise ValueError(f"Its {name} holds a line break or another control character.")
    if misleads(cell):
        raise ValueError(f"Its {name} {MISLEADS}.")


def spoken(name: str) -> str:
    """Return a column as people say it."""
    return name.replace("_", " ")


def _money(text: str, *, currency: str) -> Money:
    """Return the money of a row: whole units, or with exactly the decimals of its currency.

    So a thousands separator is never taken for a decimal point, nor the other way round.
    """
    if currency not in EXPONENTS:
        raise ValueError(f"“{shown(currency)}” is no currency, such as EUR.")
    found, exponent = AMOUNT.fullmatch(text), EXPONENTS[currency]
    if found is None or len(found[2] or "") not in {0, exponent}:
        example = Money(1250 * 10**exponent, currency).figures()
        raise ValueError(f"“{shown(text)}” is no amount in {currency}. Write it like {example}.")
    minor = int(found[1] + (found[2] or "0" * exponent))
    if not 0 < minor <= AMOUNT_MINOR_MAX:
        raise ValueError("Its amount must be above zero and within what the books can hold.")
    return Money(minor, currency)


def _check_key(row: Row, *, seen: dict[str, int]) -> None:
    """Insist that no two rows share a key."""
    first = seen.setdefault(row.key, row.number)
    if first != row.number:
        raise ValueError(f"Its key {row.key} is row {first}'s as well.")
