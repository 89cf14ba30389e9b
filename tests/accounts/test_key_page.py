"""The page of idempotency keys: found by the key or by what it made, and no answer is shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import pytest
from pytest_django import DjangoDbBlocker

from accounts.models import IdempotencyKey
from accounts.roles import Role
from accounts.services.clients import register_client
from tests import factories
from tests.conftest import STAGE
from tests.desk import Desk, seat
from tests.partners import fresh_key
from transactions.models import Transfer

LIST = "accounts_idempotencykey_changelist"
SECRET = b"what only the partner was told"


@dataclass(frozen=True, kw_only=True)
class Used:
    """A key that was used, the row that is kept of it, and the transfer that it made."""

    key: str
    row: IdempotencyKey
    transfer: Transfer


@pytest.fixture(scope="module")
def used(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[list[Used]]:
    """Two used keys of one client."""
    with django_db_blocker.unblock():
        company = factories.cast()
        with STAGE.as_role("migrator"):
            client = register_client(
                actor=factories.FOUNDER,
                partner_id=company.partner.pk,
                name="Back end",
                scopes=["transfers:write"],
            )
        yield [_use(company, client_id=str(client.id)) for _ in range(2)]
        STAGE.reclone()


def _use(company: factories.Cast, *, client_id: str) -> Used:
    key, transfer = fresh_key(), factories.internal(company)
    row = factories.used_key(company, made=transfer, key=key, client_id=client_id, answer=SECRET)
    return Used(key=key, row=row, transfer=transfer)


@pytest.fixture(scope="module")
def desk(used: list[Used]) -> Desk:
    """Somebody who may look."""
    with STAGE.as_role("admin"):
        return seat(Role.FINANCE_OPERATOR)


@pytest.mark.parametrize("how", ["key", "quoted key", "id", "address"])
def test_a_key_is_found_by_itself_and_by_what_it_made(
    used: list[Used], desk: Desk, how: str
) -> None:
    one, other = used
    term = {
        "key": one.key,
        "quoted key": f'"{one.key}"',
        "id": one.transfer.public_id,
        "address": one.row.resource,
    }[how]
    shown = desk.open(LIST, q=term).content.decode()
    assert str(one.row.pk) in shown
    assert str(other.row.pk) not in shown
    assert "Back end" in shown


@pytest.mark.parametrize("term", ["x", "trf_00000000000000000000000000", "unknown-key-of-22-ch"])
def test_what_nobody_used_is_not_found(used: list[Used], desk: Desk, term: str) -> None:
    shown = desk.open(LIST, q=term).content.decode()
    assert not any(str(each.row.pk) in shown for each in used)


def test_a_row_leads_to_what_it_made_and_shows_no_answer(used: list[Used], desk: Desk) -> None:
    one = used[0]
    page = desk.open("accounts_idempotencykey_change", one.row.pk)
    shown = page.content.decode()
    assert f"/admin/transactions/transfer/{one.transfer.pk}/" in shown
    assert "POST /v1/transfers" in shown
    assert sha256(one.key.encode()).hexdigest() in shown
    assert one.key not in shown
    assert SECRET.decode() not in shown
    assert SECRET.hex() not in shown


def test_a_key_of_a_batchs_item_is_not_said_to_have_been_answered_long_ago(
    used: list[Used], desk: Desk
) -> None:
    with STAGE.as_role("migrator"):
        IdempotencyKey.objects.filter(pk=used[1].row.pk).update(answer=None)
    shown = desk.open("accounts_idempotencykey_change", used[1].row.pk).content.decode()
    assert "Used. Its answer is not kept, and the key works no second time." in shown
    assert "long ago" not in shown


def test_the_pages_query_never_reads_an_answer(used: list[Used]) -> None:
    from accounts.selectors.idempotency import keys_for_pages

    deferred = keys_for_pages(to=factories.colleague(Role.AUDITOR)).get(pk=used[0].row.pk)
    assert {"answer", "fingerprint"} <= deferred.get_deferred_fields()
