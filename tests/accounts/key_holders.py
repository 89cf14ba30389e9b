"""Circumstances a key can be in: held by somebody else, its client gone, its account empty."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

import psycopg
from django.db import connection, transaction
from django.utils import timezone

from accounts.frontdesk import idempotency
from accounts.keys import hash_of
from accounts.models import ApiClient
from tests.conftest import STAGE
from tests.partners import FOUNDER, PartnerWorld, fresh_key
from transactions.models import Transfer
from transactions.services.books import set_up_account


def executed() -> int:
    """Count what really happened."""
    return Transfer.objects.count()


@contextmanager
def somebody_else_holding(world: PartnerWorld, *, key: str) -> Iterator[int]:
    """Let another connection work under the partner's key; yield its server process."""
    client = ApiClient.objects.get(pk=world.client.id)
    actor = replace(FOUNDER, id=str(client.account_key), partner_id=client.partner_id)
    lock_id = idempotency._lock_id(actor, key_hash=hash_of(key))
    at = connection.settings_dict
    names = {
        "host": "HOST",
        "port": "PORT",
        "dbname": "NAME",
        "user": "USER",
        "password": "PASSWORD",
    }
    other = psycopg.connect(**{name: at[ours] for name, ours in names.items()})
    other.execute("SELECT pg_advisory_xact_lock(%s)", [lock_id])
    try:
        yield other.info.backend_pid
    finally:
        with suppress(psycopg.Error):  # it may have been killed meanwhile
            other.rollback()  # now: a server process whose line was closed takes its time
        other.close()


@contextmanager
def switched_off(world: PartnerWorld) -> Iterator[None]:
    """Let the partner's client be expired for a while."""
    _expire(world, at=timezone.now() - timedelta(seconds=1))
    yield
    _expire(world, at=None)


def _expire(world: PartnerWorld, *, at: datetime | None) -> None:
    with STAGE.as_role("migrator"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_apiclient DISABLE TRIGGER USER")
        ApiClient.objects.filter(pk=world.client.id).update(expires_at=at)
        cursor.execute("ALTER TABLE accounts_apiclient ENABLE TRIGGER USER")


def poor(world: PartnerWorld) -> str:
    """Return the id of a new account with nothing in it."""
    with STAGE.as_role("migrator"):
        name = fresh_key()[:20]
        account = set_up_account(
            actor=FOUNDER, portfolio=world.portfolio, name=name, currency="EUR", alias=name
        )
    return account.public_id
