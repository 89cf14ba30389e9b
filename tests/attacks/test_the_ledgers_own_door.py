"""What the ledger's own functions refuse, whoever calls them: the commands decide the same before.

A captured process calls `ledger_post` and `ledger_reserve` with whatever it likes.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.states import FreezeMode
from audit.constraints import broken_rule
from audit.typeids import uuid7
from tests import factories
from tests.books import assert_books_hold, stands_at
from tests.conftest import STAGE
from tests.factories import Cast, committed
from transactions.models import Journal, Posting
from transactions.services.freezes import freeze_account

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("api")]
Lines = list[tuple[UUID, int]]


@pytest.fixture
def cast() -> Cast:
    """A partner with money on one account and nothing on another."""
    return factories.cast()


@factories.set_up
def freeze(cast: Cast, *, mode: FreezeMode) -> None:
    """Freeze the giver's account."""
    freeze_account(
        actor=factories.colleague(),
        account_id=cast.giver.pk,
        mode=mode,
        reason="test",
        legal_reference="",
    )


def spelled(cast: Cast) -> dict[str, str]:
    """Return a journal of the partner's as the ledger reads it."""
    return {
        "book": str(cast.partner.book_id),
        "purpose": "internal",
        "subject": "forged",
        "origin": uuid7().hex,
        "trace": "",
        "occurred_at": "2026-01-01T00:00:00Z",
    }


def spelled_lines(journals: Sequence[Lines], *, currency: str = "EUR") -> list[dict[str, Any]]:
    """Return the lines of the journals, in their order, as the ledger reads them."""
    return [
        {"journal": number, "account": str(key), "amount": amount, "currency": currency}
        for number, journal in enumerate(journals, 1)
        for key, amount in journal
    ]


@contextmanager
def acting_for(book_id: UUID) -> Iterator[None]:
    """Act for a book as commands do, and as a captured process may claim to."""
    with transaction.atomic():
        run("SELECT set_config('app.book', %s, true)", str(book_id))
        yield


def post(cast: Cast, *journals: Lines, currency: str = "EUR") -> None:
    """Post journals as a captured process would, past every command."""
    told = [spelled(cast) for _ in journals]
    lines = spelled_lines(journals, currency=currency)
    run("SELECT ledger_post(%s::jsonb, %s::jsonb)", json.dumps(told), json.dumps(lines))


def act_and_post(cast: Cast, *journals: Lines, currency: str = "EUR") -> None:
    """Post in the name of the partner's own book, and commit."""
    with acting_for(cast.partner.book_id):
        post(cast, *journals, currency=currency)


def reserve(*amounts: tuple[UUID, int]) -> None:
    """Reserve money as a captured process would."""
    keys, minor = zip(*amounts, strict=True)
    run("SELECT ledger_reserve(%s::uuid[], %s::bigint[])", list(keys), list(minor))


def use_up_limit(cast: Cast) -> None:
    """Count something against the limits of the partner."""
    use = {
        "subject": str(cast.giver.pk),
        "book": str(cast.partner.book_id),
        "currency": "EUR",
        "kind": "internal",
        "day": "2026-01-01",
        "slice": 0,
        "amount": 1,
        "times": 1,
    }
    run("SELECT limits_use(%s::jsonb)", json.dumps([use]))


def run(statement: str, *values: Any) -> None:
    """Run one statement and commit it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def there(cast: Cast, amount: int) -> Lines:
    """Return the lines that move an amount from the giver to the taker."""
    return [(cast.giver.pk, -amount), (cast.taker.pk, amount)]


def refused(rule: str, cast: Cast, *journals: Lines, currency: str = "EUR") -> None:
    """See that the ledger refuses by that rule, and that nothing of it is left."""
    before = (stands_at(cast.giver.pk), stands_at(cast.taker.pk))
    with pytest.raises(DatabaseError) as no:
        act_and_post(cast, *journals, currency=currency)
    assert broken_rule(no.value) == rule
    assert (stands_at(cast.giver.pk), stands_at(cast.taker.pk)) == before
    assert not Journal.objects.filter(subject_ref="forged", book_id=cast.partner.book_id).exists()
    assert_books_hold()


def test_a_journal_that_does_not_balance(cast: Cast) -> None:
    refused("journal_balanced", cast, [(cast.giver.pk, -5), (cast.taker.pk, 6)])


def test_one_of_two_journals_that_balance_only_together(cast: Cast) -> None:
    uneven = [[(cast.giver.pk, -5), (cast.taker.pk, 6)], [(cast.giver.pk, -6), (cast.taker.pk, 5)]]
    refused("journal_balanced", cast, *uneven)


def test_a_journal_of_more_than_64_lines(cast: Cast) -> None:
    refused("journal_balanced", cast, [*there(cast, 1) * 33])


def test_less_than_the_floor(cast: Cast) -> None:
    refused("balance_above_floor", cast, there(cast, factories.RICH_MINOR + 1))


def test_less_than_the_floor_between_two_lines_that_end_above_it(cast: Cast) -> None:
    """One statement or not: an account never owes on the way what comes in later."""
    too_much = factories.RICH_MINOR + 1
    back = [(cast.taker.pk, -too_much), (cast.giver.pk, too_much)]
    refused("balance_above_floor", cast, there(cast, too_much), back)


def test_another_currency_than_the_accounts(cast: Cast) -> None:
    refused("ledger_wrong_currency", cast, there(cast, 5), currency="USD")


def test_an_account_of_another_book(cast: Cast) -> None:
    theirs = factories.cast().taker.pk
    refused("ledger_unknown_account", cast, [(cast.giver.pk, -5), (theirs, 5)])


def test_an_account_that_nobody_opened(cast: Cast) -> None:
    refused("ledger_unknown_account", cast, [(cast.giver.pk, -5), (uuid7(), 5)])


@pytest.mark.parametrize(
    ("mode", "sign"), [(FreezeMode.DEBITS, 1), (FreezeMode.CREDITS, -1), (FreezeMode.ALL, 1)]
)
def test_a_frozen_account(cast: Cast, mode: FreezeMode, sign: int) -> None:
    freeze(cast, mode=mode)
    lines = [(key, amount * sign) for key, amount in there(cast, 5)]
    refused("ledger_account_frozen", cast, lines)


def test_a_book_that_this_transaction_does_not_act_for(cast: Cast) -> None:
    with pytest.raises(DatabaseError) as no, acting_for(uuid7()):
        post(cast, there(cast, 5))
    assert broken_rule(no.value) == "ledger_foreign_book"


def test_a_book_beside_the_one_that_this_transaction_acts_for(cast: Cast) -> None:
    theirs = factories.cast()
    lines = json.dumps(spelled_lines([there(cast, 5), there(theirs, 5)]))
    books = json.dumps([spelled(each) for each in (cast, theirs)])
    with pytest.raises(DatabaseError) as no, acting_for(cast.partner.book_id):
        run("SELECT ledger_post(%s::jsonb, %s::jsonb)", books, lines)
    assert broken_rule(no.value) == "ledger_foreign_book"


def test_the_partners_door_in_nobodys_name(cast: Cast) -> None:
    with pytest.raises(DatabaseError) as no:
        post(cast, there(cast, 5))
    assert broken_rule(no.value) == "ledger_foreign_book"
    with pytest.raises(DatabaseError) as no:
        reserve((cast.giver.pk, 1))
    assert broken_rule(no.value) == "ledger_foreign_book"
    with pytest.raises(DatabaseError) as no:
        use_up_limit(cast)
    assert broken_rule(no.value) == "ledger_foreign_book"
    assert stands_at(cast.giver.pk) == (factories.RICH_MINOR, 0)


@pytest.mark.role("worker")
def test_the_house_itself_needs_no_name(cast: Cast) -> None:
    with transaction.atomic():
        post(cast, there(cast, 5))
        assert stands_at(cast.taker.pk) == (5, 0)
        transaction.set_rollback(True)  # nobody saw it


def test_a_line_for_a_journal_that_has_committed(cast: Cast) -> None:
    """Not even the tables' owner adds to one, and not even lines that balance."""
    old = Posting.objects.filter(account_id=cast.giver.pk).latest("id").journal_id
    add = (
        "INSERT INTO transactions_posting"
        " (journal_id, book_id, account_id, amount_minor, currency, occurred_at)"
        " VALUES (%s, %s, %s, -5, 'EUR', now()), (%s, %s, %s, 5, 'EUR', now())"
    )
    book = cast.partner.book_id
    with STAGE.as_role("migrator"), pytest.raises(DatabaseError) as no:
        run(add, old, book, cast.giver.pk, old, book, cast.taker.pk)
    assert broken_rule(no.value) == "journal_balanced"


@pytest.mark.parametrize("amount", [factories.RICH_MINOR + 1, 2**63 - 1])
def test_more_reserved_than_is_there(cast: Cast, amount: int) -> None:
    with pytest.raises(DatabaseError) as no, acting_for(cast.partner.book_id):
        reserve((cast.giver.pk, amount))
    assert broken_rule(no.value) == "balance_above_floor"


def test_more_reserved_than_is_there_in_two_parts_of_one_call(cast: Cast) -> None:
    with pytest.raises(DatabaseError) as no, acting_for(cast.partner.book_id):
        reserve((cast.giver.pk, factories.RICH_MINOR), (cast.giver.pk, 1))
    assert broken_rule(no.value) == "balance_above_floor"


def test_money_of_a_frozen_account_is_not_reserved(cast: Cast) -> None:
    freeze(cast, mode=FreezeMode.DEBITS)
    with pytest.raises(DatabaseError) as no, acting_for(cast.partner.book_id):
        reserve((cast.giver.pk, 1))
    assert broken_rule(no.value) == "ledger_account_frozen"


def test_more_on_an_account_than_can_be_counted_between_two_lines(cast: Cast) -> None:
    """Also where other lines of the same call take it away again."""
    most = 2**63 - 1
    lines = [(cast.giver.pk, most), (cast.taker.pk, -most)]
    refused("balance_countable", cast, lines, [(key, -amount) for key, amount in lines])
