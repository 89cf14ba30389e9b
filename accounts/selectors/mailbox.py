"""Reading letters, in the one order in which none can be skipped."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.db.models.expressions import RawSQL

from accounts.models import Letter
from accounts.scopes import visible_books
from audit.actors import Actor

# Every transaction below this one has ended: nothing can still appear in front of the reader.
HORIZON: Final = RawSQL("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", [])


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place in the feed: after the letter `id` of transaction `xact`."""

    xact: int
    id: UUID


START: Final = Position(xact=0, id=UUID(int=0))


def letters_after(position: Position, *, to: Actor, limit: int) -> Sequence[Letter]:
    """Return the next letters to `to`, by (xact, id) up to the horizon.

    A transaction that commits late keeps its place: the feed waits in front of it.
    """
    beyond = Q(xact__gt=position.xact) | Q(xact=position.xact, id__gt=position.id)
    return list(
        visible_books(Letter.objects.all(), to=to)
        .filter(beyond, xact__gte=position.xact, xact__lt=HORIZON)
        .order_by("xact", "id")[:limit]
    )
