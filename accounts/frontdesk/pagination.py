"""Cursor pages: a cursor names the last row seen, so no page counts or skips rows."""

import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeVar
from uuid import UUID

from rest_framework.request import Request

from accounts.frontdesk.parsing import shown_name
from accounts.selectors.mailbox import START, Position
from audit.errors import Invalid

R = TypeVar("R")

LIMIT_DEFAULT: Final = 25
LIMIT_MAX: Final = 100
LIMIT: Final = re.compile(r"[1-9][0-9]{0,2}")
XACT_MAX: Final = 2**63 - 1
_ROW: Final = struct.Struct(">c16s")
_PLACE: Final = struct.Struct(">cQ16s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What part of a list was asked for: at most `limit` rows beyond `cursor`."""

    limit: int
    cursor: str


def page_of(request: Request, *, also: str = "") -> Page:
    """Return the page a request asks for; Invalid naming any other or doubled parameter.

    `also` is a parameter that the caller reads itself.
    """
    query: Mapping[str, str] = request.query_params
    known = {"limit", "cursor", also}
    problems = {
        shown_name(name): "is not a parameter here" if name not in known else "twice"
        for name in query
        if name not in known or len(request.query_params.getlist(name)) > 1
    }
    limit = query.get("limit", str(LIMIT_DEFAULT))
    if not LIMIT.fullmatch(limit) or int(limit) > LIMIT_MAX:
        problems["limit"] = f"must be a whole number from 1 to {LIMIT_MAX}"
    if problems:
        raise Invalid(fields=problems)
    return Page(limit=int(limit), cursor=query.get("cursor", ""))


def no_parameters(request: Request) -> None:
    """Refuse any query parameter, naming it."""
    if request.query_params:
        raise Invalid(
            fields={shown_name(name): "is not a parameter here" for name in request.query_params}
        )


def row_of(cursor: str) -> UUID | None:
    """Return the row a cursor names, None for the first page; Invalid if we never made it."""
    if not cursor:
        return None
    kind, row = _opened(cursor, shape=_ROW)
    if kind != b"r":
        _refuse()
    return UUID(bytes=row)


def place_of(cursor: str) -> Position:
    """Return the place in the feed a cursor names, its start without one."""
    if not cursor:
        return START
    kind, xact, row = _opened(cursor, shape=_PLACE)
    if kind != b"p" or xact > XACT_MAX:
        _refuse()
    return Position(xact=xact, id=UUID(bytes=row))


def row_cursor(key: UUID) -> str:
    """Return the cursor that names a row."""
    return _sealed(_ROW.pack(b"r", key.bytes))


def place_cursor(position: Position) -> str:
    """Return the cursor that names a place in the feed."""
    return _sealed(_PLACE.pack(b"p", position.xact, position.id.bytes))


def shown_page(
    rows: Sequence[R], *, page: Page, show: Callable[[R], object], key: Callable[[R], UUID]
) -> dict[str, object]:
    """Return one page of JSON from up to `limit + 1` rows: the extra one says there is more."""
    shown, has_more = rows[: page.limit], len(rows) > page.limit
    return {
        "data": [show(row) for row in shown],
        "has_more": has_more,
        "next_cursor": row_cursor(key(shown[-1])) if has_more else None,
    }


def _sealed(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _opened(cursor: str, *, shape: struct.Struct) -> tuple[Any, ...]:
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        parts = shape.unpack(raw)
    except (UnicodeEncodeError, NotBase64, struct.error):
        _refuse()
    if _sealed(raw) != cursor:
        _refuse()
    return parts


def _refuse() -> NoReturn:
    raise Invalid(fields={"cursor": "is not one that we gave out"})
