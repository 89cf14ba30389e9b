"""What is let go of after its time: stored answers, never their keys, and expired tokens."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from allauth.idp.oidc.models import Token
from django.db import ProgrammingError, connection
from django.utils import timezone

from accounts.models import IdempotencyKey
from accounts.services import keeping
from accounts.services.keeping import ANSWERS_KEPT, TOKENS_KEPT
from accounts.tasks import let_go
from tests.conftest import STAGE
from tests.partners import PartnerWorld, acme

__all__ = ["acme"]
pytestmark = pytest.mark.role("api")
A_SECOND = timedelta(seconds=1)
MANY = 60


@pytest.fixture
def keys(acme: PartnerWorld) -> Iterator[list[IdempotencyKey]]:
    """Five used keys, from just answered to long ago."""
    made = [acme.post("/v1/transfers", acme.internal()).json()["id"] for _ in range(5)]
    rows = [IdempotencyKey.objects.get(resource__endswith=each) for each in made]
    with STAGE.as_role("migrator"):
        for row, age in zip(rows, _ages(), strict=True):
            IdempotencyKey.objects.filter(pk=row.pk).update(created_at=timezone.now() - age)
    with STAGE.as_role("worker"):
        yield rows
        keeping.empty_answers()


def _ages() -> list[timedelta]:
    return [
        timedelta(0),
        ANSWERS_KEPT - timedelta(minutes=1),
        ANSWERS_KEPT + A_SECOND,
        ANSWERS_KEPT * 2,
        ANSWERS_KEPT * 100,
    ]


@pytest.mark.parametrize("rows_a_batch", [1, 2, 1_000])
def test_answers_older_than_72_hours_are_emptied_and_their_keys_stay(
    keys: list[IdempotencyKey], monkeypatch: pytest.MonkeyPatch, rows_a_batch: int
) -> None:
    monkeypatch.setattr(keeping, "ROWS_A_BATCH", rows_a_batch)
    assert let_go() == 3
    kept = IdempotencyKey.objects.in_bulk([key.pk for key in keys])
    assert [kept[key.pk].answer is not None for key in keys] == [True, True, False, False, False]
    assert [kept[key.pk].resource for key in keys] == [key.resource for key in keys]
    assert let_go() == 0


def test_one_walk_is_bounded(keys: list[IdempotencyKey], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "ROWS_A_BATCH", 1)
    monkeypatch.setattr(keeping, "share", lambda: iter([True, True, False]).__next__)
    assert [keeping.empty_answers() for _ in range(3)] == [2, 1, 0]


def test_a_walk_goes_on_as_long_as_its_share_lasts(
    keys: list[IdempotencyKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    like, long_ago = keys[0], timezone.now() - ANSWERS_KEPT * 2
    with STAGE.as_role("migrator"):
        IdempotencyKey.objects.bulk_create(
            IdempotencyKey(
                book_id=like.book_id,
                scope="many",
                key_hash=bytes([number]) * 32,
                fingerprint=like.fingerprint,
                status=like.status,
                answer=b"old",
            )
            for number in range(MANY)
        )
        IdempotencyKey.objects.filter(scope="many").update(created_at=long_ago)
    monkeypatch.setattr(keeping, "ROWS_A_BATCH", 1)
    assert keeping.empty_answers() == MANY + 3
    with STAGE.as_role("migrator"):
        IdempotencyKey.objects.filter(scope="many").delete()


@pytest.mark.role("worker")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts_idempotencykey SET status = 200",
        "UPDATE accounts_idempotencykey SET created_at = now()",
        "DELETE FROM accounts_idempotencykey",
        "INSERT INTO accounts_idempotencykey SELECT * FROM accounts_idempotencykey",
    ],
)
def test_the_worker_can_empty_an_answer_and_nothing_else(acme: PartnerWorld, change: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(change)


def test_tokens_go_a_day_after_they_expired(acme: PartnerWorld) -> None:
    for scope in ("accounts:read", "transfers:read", "transfers:write"):
        acme.token(scope)
    now = timezone.now()
    with STAGE.as_role("migrator"):
        first, second, *_ = Token.objects.order_by("pk")
        Token.objects.filter(pk=first.pk).update(expires_at=now - TOKENS_KEPT - A_SECOND)
        Token.objects.filter(pk=second.pk).update(expires_at=now - timedelta(hours=1))
    before = Token.objects.count()
    with STAGE.as_role("worker"):
        assert [keeping.drop_tokens() for _ in range(2)] == [1, 0]
    assert Token.objects.count() == before - 1
    assert not Token.objects.filter(pk=first.pk).exists()
