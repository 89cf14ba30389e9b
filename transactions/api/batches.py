"""`/v1/transfer-batches…`: many transfers in one request, and what came of each."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final, cast

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from accounts.frontdesk.authentication import actor_of
from accounts.frontdesk.endpoints import Endpoint, id_in_path
from accounts.frontdesk.forms import ExactBoolean, ExactChoice, ExactText, Form, checked
from accounts.frontdesk.idempotency import (
    KEY_RULE,
    Answer,
    Route,
    answer_once,
    fingerprint_alone,
    key_of,
)
from accounts.frontdesk.pagination import Page, no_parameters, page_of, row_of, shown_page
from accounts.frontdesk.shapes import page_shape
from accounts.keys import hash_of, route_scope
from audit.errors import Invalid, Refusal
from audit.typeids import typeid
from transactions.api.transfers import CREATE as ALONE
from transactions.api.transfers import TransferForm, order_of
from transactions.models import BatchItem, TransferBatch
from transactions.models.batches import ITEMS_MAX
from transactions.selectors.batches import access_batch, listed_batches, listed_items
from transactions.services.batches import request_batch
from transactions.services.items import KeyedOrder
from transactions.states import BatchState, ItemState, TransferKind

VIEW: Final = "transactions.view_transfer"
STATE: Final = "state"


class KeyText(ExactText):
    """An idempotency key, as its header would spell it."""

    def to_internal_value(self, data: Any) -> str:
        """Return the key."""
        try:
            return key_of(super().to_internal_value(data))
        except Refusal:
            raise serializers.ValidationError(KEY_RULE) from None


class ItemForm(TransferForm):
    """One transfer of a batch, with the key it would have had as a request of its own."""

    kind = ExactChoice(
        [TransferKind.INTERNAL, TransferKind.PAYOUT],
        help_text="Between your accounts, or to a bank.",
    )
    destination_alias = None  # type: ignore[assignment]  # how a form drops a field
    execute_at = None  # type: ignore[assignment]
    key = KeyText(help_text=f"A fresh one for each new item; {KEY_RULE}.")


class BatchForm(Form):
    """Many instructions to move money."""

    atomic = ExactBoolean(help_text="`true`: all or none. `false`: each item by itself.")
    reference = ExactText(
        max_length=140, required=False, allow_blank=True, help_text="For you alone."
    )
    items: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=ItemForm(), min_length=1, max_length=ITEMS_MAX
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Insist that no two items share a key."""
        seen: set[str] = set()
        problems: dict[Any, Any] = {}
        for index, item in enumerate(attrs["items"]):
            if item["key"] in seen:
                problems[index] = {"key": "is another item's key"}
            seen.add(item["key"])
        if problems:
            raise serializers.ValidationError({"items": problems})
        return attrs


class BatchShape(serializers.Serializer[Any]):
    """One batch and how far it got."""

    id = serializers.CharField()
    state = serializers.ChoiceField(BatchState.values)
    atomic = serializers.BooleanField()
    reference = serializers.CharField(allow_blank=True)
    item_count = serializers.IntegerField()
    pending_count = serializers.IntegerField()
    done_count = serializers.IntegerField()
    refused_count = serializers.IntegerField()
    replayed_count = serializers.IntegerField()
    refused_item = serializers.IntegerField(allow_null=True)
    refused_code = serializers.CharField(allow_null=True)
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ItemShape(serializers.Serializer[Any]):
    """One item of a batch and what came of it: a transfer, or the problem that stands for it."""

    number = serializers.IntegerField()
    state = serializers.ChoiceField(ItemState.values)
    transfer = serializers.CharField(allow_null=True)
    amount_minor = serializers.IntegerField()
    currency = serializers.CharField()
    reference = serializers.CharField(allow_blank=True)
    problem = serializers.DictField(child=serializers.JSONField(), allow_null=True)


class BatchList(Endpoint):
    """The caller's batches."""

    scopes = {"GET": "transfers:read", "POST": "transfers:write"}
    takes_key = ("POST",)

    @extend_schema(
        operation_id="listTransferBatches",
        summary="List batches",
        description="Your batches of transfers, the newest first.",
        responses=page_shape(BatchShape),
    )
    def get(self, request: Request) -> Response:
        """Return a page of batches."""
        actor = actor_of(request, may=VIEW)
        page = page_of(request)
        rows = listed_batches(to=actor, before=row_of(page.cursor), limit=page.limit + 1)
        return Response(shown_page(rows, page=page, show=_shown, key=lambda row: row.pk))

    @extend_schema(
        operation_id="createTransferBatch",
        summary="Ask for many transfers",
        description=(
            f"Up to {ITEMS_MAX:,} transfers in a body of at most 8 MiB. They are carried out in"
            " their order right after this answer; follow the batch, its items or your events."
            " Each item has a key of its own, good for `POST /v1/transfers` as well: it happens"
            " once, whichever way it is asked for."
        ),
        request=BatchForm,
        responses={202: BatchShape},
    )
    def post(self, request: Request) -> HttpResponse:
        """Take in a batch, once for its key."""
        no_parameters(request)
        fields = checked(BatchForm, data=request.data)
        actor = actor_of(request)
        orders = _keyed(fields["items"], sent=cast("dict[str, Any]", request.data)["items"])
        return answer_once(
            request,
            actor=actor,
            route=CREATE,
            act=lambda call: request_batch(
                actor=actor,
                orders=orders,
                is_atomic=fields["atomic"],
                reference=fields.get("reference", ""),
                key_scope=route_scope(actor, method=ALONE.method, path=ALONE.path),
                origin=call.origin,
                **call.once,
            ),
        )


class BatchDetail(Endpoint):
    """One of the caller's batches."""

    scopes = {"GET": "transfers:read"}

    @extend_schema(
        operation_id="getTransferBatch",
        summary="Read a batch",
        description="How far a batch has come. `refused` is an atomic one that moved nothing.",
        responses=BatchShape,
    )
    def get(self, request: Request, batch_id: str) -> Response:
        """Return the batch; NotFound if it is not the caller's."""
        actor = actor_of(request, may=VIEW)
        no_parameters(request)
        return Response(_shown(access_batch(id_in_path("bat", batch_id), actor=actor)))


class BatchItems(Endpoint):
    """What came of each item of a batch."""

    scopes = {"GET": "transfers:read"}

    @extend_schema(
        operation_id="listTransferBatchItems",
        summary="List a batch's items",
        description=(
            "The items in their order, each with its transfer or with the problem that a request"
            " of its own would have been answered with."
        ),
        parameters=[
            OpenApiParameter(STATE, enum=ItemState.values, description="Only items that stand so.")
        ],
        responses=page_shape(ItemShape),
    )
    def get(self, request: Request, batch_id: str) -> Response:
        """Return a page of items; NotFound if the batch is not the caller's."""
        actor = actor_of(request, may=VIEW)
        page, state = page_of(request, also=STATE), _state_of(request)
        batch = access_batch(id_in_path("bat", batch_id), actor=actor)
        return Response(_items(batch, page=page, state=state))


def _keyed(items: Sequence[dict[str, Any]], *, sent: Sequence[dict[str, Any]]) -> list[KeyedOrder]:
    """Return the orders that checked items spell, each with key and fingerprint."""
    return [
        KeyedOrder(
            order=order_of(fields),
            key_hash=hash_of(fields["key"]),
            fingerprint=fingerprint_alone(
                {name: value for name, value in raw.items() if name != "key"}, route=ALONE
            ),
        )
        for fields, raw in zip(items, sent, strict=True)
    ]


def _state_of(request: Request) -> ItemState | None:
    """Return the state that a request filters by; Invalid where there is none such."""
    given = request.query_params.get(STATE)
    if given is None:
        return None
    if given not in ItemState.values:
        raise Invalid(fields={STATE: f"must be one of {', '.join(ItemState.values)}"})
    return ItemState(given)


def _items(batch: TransferBatch, *, page: Page, state: ItemState | None) -> dict[str, object]:
    rows = listed_items(batch, state=state, after=row_of(page.cursor), limit=page.limit + 1)
    return shown_page(rows, page=page, show=_shown_item, key=lambda row: row.pk)


def _shown(batch: TransferBatch) -> dict[str, object]:
    """Return a batch as its partner sees it."""
    return {
        "id": batch.public_id,
        "state": batch.state,
        "atomic": batch.is_atomic,
        "reference": batch.reference,
        "item_count": batch.item_count,
        "pending_count": batch.pending_count,
        "done_count": batch.done_count,
        "refused_count": batch.refused_count,
        "replayed_count": batch.replayed_count,
        "refused_item": batch.refused_number,
        "refused_code": batch.refused_code or None,
        "requested_at": batch.requested_at,
        "finished_at": batch.finished_at,
    }


def _shown_item(item: BatchItem) -> dict[str, object]:
    """Return an item as its partner sees it; a no as the very problem it would be alone."""
    problem = None
    if item.refusal is not None:
        show = cast("Any", api_settings.EXCEPTION_HANDLER)
        problem = json.loads(show(item.refusal, {}).content)
    return {
        "number": item.number,
        "state": item.state,
        "transfer": typeid("trf", item.transfer_id) if item.transfer_id else None,
        "amount_minor": item.amount_minor,
        "currency": item.currency,
        "reference": item.reference,
        "problem": problem,
    }


def _answer(batch: TransferBatch) -> Answer:
    body: bytes = JSONRenderer().render(_shown(batch))
    resource = f"/v1/transfer-batches/{batch.public_id}"
    return Answer(status=HTTPStatus.ACCEPTED, body=body, resource=resource)


CREATE: Final = Route(method="POST", path="/v1/transfer-batches", render=_answer)
