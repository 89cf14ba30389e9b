"""One key, one execution, one answer: what the door hands to a command as `once=`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final, cast

from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.settings import api_settings

from accounts.crypto.codec import seal, unseal
from accounts.errors import AlreadyProcessed, KeyInFlight, KeyReused
from accounts.frontdesk.errors import KeyRequired
from accounts.keys import client_scope, hash_of, origin_of, route_scope
from accounts.models import IdempotencyKey
from accounts.selectors.idempotency import is_locked, kept_key, uses_of_key
from audit.actors import Actor
from audit.calls import Call
from audit.canonical import Json, fingerprint
from audit.commands import AlreadyDone
from audit.errors import Fault, Invalid, Refusal
from audit.typeids import uuid7

HEADER: Final = "Idempotency-Key"
KEY: Final = re.compile(r"[\x21-\x7e]{16,255}")
QUOTED: Final = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
KEY_RULE: Final = "must be 16 to 255 visible ASCII characters, bare or as one quoted string"
ANSWER_BYTES_MAX: Final = 64 * 1024
API_VERSION: Final = "1"
TABLE: Final = IdempotencyKey._meta.db_table  # noqa: SLF001


class AnswerTooLong(Fault):
    """An endpoint rendered more than we keep; it must not take keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a caller got: status, exact body, and the path of what was made or changed."""

    status: int
    body: bytes
    resource: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A call that takes a key: its method, path with `{id}` for the variable part, and renderer.

    `render` turns the command's result into the answer, inside the command's transaction.
    """

    method: str
    path: str
    render: Callable[[Any], Answer]


class KeyedCall:
    """One call under its key, as a command sees it (`audit.commands.Once`).

    The key is locked by an advisory lock of the command's transaction: a crash
    frees it, and there is no clock in it. Its row is written with the effect, so
    the unique constraint is the second line, across a fail-over too.
    """

    def __init__(self, request: Request, *, actor: Actor, route: Route) -> None:
        """Read key and request; KeyRequired or Invalid where the header does not hold one."""
        self.book_id = actor.book
        self.route = route
        self.scope = route_scope(actor, method=route.method, path=route.path)
        key = key_of(request.headers.get(HEADER))
        self.key_hash = hash_of(key)
        self.lock_id = _lock_id(actor, key_hash=self.key_hash)
        self.fingerprint = _fingerprint(request)
        self.answer: Answer | None = None

    @property
    def once(self) -> dict[str, Any]:
        """Return this call as the argument that every command takes."""
        return {"once": self}

    @property
    def origin(self) -> str:
        """Return the one cause of whatever the command makes."""
        return origin_of(self.scope, key_hash=self.key_hash)

    @property
    def claim(self) -> Call:
        """Return the call that locks the key until the transaction ends and looks it up."""
        values = (self.lock_id, self.scope, self.key_hash)
        return Call(sql="idempotency_claim(%s, %s, %s)", values=values)

    def is_answered(self, found: str) -> bool:
        """Say whether the key has an answer. KeyInFlight, KeyReused, AlreadyProcessed."""
        if found == "in_flight":
            raise KeyInFlight
        if found == "free":
            return False
        kept = kept_key(self.scope, key_hash=self.key_hash)
        if bytes(kept.fingerprint) != self.fingerprint:
            raise KeyReused
        if kept.answer is None:
            raise AlreadyProcessed(resource=kept.resource)
        place = _place(kept.pk, scope=self.scope)
        body = unseal(bytes(kept.answer), key=settings.ANSWER_KEY, place=place)
        self.answer = Answer(status=kept.status, body=body, resource=kept.resource)
        return True

    def keep(self, result: object) -> Call:
        """Render `result` and return the call that stores it under the key."""
        return self._store(self.route.render(result))

    def keep_refusal(self, refusal: Refusal) -> Call:
        """Return the call that stores a lasting refusal, in the very bytes it is shown in."""
        show = cast("Callable[..., HttpResponse]", api_settings.EXCEPTION_HANDLER)
        shown = show(refusal, {})
        return self._store(Answer(status=shown.status_code, body=shown.content))

    def _store(self, answer: Answer) -> Call:
        if len(answer.body) > ANSWER_BYTES_MAX:
            raise AnswerTooLong(f"{self.route.path}: {len(answer.body)} bytes")
        key = uuid7()
        place = _place(key, scope=self.scope)
        self.answer = answer
        return Call(
            sql="idempotency_keep(%s, %s, %s, %s, %s, %s, %s, %s)",
            values=(
                key,
                self.book_id,
                self.scope,
                self.key_hash,
                self.fingerprint,
                answer.resource,
                answer.status,
                bytes(seal(answer.body, key=settings.ANSWER_KEY, place=place)),
            ),
            rules={"idempotency_key_once": KeyInFlight()},
        )


def answer_once(
    request: Request, *, actor: Actor, route: Route, act: Callable[[KeyedCall], object]
) -> HttpResponse:
    """Run `act` with the call's key, or show again, byte for byte, what it answered before."""
    call = KeyedCall(request, actor=actor, route=route)
    try:
        act(call)
    except AlreadyDone:
        return _shown(call, is_replayed=True)
    return _shown(call, is_replayed=False)


def key_of(text: str | None) -> str:
    """Return the key a header or path spells, quoted (RFC 8941) or bare. KeyRequired, Invalid."""
    if not text:
        raise KeyRequired
    key = text
    if text.startswith('"'):
        quoted = QUOTED.fullmatch(text)
        key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else ""
    if not KEY.fullmatch(key):
        raise Invalid(fields={HEADER: KEY_RULE})
    return key


def hash_spelled(text: str) -> bytes | None:
    """Return what is kept of the key that `text` spells; None where it spells none."""
    try:
        return hash_of(key_of(text))
    except Refusal:
        return None


def fingerprint_alone(body: dict[str, Json], *, route: Route) -> bytes:
    """Return the fingerprint that `body` would have as a request of its own on `route`."""
    return _print_of(
        method=route.method, path=route.path, query=[], content_type="application/json", body=body
    )


def look_up(text: str, *, actor: Actor) -> tuple[bool, list[IdempotencyKey]]:
    """Say whether this client's key is being worked on, and return every use it had."""
    key_hash = hash_of(key_of(text))
    is_in_flight = is_locked(_lock_id(actor, key_hash=key_hash))
    return is_in_flight, list(uses_of_key(key_hash, client_scope=client_scope(actor)))


def _lock_id(actor: Actor, *, key_hash: bytes) -> int:
    """Return the advisory lock of a client's key, the same on every route."""
    digest = sha256(b"idempotency\n" + client_scope(actor).encode() + key_hash).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _fingerprint(request: Request) -> bytes:
    """Return what makes two requests the same: white space and the order of names do not."""
    query: list[Json] = [
        [name, value]
        for name in sorted(request.query_params)
        for value in request.query_params.getlist(name)
    ]
    return _print_of(
        method=request.method or "",
        path=request.path,
        query=query,
        content_type=(request.content_type or "").partition(";")[0].strip().lower(),
        body=dict(request.data),
    )


def _print_of(
    *, method: str, path: str, query: list[Json], content_type: str, body: dict[str, Json]
) -> bytes:
    return fingerprint(
        {
            "method": method,
            "path": path,
            "query": query,
            "content_type": content_type,
            "body": body,
            "version": API_VERSION,
        }
    )


def _place(key: object, *, scope: str) -> tuple[str, ...]:
    return (TABLE, "answer", str(key), scope)


def _shown(call: KeyedCall, *, is_replayed: bool) -> HttpResponse:
    if call.answer is None:
        raise Fault(f"{call.route.path} was answered without an answer")
    is_problem = call.answer.status >= HTTPStatus.BAD_REQUEST
    media_type = "application/problem+json" if is_problem else "application/json"
    response = HttpResponse(call.answer.body, status=call.answer.status, content_type=media_type)
    if call.answer.resource and not is_problem:
        response["Location"] = call.answer.resource
    if is_replayed:
        response["Idempotent-Replayed"] = "true"
    return response
