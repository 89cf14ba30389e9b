"""Rows that remember: every version kept, every change witnessed.

django-simple-history gives the tables, the admin and `as_of`; a row trigger
(`audit/sql/0001_log`) writes them, so that bulk and raw writes are versions
too. The package's own signal is switched off by SIMPLE_HISTORY_ENABLED.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, ClassVar, Final, Self
from uuid import UUID

import msgspec
from django.db import models
from django.db.models.base import ModelState
from simple_history.models import HistoricalRecords

from audit.calls import Call, spell
from audit.canonical import Json
from audit.typeids import typeid, uuid7

# Exactly these: a bool is an int, but a member of an enum is more than its value.
PLAIN_ALREADY: Final = frozenset({type(None), bool, int, str})
CONTAINERS: Final = frozenset({dict, list, tuple})
# What most values that are not plain are: asked first, since all of a row's fields are asked.
SPELLED_BY: Final[Mapping[type, Callable[[Any], str]]] = {
    UUID: str,
    datetime: msgspec.to_builtins,
    date: msgspec.to_builtins,
    bytes: bytes.hex,
    memoryview: memoryview.hex,
}


class Version(models.Model):
    """What every version of every row says besides the row itself."""

    history_actor = models.TextField(db_default="", default="")
    history_trace_id = models.CharField(max_length=32, db_default="", default="")

    class Meta:
        abstract = True


def versions(**options: Any) -> HistoricalRecords:
    """Return the package's records for a model, shaped for our row trigger."""
    return HistoricalRecords(
        bases=[Version],
        history_id_field=models.UUIDField(default=uuid7, editable=False),
        history_user_id_field=models.UUIDField(null=True),
        history_user_getter=_nobody,
        history_user_setter=_nobody,
        **options,
    )


def _nobody(*_: object, **__: object) -> None:
    """Versions name their actor as text (`history_actor`), never by a key to a user row."""


class Witnessed(models.Model):
    """A row whose every change needs an entry that touches it.

    `prefix` is its TypeID prefix. Fields in `unspoken` never appear in entries
    (secrets and sealed personal data).
    """

    prefix: ClassVar[str] = ""
    unspoken: ClassVar[frozenset[str]] = frozenset()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        abstract = True

    _loaded: dict[str, Any] | None = None
    _stored: dict[str, Json] | None = None

    @classmethod
    def from_db(  # noqa: PLR0917 - Django's signature
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **options: Any
    ) -> Self:
        """Remember the row as the database told it, for the entry's `before`."""
        row = super().from_db(db, field_names, values, **options)
        row._loaded = dict(zip(field_names, values, strict=False))  # noqa: SLF001
        return row

    @classmethod
    def fresh(cls, **values: Any) -> Self:
        """Return a new row of these values: `cls(**values)`, many times quicker.

        No field is asked what to make of its value, and no signal is sent: so
        `values` are what columns hold (`source_id`), and every name must be one.
        """
        same, made = _blank(cls)
        fields = same | {name: make() for name, make in made.items() if name not in values}
        if not values.keys() <= fields.keys() | made.keys():
            raise TypeError(f"{cls.__name__} has no {sorted(values.keys() - fields.keys())}")
        row = cls.__new__(cls)
        row._state = ModelState()  # noqa: SLF001 - as Django makes it where it unpickles a row
        row.__dict__.update(fields | values)
        return row

    @property
    def audit_ref(self) -> str:
        """Return `model:<id>`, the spelling used in the log."""
        return f"{self._meta.model_name}:{self.pk}"

    @property
    def public_id(self) -> str:
        """Return the TypeID shown outside."""
        return typeid(self.prefix, self.pk)


class Guarded(Witnessed):
    """A witnessed row that also keeps its versions."""

    history = versions(inherit=True)

    class Meta:
        abstract = True


def difference(row: models.Model) -> tuple[dict[str, Json] | None, dict[str, Json]]:
    """Return (before, after) of the fields that changed since `row` was read.

    `before` is None for a row that is new; a removed row is read first, so
    both say what it was.
    """
    stored: dict[str, Json] | None = getattr(row, "_stored", None)
    if stored is not None:
        return None, stored
    now = spelled(row)
    loaded: dict[str, Any] | None = getattr(row, "_loaded", None)
    if loaded is None:
        return None, now
    past = _plain_fields(row, loaded)
    changed = [name for name in past if name in loaded and past[name] != now[name]]
    return {n: past[n] for n in changed}, {n: now[n] for n in changed}


def spelled(row: models.Model) -> dict[str, Json]:
    """Return the row's fields as they are now, but for those that are never spoken of."""
    return _plain_fields(row, row.__dict__)


def remember(row: Witnessed) -> None:
    """Take the row as it is for what it was: the next entry's `before` begins here."""
    row._loaded = {name: row.__dict__.get(name) for name in _columns(type(row))}  # noqa: SLF001
    row._stored = None  # noqa: SLF001


def to_store(row: Witnessed) -> dict[str, Json]:
    """Return a new row as a database function is to store it, and as its entry will tell it."""
    row._stored = spelled(row)  # noqa: SLF001 - this module's own
    row._state.adding = False  # noqa: SLF001 - documented: Django must not insert it again
    return row._stored  # noqa: SLF001


def _plain_fields(row: models.Model, values: Mapping[str, Any]) -> dict[str, Json]:
    """Return in JSON's terms what of `values` entries may show of a row like this."""
    said = values.get
    told = {
        name: plain(value) if type(value := said(name)) in CONTAINERS else value
        for name in _spoken(type(row))
    }
    fields: dict[str, Json] = msgspec.to_builtins(told, enc_hook=plain)
    return fields


@cache
def _columns(model: type[models.Model]) -> tuple[str, ...]:
    """Return the columns of `model` in their order."""
    return tuple(field.attname for field in model._meta.concrete_fields)  # noqa: SLF001


@cache
def _blank(model: type[models.Model]) -> tuple[dict[str, Any], dict[str, Callable[[], Any]]]:
    """Return the defaults of `model` that are always the same, and what makes the others."""
    fields = model._meta.concrete_fields  # noqa: SLF001 - Django's documented API
    made = {f.attname: f.default for f in fields if f.has_default() and callable(f.default)}
    same = {f.attname: f.get_default() for f in fields if f.attname not in made}
    return same, made


@cache
def _spoken(model: type[models.Model]) -> tuple[str, ...]:
    """Return the fields of `model` that entries may show, shortest first as jsonb keeps them.

    PostgreSQL sorts the keys of each row it is told: what is in order already is done at once.
    """
    unspoken: frozenset[str] = getattr(model, "unspoken", frozenset())
    fields = model._meta.concrete_fields  # noqa: SLF001 - Django's documented API
    names = [field.attname for field in fields if field.attname not in unspoken]
    return tuple(sorted(names, key=lambda name: (len(name), name)))


def versions_under(traces: Mapping[str, str]) -> Call:
    """Return the call that lets versions of these rows bear traces of their own from here on."""
    return Call(sql="set_config('app.traces', %s, true)", values=(spell(traces),))


def table_of(row: models.Model) -> str:
    """Return the name of the table a row lives in."""
    return row._meta.db_table  # noqa: SLF001 - Django's documented API


def plain(value: object) -> Json:
    """Return `value` in JSON's terms: times in ISO 8601, bytes in hex, keys as text."""
    if type(value) in PLAIN_ALREADY:
        return value  # type: ignore[return-value]
    if by := SPELLED_BY.get(type(value)):
        return by(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    for kind, by in SPELLED_BY.items():
        if isinstance(value, kind):
            return by(value)
    # An enum's member is spelled as its value; and text is text, whatever it calls itself.
    return str.__str__(value) if isinstance(value, str) else str(value)
