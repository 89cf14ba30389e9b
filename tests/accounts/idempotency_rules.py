"""The twenty rules of idempotency keys, and the cases that hold us to them."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.models import IdempotencyKey
from accounts.services.keeping import ANSWERS_KEPT, empty_answers
from audit.calls import Call
from tests.accounts.exchanges import PATH, Ask, Row
from tests.accounts.key_holders import somebody_else_holding
from tests.conftest import STAGE
from tests.partners import PartnerWorld

CANCEL: Final = f"{PATH}/{{made}}/cancel"
LOOK_UP: Final = "/v1/idempotency-keys/{key}"
NOTHING: Final = "acc_00000000000000000000000000"
# A rule without a case here, and why: what it speaks of is built elsewhere or held elsewhere.
ELSEWHERE: Final[dict[int, str]] = {
    17: "there are no batches at this door yet",
    18: "nothing calls from outside: tests/races and tests/integrations hold it",
    19: "there are no batches and no 202 at this door yet",
}


def once(status: int = 201, **options: Any) -> Ask:
    """Return a request that is done for the first time."""
    return Ask(status=status, **options)


def again(status: int = 201, **options: Any) -> Ask:
    """Return a request that gets the first one's very answer."""
    return Ask(status=status, is_replay=True, **{"same": 0, **options})


def refused(status: int, code: str, **options: Any) -> Ask:
    """Return a request that is refused."""
    return Ask(status=status, code=code, **options)


def quoted(key: str) -> str:
    """Spell a key as RFC 8941 spells strings."""
    return f'"{key}"'


def _bad_keys() -> list[Row]:
    spellings = {
        "15 characters": lambda key: key[:15],
        "256 characters": lambda _: "a" * 256,
        "a space inside": lambda key: f"{key[:20]} {key[20:]}",
        "a quote that never closes": lambda key: f'"{key}',
        "two strings": lambda key: f'"{key}""{key}"',
        "a parameter behind": lambda key: f'"{key}";x=1',
        "letters beyond ASCII": lambda key: f"{key}ä",
        "15 characters in quotes": lambda key: f'"{key[:15]}"',
        "an escape that is none": lambda key: f'"\\{key}"',
        "nothing in quotes": lambda _: '""',
    }
    return [
        Row(rule=2, what=f"{name} is no key", asks=(refused(400, "invalid", spell=spell),), made=0)
        for name, spell in spellings.items()
    ]


def _same_requests() -> list[Row]:
    writings = {
        "indented": lambda body: json.dumps(body, indent=4).encode(),
        "in another order": lambda body: json.dumps(dict(reversed(body.items()))).encode(),
        "without white space": lambda body: json.dumps(body, separators=(",", ":")).encode(),
        "with white space round it": lambda body: b" \r\n\t" + json.dumps(body).encode() + b"\n",
        "with escapes": lambda body: json.dumps(body, ensure_ascii=True).encode(),
    }
    plain = {"reference": "Käse"}
    first = once(changes=plain, write=lambda body: json.dumps(body, ensure_ascii=False).encode())
    return [
        Row(rule=4, what=f"the same JSON {name}", asks=(first, again(changes=plain, write=write)))
        for name, write in writings.items()
    ]


def _other_requests() -> list[Row]:
    changes = {
        "another amount": {"amount_minor": 101},
        "another reference": {"reference": "another"},
        "an empty reference": {"reference": ""},
        "empty metadata": {"metadata": {}},
        "other metadata": {"metadata": {"a": "b"}},
        "another currency": {"currency": "USD"},
    }
    return [
        Row(
            rule=5,
            what=f"{name} is another request",
            asks=(once(), refused(422, "key_reused", changes=change)),
        )
        for name, change in changes.items()
    ]


def _not_stored() -> list[Row]:
    failures = {
        "no token": refused(401, "unauthenticated", token="none"),
        "an unknown token": refused(401, "unauthenticated", token="Bearer nonsense"),
        "no scope for it": refused(403, "not_permitted", scope="accounts:read"),
        "an amount of nothing": refused(400, "invalid", changes={"amount_minor": 0}),
        "a fraction": refused(400, "invalid", changes={"amount_minor": 1.5}),
        "an unknown account": refused(404, "not_found", changes={"source_account": NOTHING}),
        "another type of body": refused(415, "unsupported_media_type", content_type="text/plain"),
        "a name twice": refused(400, "invalid", body=b'{"kind":"internal","kind":"internal"}'),
        "no JSON": refused(400, "invalid", body=b"{"),
    }
    return [
        Row(rule=8, what=f"{name} leaves the key free", asks=(ask, once()))
        for name, ask in failures.items()
    ]


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


LATE: Final = refused(409, "already_processed", during=three_days_later)
RICHER: Final = {"amount_minor": 10**15}
TABLE: Final[tuple[Row, ...]] = (
    Row(rule=1, what="no key", asks=(refused(400, "key_required", key=None),), made=0),
    Row(
        rule=1,
        what="no key to call a transfer off",
        asks=(once(), refused(400, "key_required", key=None, path=CANCEL)),
    ),
    Row(
        rule=1,
        what="an empty key",
        asks=(refused(400, "key_required", spell=lambda _: ""),),
        made=0,
    ),
    Row(rule=2, what="16 characters are a key", asks=(once(spell=lambda key: key[:16]),)),
    Row(
        rule=2,
        what="255 characters are a key",
        asks=(once(spell=lambda key: key.ljust(255, "x")),),
    ),
    Row(rule=2, what="quoted and bare are the same key", asks=(once(), again(spell=quoted))),
    Row(
        rule=2,
        what="an escaped quote is a quote",
        asks=(
            once(spell=lambda key: f'{key}"'),
            again(spell=lambda key: f'"{key}\\""'),
        ),
    ),
    *_bad_keys(),
    Row(rule=3, what="another partner's key is another", asks=(once(), once(by="globex")), made=2),
    Row(
        rule=3,
        what="another account of the partner is another",
        asks=(once(), once(by="sibling")),
        made=2,
    ),
    Row(
        rule=3,
        what="another route is another",
        asks=(once(), refused(409, "wrong_state", path=CANCEL)),
    ),
    Row(
        rule=3,
        what="a rotated client is of the same account",
        asks=(once(), again(by="rotated")),
    ),
    Row(
        rule=3,
        what="the client before is of the rotated one's account",
        asks=(once(by="rotated"), again()),
    ),
    Row(
        rule=3,
        what="another payload by a rotated client is refused",
        asks=(once(), refused(422, "key_reused", by="rotated", changes={"amount_minor": 7})),
    ),
    *_same_requests(),
    Row(
        rule=4,
        what="a charset is no difference",
        asks=(once(), again(content_type="application/json; charset=utf-8")),
    ),
    *_other_requests(),
    Row(
        rule=5,
        what="numbers that a double cannot tell apart are two requests",
        asks=(
            refused(409, "insufficient_funds", changes={"amount_minor": 2**53}),
            refused(422, "key_reused", changes={"amount_minor": 2**53 + 1}),
        ),
        made=0,
    ),
    Row(
        rule=6,
        what="in flight is a conflict, and then free",
        asks=(refused(409, "key_in_flight", during=held, says={"retryable": True}), once()),
    ),
    Row(
        rule=6,
        what="in flight under another spelling",
        asks=(refused(409, "key_in_flight", during=held, spell=quoted), once()),
    ),
    Row(
        rule=6,
        what="in flight at a rotated client",
        asks=(refused(409, "key_in_flight", during=held, by="rotated"), once()),
    ),
    Row(rule=7, what="a replay is the same bytes", asks=(once(), again(), again())),
    Row(
        rule=7,
        what="a replay of letters beyond ASCII",
        asks=(once(changes={"reference": "Ünïcode ✓"}), again(changes={"reference": "Ünïcode ✓"})),
    ),
    *_not_stored(),
    Row(
        rule=9,
        what="a lasting refusal sticks",
        asks=(
            refused(409, "insufficient_funds", changes=RICHER),
            again(409, code="insufficient_funds", changes=RICHER),
        ),
        made=0,
    ),
    Row(
        rule=9,
        what="a transfer that cannot be called off stays so",
        asks=(
            once(),
            refused(409, "wrong_state", path=CANCEL, key="b"),
            again(409, code="wrong_state", path=CANCEL, key="b", same=1),
        ),
    ),
    Row(
        rule=10,
        what="a fault of ours leaves the key unused",
        asks=(
            refused(500, "internal", during=failing(RuntimeError("planted"))),
            once(),
            again(same=1),
        ),
    ),
    Row(
        rule=10,
        what="a database that is away leaves the key unused",
        asks=(
            refused(503, "unavailable", during=failing(OperationalError("planted"))),
            once(),
            again(same=1),
        ),
    ),
    Row(
        rule=11,
        what="an answer that cannot be kept undoes the act",
        asks=(refused(500, "internal", during=too_long),),
        made=0,
    ),
    Row(rule=12, what="a dead holder frees the key at once", asks=(once(during=died),)),
    Row(
        rule=14,
        what="an answer of another row does not open",
        asks=(once(key="b"), once(), refused(500, "internal", during=swapped)),
        made=2,
    ),
    Row(
        rule=15,
        what="after 72 hours it is done and not done again",
        asks=(once(), LATE, refused(409, "already_processed")),
    ),
    Row(
        rule=15,
        what="after 72 hours another payload is still refused",
        asks=(once(), LATE, refused(422, "key_reused", changes={"amount_minor": 7})),
    ),
    Row(
        rule=15,
        what="after 72 hours the look-up still tells what was made",
        asks=(once(), LATE, Ask(status=200, method="GET", path=LOOK_UP)),
    ),
    Row(
        rule=20,
        what="without lock and look-up the rows let one through",
        asks=(once(), Ask(status=409, during=unlocked)),
    ),
    Row(
        rule=13,
        what="a replay asks for the scope again",
        asks=(once(), refused(403, "not_permitted", scope="transfers:read"), again()),
    ),
    Row(
        rule=13,
        what="a replay asks for a token again",
        asks=(once(), refused(401, "unauthenticated", token="Bearer nonsense")),
    ),
    Row(
        rule=16,
        what="an unknown key is not there",
        asks=(refused(404, "not_found", method="GET", path="/v1/idempotency-keys/" + "x" * 20),),
        made=0,
    ),
    Row(
        rule=16,
        what="a key in flight is in flight, on whatever route",
        asks=(
            once(key="b"),
            Ask(
                status=200,
                method="GET",
                path=LOOK_UP,
                during=held,
                key="a",
                says={"state": "in_flight", "uses": []},
            ),
        ),
    ),
    Row(
        rule=16,
        what="a rotated client looks up the account's keys",
        asks=(
            once(),
            Ask(status=200, method="GET", path=LOOK_UP, by="rotated", says={"state": "answered"}),
        ),
    ),
    Row(
        rule=16,
        what="another account's key is not there",
        asks=(once(), refused(404, "not_found", method="GET", path=LOOK_UP, by="sibling")),
    ),
    Row(
        rule=16,
        what="another partner's key is not there",
        asks=(once(), refused(404, "not_found", method="GET", path=LOOK_UP, by="globex")),
    ),
)
