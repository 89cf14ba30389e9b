"""A captured process writes SQL of its own: no account comes into being but by two, and whole."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

import pytest
from django.db import DatabaseError

from accounts.models import Account
from accounts.roles import Role
from tests import factories
from tests.conftest import STAGE
from tests.factories import committed
from tests.four_eyes import commit, decide
from transactions.services.books import request_opening

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("worker")]
As = Callable[[str], AbstractContextManager[None]]
ACCOUNT: Final = (
    "INSERT INTO accounts_account (id, partner_id, book_id, portfolio_id, customer_id, name,"
    " currency, alias, freeze_mode, created_at) VALUES ('{id}', '{partner}', '{book}',"
    " '{portfolio}', {customer}, '{name}', '{currency}', '{alias}', 'none', now());"
)
SIDE: Final = (
    "INSERT INTO transactions_ledgeraccount (id, book_id, code, currency, keeps_balance)"
    " VALUES ('{id}', '{side_book}', 'account:{side_alias}', '{side_currency}', true);"
)
BALANCE: Final = "SELECT ledger_open('{id}');"
USE: Final = (
    "UPDATE accounts_approval SET state = 'used', try_at = NULL WHERE subject_ref = 'account:{id}'"
)
WHOLE: Final = ACCOUNT + SIDE + BALANCE + USE
Facts = dict[str, Any]


@pytest.fixture
def facts(committed: None) -> Facts:
    """What was asked for and approved, and not carried out; and of others what might be put in."""
    del committed
    cast, other = factories.cast(), factories.cast()
    opening = factories.opening(cast.portfolio)
    with STAGE.as_role("admin"):
        asked = request_opening(actor=factories.colleague(Role.FINANCE_OPERATOR), opening=opening)
    decide(asked)
    return {
        "id": opening.id,
        "partner": cast.partner.pk,
        "book": cast.partner.book_id,
        "portfolio": cast.portfolio.pk,
        "customer": "NULL",
        "name": opening.name,
        "currency": "EUR",
        "alias": opening.alias,
        "other_portfolio": factories.portfolio(cast.partner).pk,
        "other_customer": f"'{factories.customer(cast.portfolio).pk}'",
        "other_book": other.partner.book_id,
        "unasked": factories.opening(cast.portfolio).id,
    }


def forged(facts: Facts, *, statements: str = WHOLE, **changes: str) -> str:
    """Return statements that open the account; in `changes`, another fact for one of it."""
    told = facts | {name: facts.get(value, value) for name, value in changes.items()}
    sides = {f"side_{name}": told[name] for name in ("book", "alias", "currency")}
    return statements.format(**{**sides, **told})


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "unasked"},
        {"alias": "another-alias"},
        {"currency": "JPY"},
        {"name": "Another name"},
        {"portfolio": "other_portfolio"},
        {"customer": "other_customer"},
    ],
)
def test_no_account_is_opened_that_two_have_not_agreed_to(
    facts: Facts, changes: dict[str, str]
) -> None:
    with pytest.raises(DatabaseError, match="account_opened_by_two"):
        commit(forged(facts, **changes))
    assert not Account.objects.filter(pk=facts["id"]).exists()


def test_an_approval_that_is_not_used_up_opens_nothing(facts: Facts) -> None:
    with pytest.raises(DatabaseError, match="account_opened_by_two"):
        commit(forged(facts, statements=ACCOUNT + SIDE + BALANCE))


@pytest.mark.parametrize("login", ["worker", "migrator"])
@pytest.mark.parametrize(
    ("statements", "changes"),
    [
        (ACCOUNT, {}),
        (ACCOUNT + SIDE, {}),
        (ACCOUNT + SIDE + BALANCE, {"side_alias": "another"}),
        (ACCOUNT + SIDE + BALANCE, {"side_currency": "JPY"}),
        (ACCOUNT + SIDE + BALANCE, {"side_book": "other_book"}),
    ],
)
def test_no_account_is_there_without_its_side_of_the_books(
    facts: Facts, login: str, statements: str, changes: dict[str, str], as_role: As
) -> None:
    with as_role(login), pytest.raises(DatabaseError, match="account_in_the_books"):
        commit(forged(facts, statements=statements, **changes))


@pytest.mark.parametrize("login", ["admin", "api", "auditor"])
def test_no_other_login_makes_an_account_at_all(facts: Facts, login: str, as_role: As) -> None:
    with as_role(login), pytest.raises(DatabaseError, match="permission denied"):
        commit(forged(facts))


def test_what_two_have_agreed_to_lacks_only_its_witness(facts: Facts) -> None:
    with pytest.raises(DatabaseError, match="no audit entry"):
        commit(forged(facts))
