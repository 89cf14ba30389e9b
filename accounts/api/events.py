"""`GET /v1/events`: everything we owe a partner to know, in an order that skips nothing."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.frontdesk.authentication import actor_of
from accounts.frontdesk.endpoints import Endpoint
from accounts.frontdesk.pagination import page_of, place_cursor, place_of
from accounts.frontdesk.shapes import page_shape
from accounts.models import Letter
from accounts.selectors.mailbox import Position, letters_after


class EventShape(serializers.Serializer[Any]):
    """One event. The same `id` is the same event, wherever it is told."""

    id = serializers.CharField()
    type = serializers.CharField()
    occurred_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    trace_id = serializers.CharField()
    data = serializers.DictField(child=serializers.JSONField())  # type: ignore[assignment]


class EventFeed(Endpoint):
    """The feed of a partner's events."""

    scopes = {"GET": "transfers:read"}

    @extend_schema(
        operation_id="listEvents",
        summary="Follow events",
        description=(
            "Events in the order to read them. Keep `next_cursor`, which is always given, and ask"
            " again with it: an event that was committed late is never skipped."
        ),
        responses=page_shape(EventShape, has_next_always=True),
    )
    def get(self, request: Request) -> Response:
        """Return the letters after the cursor, up to the horizon."""
        actor = actor_of(request, may="accounts.view_letter")
        page = page_of(request)
        start = place_of(page.cursor)
        letters = letters_after(start, to=actor, limit=page.limit + 1)
        shown, has_more = letters[: page.limit], len(letters) > page.limit
        last = Position(xact=shown[-1].xact, id=shown[-1].pk) if shown else start
        return Response(
            {
                "data": [_shown(letter) for letter in shown],
                "has_more": has_more,
                "next_cursor": place_cursor(last),
            }
        )


def _shown(letter: Letter) -> dict[str, object]:
    return {
        "id": letter.public_id,
        "type": letter.type,
        "occurred_at": letter.occurred_at,
        "recorded_at": letter.recorded_at,
        "trace_id": letter.trace_id,
        "data": letter.payload,
    }
