"""Balances and statements over the partner API: exact, the same in each format, for ever."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pypdf import PdfReader

from tests.conftest import STAGE
from tests.partners import PROVIDER, PartnerWorld, acme, globex
from transactions.meanings import Movement, MovementKind
from transactions.models import Posting
from transactions.papers.tables import csv_of
from transactions.services.movements import book_movement
from transactions.services.rolling import roll_up
from transactions.statements import DoesNotAddUp, Period, Statement
from transactions.states import Clock

__all__ = ["acme", "globex"]
pytestmark = pytest.mark.role("api")
LONG_AGO = "2001-01-01"
FAR = "2100-01-01"
NOBODY = "acc_00000000000000000000000000"
FORMATS = ("json", "csv", "pdf")
numbers: Iterator[int] = iter(range(1, 1_000))


def statement(world: PartnerWorld, **query: str) -> Any:
    path = f"/v1/accounts/{world.source.public_id}/statement"
    return world.get(path, QUERY_STRING=spelled({"from": LONG_AGO, "to": FAR} | query))


def balance(world: PartnerWorld, **query: str) -> Any:
    path = f"/v1/accounts/{world.source.public_id}/balance"
    return world.get(path, QUERY_STRING=spelled(query))


def spelled(query: dict[str, str]) -> str:
    return "&".join(f"{name}={text.replace('+', '%2B')}" for name, text in query.items() if text)


def paid_in(world: PartnerWorld, *, at: datetime, amount_minor: int = 700) -> None:
    number = next(numbers)
    movement = Movement(
        provider="stripe",
        reference=f"txn_st_{number}",
        kind=MovementKind.CHARGE,
        amount_minor=amount_minor,
        fee_minor=10,
        currency="EUR",
        occurred_at=at,
        payment_ref=f"ch_st_{number}",
        subject_ref=f"ch_st_{number}",
        account_id=world.source.pk,
    )
    with STAGE.as_role("worker"):
        book_movement(actor=PROVIDER, movement=movement)


def rolled() -> None:
    with STAGE.as_role("worker"):
        roll_up()


def test_a_statement_opens_where_the_one_before_closed(acme: PartnerWorld) -> None:
    day = timezone.now() - timedelta(days=20)
    paid_in(acme, at=day)
    acme.post("/v1/transfers", acme.internal(amount_minor=300))
    for clock in Clock.values:
        middle = (day + timedelta(days=1)).isoformat()
        whole = statement(acme, clock=clock).json()
        first = statement(acme, clock=clock, to=middle).json()
        second = statement(acme, clock=clock, **{"from": middle}).json()
        assert first["closing_minor"] == second["opening_minor"]
        assert first["lines"] + second["lines"] == whole["lines"]
        assert whole["opening_minor"] == 0
        assert whole["closing_minor"] == whole["in_minor"] + whole["out_minor"]
        account = acme.get(f"/v1/accounts/{acme.source.public_id}").json()
        assert whole["closing_minor"] == account["posted_minor"]


def test_what_stands_after_a_line_is_what_the_books_say(acme: PartnerWorld) -> None:
    for _ in range(3):
        acme.post("/v1/transfers", acme.internal(amount_minor=5))
    lines = statement(acme, clock="recorded").json()["lines"]
    said = {
        each["id"]: each["balance_after_minor"]
        for each in acme.get(f"/v1/accounts/{acme.source.public_id}/postings?limit=100").json()[
            "data"
        ]
    }
    assert {each["id"]: each["balance_minor"] for each in lines} == said


def test_each_format_says_the_same(acme: PartnerWorld) -> None:
    plain = statement(acme).json()
    table = list(csv.DictReader(io.StringIO(statement(acme, format="csv").content.decode())))
    assert [row["row"] for row in table] == ["opening", *["line"] * len(plain["lines"]), "closing"]
    assert int(table[0]["balance_minor"]) == plain["opening_minor"]
    assert int(table[-1]["balance_minor"]) == plain["closing_minor"]
    for row, line in zip(table[1:-1], plain["lines"], strict=True):
        assert row["posting"] == line["id"]
        assert row["purpose"] == line["purpose"]
        assert row["transfer"] == (line["transfer"] or "")
        assert int(row["amount_minor"]) == line["amount_minor"]
        assert int(row["balance_minor"]) == line["balance_minor"]
    answer = statement(acme, format="pdf")
    assert answer["Content-Type"] == "application/pdf"
    printed = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    for line in plain["lines"]:
        assert line["id"] in printed
        assert (line["transfer"] or "") in printed
    for minor in (plain["closing_minor"], *(line["balance_minor"] for line in plain["lines"])):
        assert f"{minor // 100:,}.{minor % 100:02}" in printed


def test_a_settled_past_reads_the_same_for_ever(acme: PartnerWorld) -> None:
    acme.post("/v1/transfers", acme.internal(amount_minor=11))
    end = timezone.now()
    deadline = end + timedelta(seconds=30)
    while not statement(acme, to=end.isoformat()).json()["is_final"]:
        assert timezone.now() < deadline
        rolled()
    query = {"to": end.isoformat(), "clock": "recorded"}
    before = [statement(acme, format=form, **query).content for form in FORMATS]
    paid_in(acme, at=end - timedelta(days=30))
    acme.post("/v1/transfers", acme.internal(amount_minor=12))
    rolled()
    assert [statement(acme, format=form, **query).content for form in FORMATS] == before
    happened = statement(acme, to=end.isoformat(), clock="occurred").json()
    assert not happened["is_final"]
    assert len(happened["lines"]) == len(statement(acme, **query).json()["lines"]) + 1


def test_a_balance_is_that_of_its_instant_by_its_clock(acme: PartnerWorld) -> None:
    old, now = timezone.now() - timedelta(days=70), balance(acme).json()["balance_minor"]
    paid_in(acme, at=old, amount_minor=999)
    arrived = 999
    by_day = {"at": old.isoformat(), "clock": "occurred"}
    assert balance(acme, **by_day).json()["balance_minor"] == arrived
    just_before = (old - timedelta(microseconds=1)).isoformat()
    assert balance(acme, at=just_before, clock="occurred").json()["balance_minor"] == 0
    assert balance(acme, at=old.isoformat()).json()["balance_minor"] == 0
    assert balance(acme).json()["balance_minor"] == now + arrived
    assert balance(acme, at=FAR).json()["is_final"] is False


def test_nothing_is_told_of_another_partners_account(
    acme: PartnerWorld, globex: PartnerWorld
) -> None:
    clearing = Posting.objects.exclude(account_id=acme.source.pk).filter(
        book_id=acme.partner.book_id, balance_after_minor=None
    )
    from audit.typeids import typeid

    system = typeid("acc", clearing[0].account_id)
    for account in (globex.source.public_id, NOBODY, "acc_x", system):
        for what in ("balance", f"statement?from={LONG_AGO}&to={FAR}"):
            answer = acme.get(f"/v1/accounts/{account}/{what}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("what", ["balance", f"statement?from={LONG_AGO}&to={FAR}"])
def test_reading_takes_the_scope(acme: PartnerWorld, what: str) -> None:
    path = f"/v1/accounts/{acme.source.public_id}/{what}"
    answer = acme.get(path, token=acme.token("transfers:read"))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": ""}, "from"),
        ({"to": "yesterday"}, "to"),
        ({"to": "2026-02-30"}, "to"),
        ({"to": "2026-01-01T00:00:00"}, "to"),
        ({"to": "9999-01-01"}, "to"),
        ({"to": "2000-01-01"}, "to"),
        ({"clock": "mine"}, "clock"),
        ({"format": "xls"}, "format"),
        ({"limit": "5"}, "limit"),
    ],
)
def test_what_is_wrong_is_named(acme: PartnerWorld, query: dict[str, str], field: str) -> None:
    answer = statement(acme, **query)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert field in answer.json()["fields"]


def test_too_many_lines_are_refused_with_their_number(
    acme: PartnerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = len(statement(acme).json()["lines"])
    monkeypatch.setattr("transactions.selectors.statements.LINES_MAX", lines - 1)
    for form in FORMATS:
        said = statement(acme, format=form)
        assert (said.status_code, said.json()["code"]) == (400, "statement_too_long")
        assert (said.json()["lines"], said.json()["lines_max"]) == (lines, lines - 1)


def test_no_text_becomes_a_formula() -> None:
    page = csv_of(["a"], rows=[["=1+1"], ["@x"], ["-2"], ["\t="], ["fine"], [-5]]).decode()
    assert page.split("\r\n") == ["a", "'=1+1", "'@x", "'-2", "'\t=", "fine", "-5", ""]


def test_a_statement_that_does_not_add_up_cannot_be_made() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(DoesNotAddUp):
        Statement(
            account_id=Posting.objects.all()[0].account_id,
            code="account:x",
            currency="EUR",
            period=Period(since=at, until=at, clock=Clock.RECORDED),
            opening_minor=1,
            closing_minor=2,
            lines=[],
            is_final=False,
        )
