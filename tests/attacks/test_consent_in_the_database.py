"""Money between partners without consent, asked of the database itself by a captured process."""

import json
from typing import Any

import pytest
from django.db import Error, connection, transaction

from tests import factories
from tests.factories import Cast
from tests.transactions.partner_pair import pay, payer, taker, withdrawn
from transactions.models import LedgerAccount

__all__ = ["payer", "taker"]
pytestmark = pytest.mark.role("api")


@pytest.mark.parametrize("theirs", ["giver", "taker"])
def test_the_database_lets_nobody_take_or_push_money_without_consent(
    payer: Cast, theirs: str
) -> None:
    """A captured API process speaks for its own book only, even past our commands."""
    victim = factories.cast()
    factories.between(payer, victim)
    withdrawn(victim)
    amount = 5 if theirs == "taker" else -5
    journals, spelled = _passage(payer, victim, to=theirs, amount=amount)
    with pytest.raises(Error, match="ledger_no_consent"):
        _pass_raw(payer, values=[json.dumps(journals), json.dumps(spelled)])


@pytest.mark.parametrize(
    ("of_journal", "of_line"),
    [({}, {"release": 5}), ({}, {"release": -5}), ({"purpose": "manual"}, {})],
)
def test_consent_lets_money_arrive_and_do_nothing_else(
    payer: Cast, taker: Cast, of_journal: dict[str, Any], of_line: dict[str, Any]
) -> None:
    """What is reserved there stays so, and a journal there is what it is called."""
    pay(payer, factories.partner_order(payer, to=taker.taker))  # opens the clearing accounts
    journals, lines = _passage(payer, taker, to="taker", amount=5)
    values = [json.dumps(journals), json.dumps(lines)]
    _pass_raw(payer, values=values)  # control: without them it passes
    journals, lines = _passage(payer, taker, to="taker", amount=5)
    journals[1] |= of_journal
    lines[3] |= of_line
    with pytest.raises(Error, match="ledger_no_consent"):
        _pass_raw(payer, values=[json.dumps(journals), json.dumps(lines)])


def _passage(
    payer: Cast, victim: Cast, *, to: str, amount: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the two journals of a passage as a captured process would spell them."""
    far, near = (
        LedgerAccount.objects.get(book=here.partner.book_id, code=f"interbook:{there}").pk
        for here, there in ((payer, victim.partner.slug), (victim, payer.partner.slug))
    )
    journals = [
        {
            "book": str(book_id),
            "purpose": "partner_transfer",
            "subject": "arrival:x",
            "origin": factories.origin(),
            "trace": "",
            "occurred_at": "2026-01-01T00:00:00Z",
        }
        for book_id in (payer.partner.book_id, victim.partner.book_id)
    ]
    lines = [
        (1, payer.giver.pk, -amount),
        (1, far, amount),
        (2, near, -amount),
        (2, getattr(victim, to).pk, amount),
    ]
    spelled = [
        {"journal": number, "account": str(key), "amount": minor, "currency": "EUR"}
        for number, key, minor in lines
    ]
    return journals, spelled


def _pass_raw(payer: Cast, *, values: list[str]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.book', %s, true)", [str(payer.partner.book_id)])
        cursor.execute("SELECT ledger_pass(%s::jsonb, %s::jsonb)", values)
