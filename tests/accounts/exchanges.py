"""A row of the conformance table: some requests in order, and what each must be answered."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Final

from tests.accounts.key_holders import executed
from tests.partners import PartnerWorld, fresh_key

PATH: Final = "/v1/transfers"
MADE: Final = "{made}"
JSON: Final = "application/json"


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request and its answer: a status, a code where refused, and whether it was replayed.

    `key` is a label: the same label is the same fresh key all through a row; `spell` writes it
    into the header. `same` says whose very bytes the answer repeats. In `path`, `{made}` is what
    the row's first request made, and `{key}` the key under label `a`.
    """

    status: int
    code: str = ""
    key: str | None = "a"
    spell: Callable[[str], str] = str
    path: str = PATH
    body: Mapping[str, Any] | bytes | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    write: Callable[[Any], bytes] = lambda body: json.dumps(body).encode()
    by: str = "acme"
    scope: str = ""
    token: str = ""
    content_type: str = JSON
    is_replay: bool = False
    same: int | None = None
    during: Callable[[PartnerWorld, str], AbstractContextManager[object]] | None = None
    says: Mapping[str, Any] = field(default_factory=dict)
    method: str = "POST"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One case of a rule: what it shows, the requests, and how many transfers they make."""

    rule: int
    what: str
    asks: tuple[Ask, ...]
    made: int = 1

    def __str__(self) -> str:
        """Name the case."""
        return f"I{self.rule} {self.what}"


def play(row: Row, *, worlds: Mapping[str, PartnerWorld]) -> None:
    """Send a row's requests as login cs_api, one by one, and hold each answer against the row."""
    keys: dict[str, str] = {}
    answers: list[Any] = []
    before = executed()
    for number, ask in enumerate(row.asks):
        answer = _send(ask, worlds=worlds, keys=keys, answers=answers)
        said = f"request {number}: {answer.status_code} {answer.content[:300]!r}"
        assert answer.status_code == ask.status, said
        assert answer.get("Idempotent-Replayed") == ("true" if ask.is_replay else None), said
        _hold(answer, ask=ask, answers=answers)
        answers.append(answer)
    assert executed() - before == row.made


def _send(
    ask: Ask, *, worlds: Mapping[str, PartnerWorld], keys: dict[str, str], answers: list[Any]
) -> Any:
    world = worlds[ask.by]
    key = keys.setdefault(ask.key, fresh_key()) if ask.key else ""
    made = answers[0].json().get("id", "") if answers else ""
    path = ask.path.format(made=made, key=keys.get("a", ""))
    headers = {"Idempotency-Key": ask.spell(key)} if ask.key else {}
    if ask.token:
        headers["Authorization"] = ask.token
    body = ask.body if ask.body is not None else world.internal(**ask.changes)
    is_empty = ask.method == "GET" or ask.path != PATH
    sent = None if is_empty else body if isinstance(body, bytes) else ask.write(body)
    with ask.during(world, key) if ask.during else nullcontext():
        return world.call(
            ask.method,
            path,
            body=sent,
            headers=headers,
            content_type="" if is_empty else ask.content_type,
            token=world.token(ask.scope) if ask.scope else None,
        )


def _hold(answer: Any, *, ask: Ask, answers: list[Any]) -> None:
    if ask.code:
        assert answer.json()["code"] == ask.code
    if ask.same is not None:
        assert answer.content == answers[ask.same].content
        assert answer["Content-Type"] == answers[ask.same]["Content-Type"]
    for name, value in ask.says.items():
        assert answer.json()[name] == value
