"""Leaving letters for partners, in the transaction of what they tell: no commit, no letter."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit.calls import Call, spell
from audit.canonical import Json
from audit.circumstances import current
from audit.services.recording import later
from audit.typeids import uuid7


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a partner is to be told. Without a `trace_id` it belongs to the trace under way."""

    type: str
    book_id: UUID
    payload: Mapping[str, Json]
    occurred_at: datetime
    trace_id: str = ""


def publish(
    type: str,  # noqa: A002 - the public word for it
    *,
    book_id: UUID,
    payload: Mapping[str, Json],
    occurred_at: datetime,
) -> None:
    """Leave one letter when the command under way commits."""
    publish_all([News(type=type, book_id=book_id, payload=payload, occurred_at=occurred_at)])


def publish_all(news: Iterable[News]) -> None:
    """Leave a letter for each of `news`, in their order, when the command under way commits."""
    letters = [_spell(each) for each in news]
    if letters:
        later(Call(sql="mailbox_leave(%s::jsonb)", values=(spell(letters),)))


def _spell(news: News) -> dict[str, object]:
    return {
        "id": uuid7(),
        "book": news.book_id,
        "type": news.type,
        "payload": news.payload,
        "trace": news.trace_id or current().trace_id,
        "occurred_at": news.occurred_at,
    }
