"""What may happen while a key is used: others work, die, fail, and three days pass."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from hashlib import sha256

import pytest
from django.utils import timezone

from accounts.models import IdempotencyKey
from accounts.services.keeping import ANSWERS_KEPT, empty_answers
from audit.calls import Call
from tests.accounts.key_holders import somebody_else_holding
from tests.conftest import STAGE
from tests.partners import PartnerWorld


def held(world: PartnerWorld, key: str) -> AbstractContextManager[object]:
    """Let another connection work under the key meanwhile."""
    return somebody_else_holding(world, key=key)


@contextmanager
def died(world: PartnerWorld, key: str) -> Iterator[None]:
    """Let another connection that works under the key be killed first."""
    with somebody_else_holding(world, key=key) as other, STAGE.migrator() as server:
        server.execute("SELECT pg_terminate_backend(%s, 5000)", [other])
        yield


@contextmanager
def put(target: str, value: object) -> Iterator[None]:
    """Put something else in the place of a name meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(target, value)
        yield


def failing(error: Exception) -> Callable[..., AbstractContextManager[object]]:
    """Let the last step before the answer fail meanwhile."""

    def fail(*_: object, **__: object) -> None:
        raise error

    return lambda _world, _key: put("transactions.services.storing.publish_all", fail)


def too_long(_world: PartnerWorld, _key: str) -> AbstractContextManager[object]:
    """Let no answer be short enough to be kept meanwhile."""
    return put("accounts.frontdesk.idempotency.ANSWER_BYTES_MAX", 10)


@contextmanager
def unlocked(_world: PartnerWorld, _key: str) -> Iterator[None]:
    """Let neither lock nor look-up help, as where another server took over in between."""
    with put("accounts.frontdesk.idempotency.KeyedCall.claim", Call(sql="'free'")):
        yield


@contextmanager
def three_days_later(_world: PartnerWorld, key: str) -> Iterator[None]:
    """Let 72 hours pass for this key, and the worker walk by."""
    key_hash = sha256(key.encode()).digest()
    with STAGE.as_role("migrator"):
        IdempotencyKey.objects.filter(key_hash=key_hash).update(
            created_at=timezone.now() - ANSWERS_KEPT - timedelta(seconds=1)
        )
    with STAGE.as_role("worker"):
        empty_answers()
    yield


@contextmanager
def swapped(_world: PartnerWorld, key: str) -> Iterator[None]:
    """Put another row's sealed answer into this key's row."""
    key_hash = sha256(key.encode()).digest()
    with STAGE.as_role("migrator"):
        others = IdempotencyKey.objects.exclude(key_hash=key_hash).filter(answer__isnull=False)
        IdempotencyKey.objects.filter(key_hash=key_hash).update(answer=others[0].answer)
    yield
