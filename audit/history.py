"""Rows that remember: every version kept, every change witnessed.

django-simple-history gives the tables, the admin and `as_of`; a row trigger
(`audit/sql/0001_log`) writes them, so that bulk and raw writes are versions
too. The package's own signal is switched off by SIMPLE_HISTORY_ENABLED.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, ClassVar, Final, Self

from django.db import models
from simple_history.models import HistoricalRecords

from audit.canonical import Json
from audit.typeids import typeid, uuid7

# Exactly these: a bool is an int, but a member of an enum is more than its value.
PLAIN_ALREADY: Final = frozenset({type(None), bool, int, str})


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
        """Return a new row of these values: `cls(**values)`, several times quicker.

        Django takes values by their places without asking each field for more;
        so `values` go by columns (`source_id`), and every name must be one.
        """
        row = cls(
            *[values.pop(name) if name in values else default() for name, default in _columns(cls)]
        )
        if values:
            raise TypeError(f"{cls.__name__} has no {sorted(values)}")
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
    now = _plain_fields(row, row.__dict__)
    loaded: dict[str, Any] | None = getattr(row, "_loaded", None)
    if loaded is None:
        return None, now
    past = _plain_fields(row, loaded)
    changed = [name for name in past if name in loaded and past[name] != now[name]]
    return {n: past[n] for n in changed}, {n: now[n] for n in changed}


def to_store(row: Witnessed) -> dict[str, Json]:
    """Return a new row as a database function is to store it, and as its entry will tell it."""
    row._stored = difference(row)[1]  # noqa: SLF001 - this module's own
    row._state.adding = False  # noqa: SLF001 - documented: Django must not insert it again
    return row._stored  # noqa: SLF001


def _plain_fields(row: models.Model, values: Mapping[str, Any]) -> dict[str, Json]:
    """Return in JSON's terms what of `values` entries may show of a row like this."""
    found = {name: values.get(name) for name in _spoken(type(row))}
    return {n: v if type(v) in PLAIN_ALREADY else plain(v) for n, v in found.items()}


@cache
def _columns(model: type[models.Model]) -> list[tuple[str, Callable[[], Any]]]:
    """Return the columns of `model` in their order, each with what makes its default."""
    return [(f.attname, f.get_default) for f in model._meta.concrete_fields]  # noqa: SLF001


@cache
def _spoken(model: type[models.Model]) -> tuple[str, ...]:
    """Return the fields of `model` that entries may show."""
    unspoken: frozenset[str] = getattr(model, "unspoken", frozenset())
    fields = model._meta.concrete_fields  # noqa: SLF001 - Django's documented API
    return tuple(field.attname for field in fields if field.attname not in unspoken)


def table_of(row: models.Model) -> str:
    """Return the name of the table a row lives in."""
    return row._meta.db_table  # noqa: SLF001 - Django's documented API


def plain(value: object) -> Json:
    """Return `value` in JSON's terms: times in ISO 8601, bytes in hex, keys as text."""
    if type(value) in PLAIN_ALREADY:
        return value  # type: ignore[return-value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return str(value)  # an enum's member is spelled as its value
