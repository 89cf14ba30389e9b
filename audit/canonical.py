"""The one byte encoding of JSON values. Pure: no Django, no clock.

RFC 8785 (JCS) key order and escapes, with one difference: integers are kept
exact at any size and floats are refused, because two amounts above 2^53 must
never share a spelling.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Final, TypeAlias, cast

import msgspec

from audit.errors import Fault

Scalar: TypeAlias = str | int | bool | None
Json: TypeAlias = "Scalar | list[Json] | dict[str, Json]"

ENTRY_DOMAIN: Final = b"countersign.audit.entry.v1\n"
DEPTH_MAX: Final = 32
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


class NotCanonical(Fault):
    """A value has no single spelling as bytes."""


def canonical(value: Json) -> bytes:
    """Return the only spelling of `value`; NotCanonical for floats, NUL and lone surrogates."""
    if _is_simple(value, depth=0):
        # The library's encoder spells this much the same, and many times as fast.
        with suppress(UnicodeEncodeError):
            return _ENCODER.encode(value)
    _check(value, path="$", depth=0)
    return _spell(value).encode()


def canonical_of_plain(value: Json) -> str:
    """Return the same spelling, quicker, of a value that `plain` made: exact but for its text."""
    with suppress(UnicodeEncodeError):
        text = _ENCODER.encode(value)
        # All ASCII: its keys sort alike in every order, and no escape stands for a NUL.
        if text.isascii() and b"\\u0000" not in text:
            return text.decode()
    return canonical(value).decode()


def encode(body: Mapping[str, Json]) -> bytes:
    """Return the bytes that stand for the audit entry `body`."""
    return ENTRY_DOMAIN + canonical(dict(body))


def decode(raw: bytes) -> dict[str, Json]:
    """Return the body written by `encode`; refuse any other spelling of it."""
    if not raw.startswith(ENTRY_DOMAIN):
        raise NotCanonical("unknown domain")
    body: dict[str, Json] = json.loads(raw.removeprefix(ENTRY_DOMAIN))
    if encode(body) != raw:
        raise NotCanonical("not the canonical spelling")
    return body


def fingerprint(value: Json) -> bytes:
    """Return SHA-256 over the canonical spelling of `value`."""
    return sha256(canonical(value)).digest()


def _is_simple(value: object, *, depth: int) -> bool:
    """Say whether `value` is exact and its keys sort alike in every order: all of them ASCII."""
    kind = type(value)
    if kind is str:
        return "\x00" not in cast("str", value)
    if kind is dict:
        return depth < DEPTH_MAX and all(
            type(key) is str
            and key.isascii()
            and "\x00" not in key
            and _is_simple(item, depth=depth + 1)
            for key, item in cast("dict[object, object]", value).items()
        )
    if kind is list:
        items = cast("list[object]", value)
        return depth < DEPTH_MAX and all(_is_simple(item, depth=depth + 1) for item in items)
    return value is None or kind is int or kind is bool


def _spell(value: Json) -> str:
    if isinstance(value, dict):
        # RFC 8785 sorts by UTF-16 code units, which differs from code points above U+FFFF.
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{_text(key)}:{_spell(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_spell, value)) + "]"
    return _text(value)


def _text(value: Scalar) -> str:
    return json.dumps(value, ensure_ascii=False)


def _check(value: object, *, path: str, depth: int) -> None:
    """Refuse what has no exact spelling, naming where it sits."""
    if depth > DEPTH_MAX:
        raise NotCanonical(f"{path}: deeper than {DEPTH_MAX}")
    match value:
        case None | bool() | int():
            pass
        case str():
            _check_text(value, path=path)
        case list():
            for index, item in enumerate(value):
                _check(item, path=f"{path}[{index}]", depth=depth + 1)
        case dict():
            for key, item in value.items():
                _check_text(key, path=f"{path} key")
                _check(item, path=f"{path}.{key}", depth=depth + 1)
        case _:
            raise NotCanonical(f"{path}: {type(value).__name__} has no canonical form")


def _check_text(value: object, *, path: str) -> None:
    """Refuse anything PostgreSQL or UTF-8 could not give back unchanged."""
    if not isinstance(value, str):
        raise NotCanonical(f"{path}: {value!r} is not text")
    if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise NotCanonical(f"{path}: NUL or lone surrogate")
