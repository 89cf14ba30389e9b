"""Rows that remember: every version kept, every change witnessed.

django-simple-history gives the tables, the admin and `as_of`; a row trigger
(`audit/sql/0001_log`) writes them, so that bulk and raw writes are versions
too. The package's own signal is switched off by SIMPLE_HISTORY_ENABLED.
"""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, ClassVar, Self

from django.db import models
from simple_history.models import HistoricalRecords

from audit.canonical import Json
from audit.typeids import typeid, uuid7


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

    @classmethod
    def from_db(  # noqa: PLR0917 - Django's signature
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **options: Any
    ) -> Self:
        """Remember the row as the database told it, for the entry's `before`."""
        row = super().from_db(db, field_names, values, **options)
        row._loaded = dict(zip(field_names, values, strict=False))  # noqa: SLF001
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
    now = spelled(row)
    loaded: dict[str, Any] | None = getattr(row, "_loaded", None)
    if loaded is None:
        return None, now
    past = {name: plain(loaded[name]) for name in now if name in loaded}
    changed = [name for name in past if past[name] != now[name]]
    return {n: past[n] for n in changed}, {n: now[n] for n in changed}


def spelled(row: models.Model) -> dict[str, Json]:
    """Return the row's fields as they are now, but for those that are never spoken of."""
    unspoken: frozenset[str] = getattr(row, "unspoken", frozenset())
    names = [f.attname for f in row._meta.concrete_fields if f.attname not in unspoken]  # noqa: SLF001
    return {name: plain(row.__dict__.get(name)) for name in names}


def remember(row: Witnessed) -> None:
    """Take the row as it is for what it was: the next entry's `before` begins here."""
    row._loaded = {f.attname: row.__dict__.get(f.attname) for f in row._meta.concrete_fields}  # noqa: SLF001


def table_of(row: models.Model) -> str:
    """Return the name of the table a row lives in."""
    return row._meta.db_table  # noqa: SLF001 - Django's documented API


def plain(value: object) -> Json:
    """Return `value` in JSON's terms: times in ISO 8601, bytes in hex, keys as text."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    # bool is an int; an enum's member is spelled as its value.
    return value if value is None or type(value) in (bool, int, str) else str(value)  # type: ignore[return-value]
