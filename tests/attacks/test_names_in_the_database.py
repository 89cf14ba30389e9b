"""Trust goes by names: a partner's short name and an account's alias never become another's."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

import pytest
from django.db import DatabaseError, connection, transaction

from tests import factories
from tests.books import stands_at
from tests.factories import Cast, committed
from tests.four_eyes import commit
from transactions.errors import DestinationUnavailable
from transactions.models import LedgerAccount
from transactions.services.partner_transfers import request_partner_transfer

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("api")]
As = Callable[[str], AbstractContextManager[None]]
LOGINS: Final = ["migrator", "admin", "worker", "api"]
FORGERIES: Final = {
    "rename a partner": "UPDATE accounts_partner SET slug = 'other' WHERE id = '{partner}'",
    "give a partner another book": (
        "UPDATE accounts_partner SET book_id = uuidv7() WHERE id = '{partner}'"
    ),
    "free a partner's name": "DELETE FROM accounts_partner WHERE id = '{lonely}'",
    "let an account have another alias": (
        "UPDATE accounts_account SET alias = 'other' WHERE id = '{account}'"
    ),
    "let an account be another partner's": (
        "UPDATE accounts_account SET partner_id = '{lonely}' WHERE id = '{account}'"
    ),
    "let an account be in another book": (
        "UPDATE accounts_account SET book_id = uuidv7() WHERE id = '{account}'"
    ),
    "let an account be in another currency": (
        "UPDATE accounts_account SET currency = 'JPY' WHERE id = '{account}'"
    ),
    "free an account's alias": "DELETE FROM accounts_account WHERE id = '{account}'",
    "let a clearing account be another book's": (
        "UPDATE transactions_ledgeraccount SET code = 'interbook:other' WHERE id = '{clearing}'"
    ),
}


@pytest.fixture(scope="module")
def payer(committed: None) -> Cast:
    """A partner that another lets pay in."""
    del committed
    return factories.cast()


@pytest.fixture(scope="module")
def taker(payer: Cast) -> Cast:
    """The other, which consented to the first by its name, and was paid."""
    made = factories.cast()
    factories.between(payer, made, amount_minor=100)
    return made


@pytest.fixture(scope="module")
def ids(payer: Cast, taker: Cast) -> dict[str, Any]:
    """What forgeries speak of; a partner that has nothing yet is the easiest to remove."""
    clearing = LedgerAccount.objects.get(
        book_id=taker.partner.book_id, code=f"interbook:{payer.partner.slug}"
    )
    return {
        "partner": payer.partner.pk,
        "lonely": factories.partner().pk,
        "account": taker.taker.pk,
        "clearing": clearing.pk,
    }


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("forgery", FORGERIES)
def test_no_name_changes_hands(forgery: str, login: str, ids: dict[str, Any], as_role: As) -> None:
    with as_role(login), pytest.raises(DatabaseError) as refused:
        commit(FORGERIES[forgery].format(**ids))
    rule = "_named_once" if login == "migrator" else "_named_once|permission denied"
    assert refused.match(rule)


def test_what_a_partner_is_called_may_change(payer: Cast, as_role: As) -> None:
    with as_role("migrator"), pytest.raises(DatabaseError, match="no audit entry"):
        commit("UPDATE accounts_partner SET name = 'Other' WHERE id = %s", payer.partner.pk)


def test_control_a_name_that_changed_hands_would_take_the_consent_along(
    payer: Cast, taker: Cast, as_role: As
) -> None:
    stranger = factories.cast()
    with pytest.raises(DestinationUnavailable):
        _pay(stranger, taker)
    with as_role("migrator"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_partner DISABLE TRIGGER USER")
        for company, slug in ((payer, "former"), (stranger, payer.partner.slug)):
            cursor.execute(
                "UPDATE accounts_partner SET slug = %s WHERE id = %s", [slug, company.partner.pk]
            )
        cursor.execute("ALTER TABLE accounts_partner ENABLE TRIGGER USER")
    _pay(stranger, taker)
    assert stands_at(taker.taker.pk)[0] == 101


def _pay(company: Cast, taker: Cast) -> None:
    request_partner_transfer(
        actor=company.actor,
        order=factories.partner_order(company, to=taker.taker, amount_minor=1),
        origin=factories.origin(),
    )
