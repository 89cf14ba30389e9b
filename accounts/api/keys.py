"""`GET /v1/idempotency-keys/{key}`: what became of a request whose answer was lost."""

from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.frontdesk.authentication import actor_of
from accounts.frontdesk.endpoints import Endpoint
from accounts.frontdesk.idempotency import look_up
from accounts.frontdesk.pagination import no_parameters
from accounts.models import IdempotencyKey
from audit.errors import NotFound


class KeyUseShape(serializers.Serializer[Any]):
    """One route the key was used on, and what it led to."""

    method = serializers.CharField()
    route = serializers.CharField()
    outcome = serializers.ChoiceField(["done", "refused"])
    status = serializers.IntegerField()
    resource = serializers.CharField(allow_null=True)
    answered_at = serializers.DateTimeField()


class KeyShape(serializers.Serializer[Any]):
    """Whether a request with this key is being worked on, and every answer it has got."""

    state = serializers.ChoiceField(["in_flight", "answered"])
    uses = KeyUseShape(many=True)


class KeyDetail(Endpoint):
    """One of the caller's own idempotency keys."""

    @extend_schema(
        operation_id="getIdempotencyKey",
        summary="Look up an idempotency key",
        description=(
            "Tells what became of a request whose answer was lost: nothing (404: the key is free),"
            " in flight, or answered, with the resource it made. Only your client's own keys."
        ),
        responses=KeyShape,
    )
    def get(self, request: Request, key: str) -> Response:
        """Return state and uses of the key; NotFound where this client never used it."""
        actor = actor_of(request)
        no_parameters(request)
        is_in_flight, uses = look_up(key, actor=actor)
        if not uses and not is_in_flight:
            raise NotFound(ref="key")
        state = "in_flight" if is_in_flight else "answered"
        return Response({"state": state, "uses": [_shown(use) for use in uses]})


def _shown(use: IdempotencyKey) -> dict[str, object]:
    method, route = use.route
    return {
        "method": method,
        "route": route,
        "outcome": "refused" if use.status >= HTTPStatus.BAD_REQUEST else "done",
        "status": use.status,
        "resource": use.resource or None,
        "answered_at": use.created_at,
    }
