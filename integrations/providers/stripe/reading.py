"""Reading Stripe's JSON strictly: every field we use has a shape and a limit, or it is refused.

A refusal names the path and the shape wanted, never the value, which may be personal.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import Final, NoReturn, cast

from transactions.meanings import NotUnderstood

BODY_BYTES_MAX: Final = 1 << 20
DEPTH_MAX: Final = 32
MEMBERS_MAX: Final = 1_000
PATH_CHARS_MAX: Final = 200
AMOUNT_MINOR_MAX: Final = 10**15
INSTANT_MIN: Final = 1_230_768_000  # 2009: before Stripe was
INSTANT_MAX: Final = 4_102_444_800  # 2100

_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_REF: Final = re.compile(r"([a-z]{2,8})_[A-Za-z0-9_]{1,110}", re.ASCII)
_CURRENCY: Final = re.compile(r"[a-z]{3}", re.ASCII)
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_DOTTED: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*", re.ASCII)
_DOTTED_CHARS_MAX: Final = 100


class _Repeated(list[tuple[str, object]]):
    """The members of an object that gives a key twice."""


class _Odd(Exception):
    """Something in a value that we do not take, and the steps to it, the last one first."""

    def __init__(self, reason: str, *steps: str | int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.steps = list(steps)

    @property
    def path(self) -> str:
        """Return the way to it from the top."""
        path = "$"
        for step in reversed(self.steps):
            path = f"{path}[{step}]" if isinstance(step, int) else _joined(path, step)
        return path


def strict_json(body: bytes) -> object:
    """Return the JSON value of `body`; NotUnderstood for bad UTF-8, repeated keys or depth."""
    if len(body) > BODY_BYTES_MAX:
        raise NotUnderstood(f"$: more than {BODY_BYTES_MAX} bytes")
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=_inexact,
            parse_constant=_not_json,
        )
    except (ValueError, RecursionError) as error:
        raise NotUnderstood("$: not JSON in UTF-8") from error
    try:
        if isinstance(value, dict | list):
            _check(value, depth=0)
    except _Odd as odd:
        raise NotUnderstood(f"{odd.path}: {odd.reason}") from odd
    return value


def _inexact(text: str) -> float:
    """Tolerate an exchange rate that we never use; every number that we do use is whole."""
    number = float(text)
    return number if math.isfinite(number) else _not_json(text)


def _not_json(_text: str) -> NoReturn:
    raise ValueError


def _object(members: list[tuple[str, object]]) -> object:
    found = dict(members)
    return found if len(found) == len(members) else _Repeated(members)


def _check(value: object, *, depth: int) -> None:
    """Refuse repeated keys and excess, all the way down."""
    if isinstance(value, _Repeated):
        keys = [key for key, _ in value]
        raise _Odd("given twice", next(key for key in keys if keys.count(key) > 1))
    if isinstance(value, list) and len(value) > MEMBERS_MAX:
        raise _Odd(f"more than {MEMBERS_MAX} members")
    inside = value.items() if isinstance(value, dict) else enumerate(cast("list[object]", value))
    for step, member in inside:
        if depth == DEPTH_MAX:
            raise _Odd(f"deeper than {DEPTH_MAX}", step)
        if isinstance(member, dict | list):
            try:
                _check(member, depth=depth + 1)
            except _Odd as odd:
                odd.steps.append(step)
                raise


def _joined(path: str, key: str) -> str:
    """Return the path of a member; an outlandish key is shown as `?`."""
    name = key if _PLAIN_KEY.fullmatch(key) else "?"
    return f"{path}.{name}"[:PATH_CHARS_MAX]


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a body and the way to it. Every reader below refuses by that path."""

    value: object
    top: str = "$"
    steps: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Return the way to it, spelled out: only a refusal asks."""
        return reduce(_joined, self.steps, self.top)

    def refuse(self, wanted: str) -> NoReturn:
        """Say that this value is not what was wanted."""
        raise NotUnderstood(f"{self.path}: want {wanted}")

    @property
    def is_absent(self) -> bool:
        """Say whether this is null or not there at all."""
        return self.value is None

    def at(self, *names: str) -> "Node":
        """Return the member reached by `names`; absent members read as null."""
        node = self
        for name in names:
            node = Node(node._object().get(name), node.top, (*node.steps, name))
        return node

    def items(self, *, most: int) -> Iterator["Node"]:
        """Yield the members of a list of at most `most`."""
        if not isinstance(self.value, list) or len(self.value) > most:
            self.refuse(f"a list of at most {most}")
        for index, member in enumerate(self.value):
            yield Node(member, f"{self.path}[{index}]")

    def whole(self, *, least: int = 0, most: int = AMOUNT_MINOR_MAX) -> int:
        """Return a whole number from `least` to `most`."""
        number = self.value
        if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
            self.refuse(f"a whole number from {least} to {most}")
        return number

    def flag(self) -> bool:
        """Return true or false."""
        if not isinstance(self.value, bool):
            self.refuse("true or false")
        return self.value

    def word(self) -> str:
        """Return a lower-case identifier such as a status, a reason or a code."""
        return self.matching(_WORD, "a lower-case word of at most 64 characters")

    def dotted(self) -> str:
        """Return a dotted name such as `charge.dispute.created`."""
        wanted = f"a dotted name of at most {_DOTTED_CHARS_MAX} characters"
        found = self.matching(_DOTTED, wanted)
        return found if len(found) <= _DOTTED_CHARS_MAX else self.refuse(wanted)

    def one_of(self, *words: str) -> str:
        """Return one of `words`."""
        found = self.word()
        return found if found in words else self.refuse(f"one of {', '.join(words)}")

    def currency(self) -> str:
        """Return a currency as Stripe spells it, in lower case."""
        return self.matching(_CURRENCY, "a currency of three lower-case letters")

    def instant(self) -> datetime:
        """Return an instant given in Unix seconds."""
        return datetime.fromtimestamp(self.whole(least=INSTANT_MIN, most=INSTANT_MAX), tz=UTC)

    def ref(self, *prefixes: str) -> str:
        """Return an id with one of `prefixes`, given bare or as the expanded object."""
        node = self.at("id") if isinstance(self.value, dict) else self
        wanted = f"an id that begins with {' or '.join(prefixes)}"
        found = node.matching(_REF, wanted)
        return found if found.split("_", 1)[0] in prefixes else node.refuse(wanted)

    def ref_or_none(self, *prefixes: str) -> str | None:
        """Return what `ref` returns, or None where this is null."""
        return None if self.is_absent else self.ref(*prefixes)

    def word_or_none(self) -> str | None:
        """Return what `word` returns, or None where this is null."""
        return None if self.is_absent else self.word()

    def _object(self) -> dict[str, object]:
        if not isinstance(self.value, dict):
            self.refuse("an object")
        return cast("dict[str, object]", self.value)

    def matching(self, pattern: re.Pattern[str], wanted: str) -> str:
        """Return a text that is all `pattern`, which `wanted` puts in words."""
        if not isinstance(self.value, str) or not pattern.fullmatch(self.value):
            self.refuse(wanted)
        return self.value
