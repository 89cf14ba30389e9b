"""JSON read exactly: no floats, no doubled names, nothing a database could not give back."""

import json
from typing import IO, Any, Final

from rest_framework.parsers import BaseParser

from accounts.frontdesk.errors import UnsupportedMedia
from audit.canonical import Json
from audit.errors import Invalid

DEPTH_MAX: Final = 8
DIGITS_MAX: Final = 30
NAME_CHARACTERS_MAX: Final = 64
PROBLEMS_MAX: Final = 20
BODY: Final = "body"
UTF8: Final = frozenset({"", "utf-8", "utf8"})


class _NotExact:
    """Stands where a number was that has no exact value; `why` says so in the refusal."""

    def __init__(self, why: str) -> None:
        self.why = why


class _Doubled(dict[str, Any]):
    """An object that named one of its fields twice."""

    name: str = ""


class ExactJsonParser(BaseParser):
    """`application/json` in UTF-8, as `read_json` reads it."""

    media_type = "application/json"

    def parse(  # noqa: PLR0917 - REST framework's signature
        self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Json]:
        """Return the body's object. Refuses with UnsupportedMedia or Invalid."""
        del parser_context
        _, _, parameters = (media_type or "").partition("charset=")
        if parameters.split(";")[0].strip(' "').lower() not in UTF8:
            raise UnsupportedMedia(wanted="application/json in UTF-8")
        try:
            raw = stream.read()
        except OSError as error:
            raise Invalid(fields={BODY: "ended before all of it had arrived"}) from error
        return read_json(raw)


def read_json(raw: bytes) -> dict[str, Json]:
    """Return the object that `raw` spells; Invalid naming each field that is not exact."""
    try:
        found = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_pairs,
            parse_float=lambda _: _NotExact("must be a whole number"),
            parse_int=_whole,
            parse_constant=lambda name: _NotExact(f"{name} is not JSON"),
        )
    except (ValueError, RecursionError) as error:
        raise Invalid(fields={BODY: _reason(error)}) from error
    problems: dict[str, str] = {}
    _inspect(found, path="", depth=0, problems=problems)
    if problems:
        raise Invalid(fields=problems)
    if not isinstance(found, dict):
        raise Invalid(fields={BODY: "must be a JSON object"})
    return found


def shown_name(name: str) -> str:
    """Return a field's name as it may be repeated in an answer: short, printable ASCII."""
    safe = name.encode("ascii", "backslashreplace").decode()
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in safe)[
        :NAME_CHARACTERS_MAX
    ]


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    doubled = _Doubled(found)
    doubled.name = next(name for name in names if names.count(name) > 1)
    return doubled


def _whole(text: str) -> int | _NotExact:
    if len(text) > DIGITS_MAX:
        return _NotExact("has too many digits")
    return int(text)


def _reason(error: Exception) -> str:
    match error:
        case RecursionError():
            return f"is nested deeper than {DEPTH_MAX} levels"
        case UnicodeDecodeError():
            return "is not UTF-8"
        case json.JSONDecodeError():
            return f"is not JSON: {error.msg} at character {error.pos}"
        case _:
            return "is not JSON"


def _inspect(value: object, *, path: str, depth: int, problems: dict[str, str]) -> None:
    """Collect under its path what is wrong with `value` and everything inside it."""
    here = path or BODY
    if len(problems) >= PROBLEMS_MAX:
        return
    if depth > DEPTH_MAX:
        problems[here] = f"is nested deeper than {DEPTH_MAX} levels"
        return
    match value:
        case _NotExact():
            problems[here] = value.why
        case str() if not is_storable(value):
            problems[here] = "holds a character that is not allowed"
        case list():
            for index, item in enumerate(value):
                _inspect(item, path=f"{here}[{index}]", depth=depth + 1, problems=problems)
        case dict():
            _inspect_object(value, path=path, depth=depth, problems=problems)
        case _:
            pass


def _inspect_object(
    found: dict[str, Any], *, path: str, depth: int, problems: dict[str, str]
) -> None:
    if isinstance(found, _Doubled):
        problems[_join(path, found.name)] = "is given twice"
    for name, item in found.items():
        if not is_storable(name):
            problems[_join(path, name)] = "is a name with a character that is not allowed"
        _inspect(item, path=_join(path, name), depth=depth + 1, problems=problems)


def _join(path: str, name: str) -> str:
    return f"{path}.{shown_name(name)}" if path else shown_name(name)


def is_storable(text: str) -> bool:
    """Say whether PostgreSQL and UTF-8 can give `text` back unchanged."""
    if "\x00" in text:
        return False
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)
