"""What changed in a row, in words: labels for fields and states, money as money, seals kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from django.apps import apps
from django.db.models import Field

from accounts.models import VaultRecord
from audit.links import name_of
from audit.moments import Difference
from transactions.money import EXPONENTS, Money

SEALED: Final = "sealed"
NOTHING: Final = "—"
# Said by the timeline itself, or of no use to a reader.
UNTOLD: Final = frozenset({"id", "book_id", "trace_id", "payload_hash", "origin", "payload"})
# Fields whose values are words of ours, spelled with underscores.
STATES: Final = frozenset({"state", "verdict", "kind", "mode"})
VALUE_CHARACTERS_MAX: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One field's change, ready to be read."""

    field: str
    before: str
    after: str


def table_in_words(table: str) -> str:
    """Return how people call the rows of a table."""
    names = {model._meta.db_table: model._meta.verbose_name for model in apps.get_models()}  # noqa: SLF001
    return str(names.get(table, table))


def lines_of(
    difference: Difference, *, currencies: Mapping[tuple[str, str], str]
) -> Iterator[Line]:
    """Return what changed, field by field; what a row began without is left out.

    `currencies` are those of amounts, by row and field.
    """
    for change in difference.changes:
        if change.field in UNTOLD:
            continue
        field = _field(difference.table, change.field)
        currency = currencies.get((difference.row, change.field), "")
        before = _said(change.before, field=field, currency=currency)
        after = _said(change.after, field=field, currency=currency)
        if difference.is_new and after == NOTHING:
            continue
        yield Line(field=_label(change.field), before=before, after=after)


def _label(name: str) -> str:
    short = name.removesuffix("_minor").removesuffix("_id")
    return short.replace("_", " ").capitalize()


def _said(value: Any, *, field: "Field[Any, Any] | None", currency: str) -> str:
    if value is None or value in ("", [], {}):
        return NOTHING
    if field is None:
        return _plain(value)
    if field.related_model is not None:
        return _named(value, model=field.related_model)
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if field.name in STATES:
        return str(value).replace("_", " ")
    return str(Money(value, currency)) if currency in EXPONENTS else _plain(value)


def _named(key: Any, *, model: Any) -> str:
    """Return how people call the row that a key leads to; what is sealed is not named."""
    return SEALED if model is VaultRecord else name_of(f"{model._meta.model_name}:{key}")  # noqa: SLF001 - Django's own interface


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        text = ", ".join(
            f"{name}: {SEALED if name.endswith('_token') else item}"
            for name, item in value.items()
        )
    else:
        text = _time(str(value)) or str(value)
    return text if len(text) <= VALUE_CHARACTERS_MAX else f"{text[: VALUE_CHARACTERS_MAX - 1]}…"


def _time(text: str) -> str:
    """Return a time as people read it, with its zone; empty where `text` is none."""
    if len(text) < len("2026-01-01T00:00:00") or text[10:11] != "T":
        return ""
    try:
        return f"{datetime.fromisoformat(text):%-d %b %Y %H:%M:%S} UTC"
    except ValueError:
        return ""


@cache
def _fields() -> "Mapping[tuple[str, str], Field[Any, Any]]":
    """Return every field of ours by table and column."""
    return {
        (model._meta.db_table, field.attname): field  # noqa: SLF001 - Django's own interface
        for model in apps.get_models()
        for field in model._meta.concrete_fields  # noqa: SLF001 - Django's own interface
    }


def _field(table: str, column: str, /) -> "Field[Any, Any] | None":
    return _fields().get((table, column))
