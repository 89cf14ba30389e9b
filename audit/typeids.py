"""Public names of rows: a type prefix and a UUIDv7, spelled as a TypeID. Pure.

TypeID 0.3 (prefix, underscore, 26 characters of Crockford base 32) by way of
`typeid-python`; keys inside are plain UUIDs.
"""

from functools import lru_cache
from typing import Final
from uuid import UUID

import uuid_utils
from typeid import TypeID
from typeid.errors import TypeIDException

TYPEID_CHARS_MAX: Final = 90
REMEMBERED: Final = 4_096  # an id is read and spelled several times in the act that is about it


def uuid7() -> UUID:
    """Return a fresh UUIDv7 (RFC 9562), made in this process."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


@lru_cache(maxsize=REMEMBERED)
def typeid(prefix: str, key: UUID) -> str:
    """Return `key` as it is shown outside, e.g. `trf_01k…`."""
    return str(TypeID.from_uuid(prefix=prefix, suffix=uuid_utils.UUID(bytes=key.bytes)))


def parse_typeid(prefix: str, text: object) -> UUID:
    """Return the key inside `text`; a ValueError unless it is a `prefix` TypeID, spelled so."""
    if not isinstance(text, str) or len(text) > TYPEID_CHARS_MAX or not text.isascii():
        raise ValueError(f"not a {prefix} id")
    return _parsed(prefix, text)


@lru_cache(maxsize=REMEMBERED)
def _parsed(prefix: str, text: str) -> UUID:
    """Return the key inside a text of plain and few characters; a ValueError is not remembered."""
    try:
        found = TypeID.from_string(text)
    except (TypeIDException, ValueError, KeyError, IndexError) as error:
        raise ValueError(f"not a {prefix} id") from error
    key = UUID(bytes=found.uuid.bytes)
    if found.prefix != prefix or typeid(prefix, key) != text:
        raise ValueError(f"not a {prefix} id")
    return key
