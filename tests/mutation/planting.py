"""Putting a known bug into a tree: exact texts, each found exactly once, or a loud no. Pure."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

KNOWN: Final = Path(__file__).with_name("plants.toml")
IN_DATABASE: Final = "sql:"
# A database function as our SQL files spell it; the last one written is the one in force.
FUNCTION: Final = r"CREATE (?:OR REPLACE )?FUNCTION {}\(.*?\n\$\$;\n"
DROPPED: Final = r"DROP FUNCTION {}\("


class DoesNotApply(Exception):
    """The code has moved: the text that a bug is planted in is not there any more, or twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One exact text of a file or of a database function (`sql:<name>`), and what it becomes."""

    place: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """One known bug: what is changed, which tests must find it, and how they then complain.

    `held_by` says of half a bug what still holds: no test can tell.
    """

    name: str
    bug: str
    what: str
    changes: tuple[Change, ...]
    caught_by: tuple[str, ...]
    complaint: str
    held_by: str = ""

    @property
    def is_in_database(self) -> bool:
        """Say whether some of it is in a function of the database."""
        return any(change.place.startswith(IN_DATABASE) for change in self.changes)


def known_plants() -> list[Plant]:
    """Return all that are written down, in their order."""
    return [
        Plant(
            name=name,
            changes=tuple(Change(**change) for change in told.pop("changes")),
            caught_by=tuple(told.pop("caught_by")),
            **told,
        )
        for name, told in tomllib.loads(KNOWN.read_text()).items()
    ]


def texts_with(changes: Sequence[Change], *, tree: Path) -> dict[Path, str]:
    """Return the files that the changes are in, as they read with them. DoesNotApply."""
    texts: dict[Path, str] = {}
    for change in changes:
        path, within = _found(change.place, tree=tree, texts=texts)
        if (times := within.count(change.old)) != 1:
            raise DoesNotApply(f"{change.place} has {change.old!r} {times} times, not once")
        text, changed = _read(path, texts), within.replace(change.old, change.new)
        start = text.rindex(within)
        texts[path] = text[:start] + changed + text[start + len(within) :]
    return texts


@contextmanager
def planted(changes: Sequence[Change], *, tree: Path) -> Iterator[None]:
    """Let a private copy of the tree have the changes for a while."""
    texts = texts_with(changes, tree=tree)
    sound = {path: path.read_text() for path in texts}
    for path, text in texts.items():
        path.write_text(text)
    try:
        yield
    finally:
        for path, text in sound.items():
            path.write_text(text)


def _found(place: str, *, tree: Path, texts: dict[Path, str]) -> tuple[Path, str]:
    """Return the file of a place, and the text that is looked into: its own, or a function's."""
    if not place.startswith(IN_DATABASE):
        path = tree / place
        if not path.is_file():
            raise DoesNotApply(f"there is no {place}")
        return path, _read(path, texts)
    name = re.escape(place.removeprefix(IN_DATABASE))
    for path in sorted(tree.glob("*/sql/*.up.sql"), key=lambda path: path.name, reverse=True):
        text = _read(path, texts)
        written = list(re.finditer(FUNCTION.format(name), text, re.DOTALL))
        if re.search(DROPPED.format(name), text[written[-1].end() :] if written else text):
            raise DoesNotApply(f"{place} was dropped in {path.name}")
        if written:
            return path, written[-1][0]
    raise DoesNotApply(f"no SQL file defines {place}")


def _read(path: Path, texts: dict[Path, str]) -> str:
    """Return a file's text with the changes so far."""
    return texts[path] if path in texts else path.read_text()
