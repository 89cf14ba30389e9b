"""Requests under keys, good and bad, and the rows of cases that are made of them."""

import json
from typing import Any, Final

from tests.accounts.exchanges import PATH, Ask, Row

CANCEL: Final = f"{PATH}/{{made}}/cancel"
LOOK_UP: Final = "/v1/idempotency-keys/{key}"
NOTHING: Final = "acc_00000000000000000000000000"


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


def bad_keys() -> list[Row]:
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


def same_requests() -> list[Row]:
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


def other_requests() -> list[Row]:
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


def not_stored() -> list[Row]:
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
