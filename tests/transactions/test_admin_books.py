"""Statement, trial balance and month-end on the staff's pages, and the copies they take away."""

import csv
import io
import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIRequestFactory, force_authenticate

from accounts.roles import Role
from audit.models import Entry
from audit.typeids import uuid7
from tests import factories
from tests.conftest import STAGE
from tests.desk import Desk, grant, seat
from tests.staff import age_proofs
from transactions.api.statements import StatementDetail
from transactions.models import LedgerAccount
from transactions.papers import PAPERS
from transactions.services.movements import book_movement
from transactions.states import Clock, TransferState

pytestmark = pytest.mark.django_db(transaction=True)
READERS = (Role.FINANCE_OPERATOR, Role.COMPLIANCE_OFFICER, Role.AUDITOR)
PERIOD = {"since": "2020-01-01", "until": "2030-01-01", "clock": "recorded"}


@pytest.fixture
def company(transactional_db: None) -> factories.Cast:
    """A partner with money, some of it paid in through a provider, and one payout under way."""
    made = factories.cast()
    with STAGE.as_role("migrator"):
        last_month = timezone.now().replace(day=1) - timedelta(days=3)
        for at in (last_month, timezone.now()):
            book_movement(actor=factories.provider(), movement=factories.charge(made.giver, at=at))
    factories.internal(made, amount_minor=1_234)
    factories.payout(made, state=TransferState.DISPATCHED, amount_minor=777)
    return made


def clearing(company: factories.Cast) -> LedgerAccount:
    return LedgerAccount.objects.get(book_id=company.partner.book_id, code="clearing:stripe")


def day_form(company: factories.Cast, **changes: str) -> dict[str, str]:
    book = str(company.partner.book_id)
    return {"book": book, "day": "2030-01-01", "clock": "recorded"} | changes


def exports() -> int:
    return Entry.objects.filter(action__endswith=".exported").count()


def entry(action: str) -> dict[str, Any]:
    _, _, body = bytes(Entry.objects.get(action=action).body).partition(b"\n")
    found: dict[str, Any] = json.loads(body)
    return found


@pytest.mark.parametrize("role", READERS)
def test_each_reader_of_the_books_sees_them_and_takes_copies_on_record(
    company: factories.Cast, role: Role
) -> None:
    desk = seat(role)
    page = desk.open("statement", company.giver.pk, **PERIOD).content.decode()
    assert "10,187.66 EUR" in page  # what it was opened with, two charges, one transfer out
    assert "Export CSV" in page
    copy = desk.send("statement_export", company.giver.pk, **PERIOD, paper="csv")
    rows = list(csv.DictReader(io.StringIO(copy.content.decode())))
    assert rows[-1]["row"] == "closing"
    said = entry("statement.exported")
    assert said["facts"]["sha256"] == sha256(copy.content).hexdigest()
    assert said["facts"]["lines"] == len(rows) - 2
    printed = desk.send("statement_export", company.giver.pk, **PERIOD, paper="pdf")
    assert printed.content.startswith(b"%PDF")
    assert exports() == 2


@pytest.mark.parametrize("paper", PAPERS)
def test_a_copy_is_byte_for_byte_what_the_partner_reads_of_the_same_period(
    company: factories.Cast, paper: str
) -> None:
    desk = seat(Role.FINANCE_OPERATOR)
    copies = [
        desk.send("statement_export", company.giver.pk, **PERIOD, paper=paper) for _ in range(2)
    ]
    days = {"from": PERIOD["since"], "to": "2030-01-02", "clock": PERIOD["clock"]}
    asked = APIRequestFactory().get("/v1/statement", days | {"format": paper})
    force_authenticate(asked, token=company.actor)  # type: ignore[arg-type]  # ours is no row
    with STAGE.as_role("api"):
        answer = StatementDetail.as_view()(asked, account_id=company.giver.public_id)
    assert {copy.content for copy in copies} == {answer.content}
    assert {copy["Content-Type"] for copy in copies} == {answer["Content-Type"]}


def test_support_reads_the_statements_of_its_customers_and_takes_none_away(
    company: factories.Cast,
) -> None:
    desk = seat(Role.SUPPORT_AGENT)
    assert desk.open("statement", company.giver.pk).status_code == 404
    grant(desk, company=company)
    page = desk.open("statement", company.giver.pk, **PERIOD)
    assert page.status_code == 200
    assert b"Export" not in page.content
    assert desk.open("statement", clearing(company).pk).status_code == 404
    refused = desk.send("statement_export", company.giver.pk, **PERIOD, paper="csv")
    assert "text/csv" not in refused["Content-Type"]
    for page_name in ("trial_balance", "month_end"):
        assert desk.open(page_name).status_code == 403
    assert desk.send("trial_balance_export", **day_form(company)).status_code == 403
    assert exports() == 0


def test_a_copy_wants_a_fresh_proof_and_looking_leaves_no_copy_on_record(
    company: factories.Cast,
) -> None:
    desk = seat(Role.FINANCE_OPERATOR)
    age_proofs(desk.client, seconds=600)
    assert desk.open("statement", company.giver.pk, **PERIOD).status_code == 200
    assert desk.open("trial_balance", **day_form(company)).status_code == 200
    for name, where, fields in (
        ("statement_export", (company.giver.pk,), PERIOD | {"paper": "csv"}),
        ("trial_balance_export", (), day_form(company)),
    ):
        answer = desk.send(name, *where, **fields)
        assert answer.redirect_chain[0][0].startswith("/accounts/2fa/reauthenticate/")
    assert exports() == 0


@pytest.mark.parametrize("clock", Clock.values)
def test_the_columns_of_a_trial_balance_agree(company: factories.Cast, clock: str) -> None:
    desk = seat(Role.AUDITOR)
    page = desk.open("trial_balance", **day_form(company, clock=clock))
    assert "Both columns agree" in page.content.decode()
    copy = desk.send("trial_balance_export", **day_form(company, clock=clock))
    rows = list(csv.DictReader(io.StringIO(copy.content.decode())))
    accounts = {row["code"]: row for row in rows if row["row"] == "account"}
    assert {"clearing:stripe", "fees:stripe", f"account:{company.taker.alias}"} <= set(accounts)
    assert accounts[f"account:{company.taker.alias}"]["credit"] == "12.34"
    (total,) = (row for row in rows if row["row"] == "total")
    assert total["debit"] == total["credit"] != "0.00"
    for side in ("debit", "credit"):
        cents = [int(row[side].replace(".", "")) for row in accounts.values()]
        assert sum(cents) == int(total[side].replace(".", ""))
    assert entry("trial_balance.exported")["facts"]["accounts"] == len(accounts)


def test_before_anything_moved_the_books_are_empty(company: factories.Cast) -> None:
    desk = seat(Role.AUDITOR)
    page = desk.open("trial_balance", **day_form(company, day="2001-01-01"))
    assert "Nothing had moved" in page.content.decode()


def test_the_months_end_names_what_has_not_arrived_and_what_is_under_way(
    company: factories.Cast,
) -> None:
    desk = seat(Role.FINANCE_OPERATOR)
    book = str(company.partner.book_id)
    found = desk.open("month_end")
    months = [key for key, _ in found.context["form"].fields["month"].choices]
    page = desk.open("month_end", book=book, month=months[0], clock="occurred")
    text = page.content.decode()
    assert "clearing:stripe" in text
    assert "-98.25 EUR" in text
    (standing,) = page.context["standings"]
    assert standing["since"].date() < timezone.now().replace(day=1).date()
    (waiting,) = page.context["under_way"]
    assert (waiting["row"].count, waiting["amount"]) == (1, "7.77 EUR")
    recorded = desk.open("month_end", book=book, month=months[0], clock="recorded")
    assert not recorded.context["standings"]


def test_what_one_types_is_never_an_error(company: factories.Cast) -> None:
    desk = seat(Role.FINANCE_OPERATOR)
    for odd in ("", "x", "0000-00-00", "9999-12-31", "1000-01-01", "%00", str(uuid7())):
        for name in ("since", "until", "clock"):
            page = desk.open("statement", company.giver.pk, **(PERIOD | {name: odd}))
            assert page.status_code == 200, (name, odd)
        for name in ("book", "day", "clock"):
            form = day_form(company, **{name: odd})
            assert desk.open("trial_balance", **form).status_code == 200, (name, odd)
            assert desk.send("trial_balance_export", **form).status_code == 404, (name, odd)
        for name in ("book", "month", "clock"):
            assert desk.open("month_end", **{name: odd}).status_code == 200, (name, odd)
    assert desk.open("statement", uuid7()).status_code == 404
    backwards = {"since": "2026-02-02", "until": "2026-01-01"}
    page = desk.open("statement", company.giver.pk, **(PERIOD | backwards))
    assert "This is before the period begins." in page.content.decode()
    unknown = desk.send("statement_export", company.giver.pk, **PERIOD, paper="xls")
    assert unknown.status_code == 404


def test_the_pages_are_in_the_sidebar_of_those_who_may_open_them(company: factories.Cast) -> None:
    def offered(desk: Desk) -> str:
        return str(desk.open("index").content.decode())

    assert "Month-end" in offered(seat(Role.AUDITOR))
    assert "Month-end" not in offered(seat(Role.SUPPORT_AGENT))
