"""Reading the log."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from audit.canonical import Json, decode
from audit.models import Entry, Touch

ENTRIES_MAX: Final = 200
NEWEST_NAMES: Final = """
    SELECT ref, COALESCE(
        (SELECT actor_label FROM audit_entry WHERE actor_ref = ref ORDER BY id DESC LIMIT 1), ref
    )
    FROM unnest(%s::text[]) AS ref
"""


def latest_entries(*, limit: int) -> QuerySet[Entry]:
    """Return the newest entries, newest first. For those who may read the whole log."""
    return Entry.objects.defer("body").order_by("-id")[:limit]


def names_of(actor_refs: Collection[str]) -> dict[str, str]:
    """Return what actors were called when they last acted; those who never did by reference."""
    if not actor_refs:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(NEWEST_NAMES, [list(actor_refs)])
        return dict(cursor.fetchall())


def entries_about(refs: Collection[str], *, traces: Collection[str] = ()) -> list[Entry]:
    """Return the newest entries that name, touched or were traced to something, oldest first.

    Each condition has its index; they are asked one by one, so that none is lost in an OR.
    """
    rows = [ref.partition(":")[2] for ref in refs]
    touched = (
        Touch.objects.filter(row_id__in=rows)
        .order_by("-entry_id")
        .values_list("entry_id", flat=True)[:ENTRIES_MAX]
    )
    asked = (
        Entry.objects.filter(target_ref__in=list(refs)),
        Entry.objects.filter(pk__in=list(touched)),
        Entry.objects.filter(trace_id__in=list(traces)),
    )
    found: dict[UUID, Entry] = {}
    for entries in asked:
        found |= {entry.pk: entry for entry in entries.order_by("-id")[:ENTRIES_MAX]}
    return sorted(found.values(), key=lambda entry: entry.pk)[-ENTRIES_MAX:]


def touches_of(entries: Iterable[Entry]) -> Mapping[UUID, list[Touch]]:
    """Return the rows that each entry changed."""
    found: dict[UUID, list[Touch]] = {}
    touches = Touch.objects.filter(entry_id__in=[entry.pk for entry in entries])
    for touch in touches.order_by("entry_id", "table_name", "row_id"):
        found.setdefault(touch.entry_id, []).append(touch)
    return found


def spoken(entry: Entry) -> Mapping[str, Any]:
    """Return what an entry says in full, from its canonical bytes."""
    body: dict[str, Json] = decode(bytes(entry.body))
    return body
