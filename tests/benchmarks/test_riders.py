"""A rider that cannot find anything wrong proves nothing: each is shown books that are wrong."""

import os
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest

from benchmarks._riders import Rider
from tests import factories
from tests.conftest import STAGE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.role("admin")]

TABLES = ("transactions_posting", "transactions_balance", "audit_touch", "transactions_transfer")


@pytest.fixture
def company() -> factories.Cast:
    """Return a partner who has moved money between two accounts twice."""
    made = factories.cast()
    for _ in range(2):
        factories.internal(made)
    return made


@pytest.fixture
def owner(company: factories.Cast) -> Iterator[psycopg.Connection]:
    """Return the owner's own connection, every trigger of the books and the log off."""
    del company
    address = psycopg.conninfo.make_conninfo(os.environ["DATABASE_URL"], dbname=STAGE.name)
    with psycopg.connect(address, autocommit=True) as server:
        for table in TABLES:
            server.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield server


def ridden(book_id: UUID) -> Rider:
    """Return a rider of one book as it stands now."""
    return Rider.mount([book_id], database=STAGE.name)


def test_sound_books_are_found_sound_and_each_transfer_is_counted(company: factories.Cast) -> None:
    rider = ridden(company.partner.book_id)
    factories.internal(company)
    assert rider.wrong(done=1) == []
    assert rider.wrong(done=2) == ["2 transfers were told as done, 1 are there"]


LAST = "(SELECT max(account_version) FROM transactions_posting)"
AGAIN = "jsonb_populate_record(j, jsonb_build_object('id', uuidv7(), 'origin', 'again'))"
HARM = {
    "is wrong from version": "UPDATE transactions_posting SET balance_after_minor = 7"
    f" WHERE account_version = {LAST}",
    "is off by": "UPDATE transactions_posting SET amount_minor = 2 * amount_minor"
    " WHERE amount_minor < 0",
    "its postings at": "UPDATE transactions_balance SET posted_minor = posted_minor + 1",
    "the accounts held": "UPDATE transactions_balance SET posted_minor = posted_minor + 1",
    "has 0 entries": "DELETE FROM audit_touch WHERE table_name = 'transactions_transfer'",
    "has 2 journals": f"INSERT INTO transactions_journal SELECT ({AGAIN}).*"
    " FROM transactions_journal AS j WHERE j.purpose = 'internal'",
}


@pytest.mark.parametrize("said", HARM)
def test_each_kind_of_harm_to_the_books_is_told(
    company: factories.Cast, owner: psycopg.Connection, *, said: str
) -> None:
    rider = ridden(company.partner.book_id)
    owner.execute(HARM[said].encode())
    assert any(said in line for line in rider.wrong()), rider.wrong()
