"""Reading a file of transfers: strictly, row by row, and never an amount that was not written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import FILE_HEAD
from transactions.files import BYTES_MAX, ROWS_MAX, read_file
from transactions.money import EXPONENTS, Money

ROW = "from,to,,1250.00,EUR,November,INV-2026-0001"


def problems_of(*lines: str, raw: bytes = b"") -> list[tuple[int, str]]:
    read, problems = read_file(raw or "\n".join(lines).encode())
    assert not (read and not problems and raw)
    return [(each.row, each.said) for each in problems]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n", "\n;;;;;;\n"])
@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_the_same_transfers_are_read_however_a_spreadsheet_saves_them(
    bom: bytes, separator: str, end: str
) -> None:
    if ";;" in end and separator == ",":
        end = end.replace(";", ",")
    text = f"{FILE_HEAD}\n{ROW}".replace(",", separator).replace("\n", end[:1]) + end
    rows, problems = read_file(bom + text.encode())
    assert not problems
    (row,) = rows
    assert (row.number, row.source, row.destination, row.payee) == (2, "from", "to", "")
    assert (row.money, row.reference, row.key) == (
        Money(125_000, "EUR"),
        "November",
        "INV-2026-0001",
    )


def test_columns_stand_in_any_order_and_quotes_hold_separators() -> None:
    text = 'KEY,amount,"Currency",payee,reference,source_account\nINV-0001,5,JPY,"A, B",,from\n'
    (row,), problems = read_file(text.encode())
    assert not problems
    assert (row.payee, row.money) == ("A, B", Money(5, "JPY"))


AMOUNTS = {
    ("1250.00", "EUR"): 125_000,
    ("1250", "EUR"): 125_000,
    ("0.01", "EUR"): 1,
    ("500", "JPY"): 500,
    ("1.234", "BHD"): 1_234,
    ("92233720368547758.07", "EUR"): 2**63 - 1,
}
NO_AMOUNTS = [
    ("1,250.00", "EUR"),
    ("1.250", "EUR"),
    ("1250.0", "EUR"),
    ("1250.001", "EUR"),
    ("500.0", "JPY"),
    ("1e3", "EUR"),
    ("-5", "EUR"),
    ("+5", "EUR"),
    ("0", "EUR"),
    ("0.00", "EUR"),
    ("", "EUR"),
    ("\u0665", "EUR"),
    ("NaN", "EUR"),
    ("92233720368547758.08", "EUR"),
    ("5", "eur"),
    ("5", ""),
    ("5", "XAU"),
]


@pytest.mark.parametrize(("text", "currency"), AMOUNTS)
def test_an_amount_is_read_exactly(text: str, currency: str) -> None:
    line = f"from,to,,{text},{currency},,INV-0001"
    (row,), problems = read_file(f"{FILE_HEAD}\n{line}".encode())
    assert not problems
    assert row.money == Money(AMOUNTS[text, currency], currency)


@pytest.mark.parametrize(("text", "currency"), NO_AMOUNTS)
def test_what_might_be_another_amount_is_none(text: str, currency: str) -> None:
    line = f'from,to,,"{text}",{currency},,INV-0001'
    ((row, said),) = problems_of(FILE_HEAD, line)
    assert row == 2
    assert "amount" in said or "currency" in said


@given(st.integers(1, 2**63 - 1), st.sampled_from(sorted(EXPONENTS)))
def test_every_amount_that_is_written_out_is_read_back(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    for figures in (money.figures(), money.figures().replace(".", ",")):
        line = f"from;to;;{figures};{currency};;INV-0001"
        (row,), _ = read_file(f"{FILE_HEAD.replace(',', ';')}\n{line}".encode())
        assert row.money == money


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(junk: bytes) -> None:
    for raw in (junk, FILE_HEAD.encode() + b"\n" + junk):
        rows, problems = read_file(raw)
        assert rows or problems


WRONG_FILES = {
    "in UTF-16": ("a,b".encode("utf-16"), 0),
    "Line 2 is not UTF-8": (b"a,b\n\xff\n", 0),
    "larger than 2 MiB": (b"x" * (BYTES_MAX + 1), 0),
    "no transfer in this file": (FILE_HEAD.encode(), 0),
    "is not CSV": (f'{FILE_HEAD}\n"open'.encode(), 0),
    "a file holds 10,000": (f"{FILE_HEAD}\n".encode() + b"x\n" * (ROWS_MAX + 1), 0),
    "“amuont” is no column here": (f"amuont,{FILE_HEAD}\nx".encode(), 1),
    "“key” is there twice": (f"{FILE_HEAD},key\nx".encode(), 1),
    "column “key” is missing": (FILE_HEAD.replace(",key", "").encode() + b"\nx", 1),
    "“destination_account” or “payee”": (b"source_account,amount,currency,key\nx", 1),
}


@pytest.mark.parametrize("said", WRONG_FILES)
def test_a_file_that_cannot_be_read_says_why(said: str) -> None:
    raw, row = WRONG_FILES[said]
    found = problems_of(raw=raw)
    assert any(said in each and where == row for where, each in found), found


WRONG_ROWS = {
    "It has 2 cells under 7 columns": "from,to",
    "names no source account": ",to,,1,EUR,,INV-0001",
    "either a destination account or a payee": "from,to,Payee,1,EUR,,INV-0001",
    "control character": 'from,to,,1,EUR,"two\nlines",INV-0001',
    "order in which it is read": "from,to,,1,EUR,\u202enigol,INV-0001",
    "reference is longer than 140": f"from,to,,1,EUR,{'x' * 141},INV-0001",
    "needs 8 to 100 visible characters": "from,to,,1,EUR,,INV 0001",
    "is row 2's as well": "from,to,,1,EUR,,INV-2026-0001",
}


@pytest.mark.parametrize("said", WRONG_ROWS)
def test_a_wrong_row_says_what_is_wrong_with_it_and_the_others_are_read(said: str) -> None:
    text = "\n".join([FILE_HEAD, ROW, WRONG_ROWS[said], ROW.replace("0001", "0003")])
    rows, problems = read_file(text.encode())
    assert [each.row for each in problems] == [3]
    assert said in problems[0].said
    assert [row.number for row in rows] == [2, 4]
