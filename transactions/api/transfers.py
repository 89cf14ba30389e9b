"""`/v1/transfers…`: ask for a transfer, follow it, call it off. Parse, one command, render."""

from http import HTTPStatus
from typing import Any, Final

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.frontdesk.authentication import actor_of
from accounts.frontdesk.endpoints import Endpoint, id_in_path
from accounts.frontdesk.forms import (
    ExactChoice,
    ExactInstant,
    ExactInteger,
    ExactText,
    Form,
    Iban,
    Metadata,
    NoFields,
    PublicId,
    checked,
)
from accounts.frontdesk.idempotency import Answer, KeyedCall, Route, answer_once
from accounts.frontdesk.pagination import no_parameters, page_of, row_of, shown_page
from accounts.frontdesk.shapes import page_shape
from audit.typeids import typeid
from transactions.models import Transfer
from transactions.money import AMOUNT_MINOR_MAX, EXPONENTS, Money
from transactions.orders import PartnerOrder, Payee, TransferOrder
from transactions.selectors.transfers import listed_transfers, shown_transfer
from transactions.services.partner_transfers import request_partner_transfer
from transactions.services.schedules import schedule_transfer
from transactions.services.transfers import cancel_transfer, request_transfer
from transactions.states import TransferKind, TransferState

VIEW: Final = "transactions.view_transfer"
DESTINATIONS: Final = {
    TransferKind.INTERNAL: "destination_account",
    TransferKind.PARTNER: "destination_alias",
    TransferKind.PAYOUT: "destination",
}


class PayeeForm(Form):
    """Whom a payout is for. The answers show this masked."""

    name = ExactText(max_length=70, help_text="The payee's name.")
    iban = Iban(help_text="The payee's IBAN, without spaces.")


class TransferForm(Form):
    """An instruction to move money."""

    kind = ExactChoice(
        TransferKind.values,
        help_text="Between your accounts, to another partner's, or to a bank.",
    )
    source_account = PublicId("acc", help_text="The account the money leaves.")
    destination_account = PublicId(
        "acc", required=False, help_text="For `internal`: the account the money reaches."
    )
    destination_alias = ExactText(
        max_length=40,
        required=False,
        help_text="For `partner`: the alias that the account's owner gave you.",
    )
    destination = PayeeForm(required=False, help_text="For `payout`: whom it is for.")
    amount_minor = ExactInteger(
        min_value=1, max_value=AMOUNT_MINOR_MAX, help_text="In minor units: 1250 is 12.50 EUR."
    )
    currency = ExactChoice(sorted(EXPONENTS), help_text="ISO 4217, the accounts' own.")
    reference = ExactText(
        max_length=140, required=False, allow_blank=True, help_text="What the other side reads."
    )
    metadata = Metadata(required=False, help_text="Up to 20 pairs of text, for you alone.")
    execute_at = ExactInstant(
        required=False,
        help_text="When it is to happen, up to 365 days ahead; at once when absent.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Insist on the one destination that the kind calls for."""
        kind = TransferKind(attrs["kind"])
        problems = {}
        for named, name in DESTINATIONS.items():
            if named == kind and name not in attrs:
                problems[name] = f"is needed for {kind}"
            if named != kind and name in attrs:
                problems[name] = f"does not belong to {kind}"
        if attrs.get("destination_account") == attrs["source_account"]:
            problems["destination_account"] = "is the source account"
        if kind == TransferKind.PARTNER and "execute_at" in attrs:
            problems["execute_at"] = f"does not belong to {kind}"
        if problems:
            raise serializers.ValidationError(problems)
        return attrs


class PayeeShape(serializers.Serializer[Any]):
    """A payee, masked."""

    name = serializers.CharField()
    iban = serializers.CharField()


class TransferShape(serializers.Serializer[Any]):
    """One transfer and how far it got."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(TransferKind.values)
    state = serializers.ChoiceField(TransferState.values)
    source_account = serializers.CharField()
    destination_account = serializers.CharField(allow_null=True)
    destination_alias = serializers.CharField(allow_null=True)
    destination = PayeeShape(allow_null=True)
    amount_minor = serializers.IntegerField()
    fee_minor = serializers.IntegerField()
    fee_rule = serializers.CharField(allow_null=True)
    reversed_minor = serializers.IntegerField()
    currency = serializers.CharField()
    reference = serializers.CharField(allow_blank=True)
    metadata = serializers.DictField(child=serializers.CharField(allow_blank=True))
    failure_code = serializers.CharField(allow_null=True)
    requested_at = serializers.DateTimeField()
    execute_at = serializers.DateTimeField(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)


class TransferList(Endpoint):
    """The caller's transfers."""

    scopes = {"GET": "transfers:read", "POST": "transfers:write"}
    takes_key = ("POST",)

    @extend_schema(
        operation_id="listTransfers",
        summary="List transfers",
        description="Your transfers, the newest first.",
        responses=page_shape(TransferShape),
    )
    def get(self, request: Request) -> Response:
        """Return a page of transfers."""
        actor = actor_of(request, may=VIEW)
        page = page_of(request)
        rows = listed_transfers(to=actor, before=row_of(page.cursor), limit=page.limit + 1)
        return Response(shown_page(rows, page=page, show=shown, key=lambda row: row.pk))

    @extend_schema(
        operation_id="createTransfer",
        summary="Ask for a transfer",
        description=(
            "`internal` moves money between two of your accounts at once. `partner` moves it at"
            " once to an account of another partner that lets you, known to you by its alias"
            " alone. `payout` reserves it and sends it to a bank; above your threshold a second"
            " person at our side looks first."
            " With `execute_at` it is `scheduled`: nothing is reserved until then, and what stands"
            " in its way then makes it `failed`, with that refusal's code."
            " Send the same key again after a lost answer: the transfer happens once."
        ),
        request=TransferForm,
        responses={201: TransferShape},
    )
    def post(self, request: Request) -> HttpResponse:
        """Take one instruction, once for its key."""
        no_parameters(request)
        fields = checked(TransferForm, data=request.data)
        execute_at = fields.get("execute_at")
        actor = actor_of(request)

        def act(call: KeyedCall) -> Transfer:
            asked = {"actor": actor, "origin": call.origin, **call.once}
            if fields["kind"] == TransferKind.PARTNER:
                return request_partner_transfer(order=partner_order_of(fields), **asked)
            if execute_at is not None:
                return schedule_transfer(order=order_of(fields), execute_at=execute_at, **asked)
            return request_transfer(order=order_of(fields), **asked)

        return answer_once(request, actor=actor, route=CREATE, act=act)


class TransferDetail(Endpoint):
    """One of the caller's transfers."""

    scopes = {"GET": "transfers:read"}

    @extend_schema(
        operation_id="getTransfer",
        summary="Read a transfer",
        description="One transfer and its state. `settled` may still be followed by `returned`.",
        responses=TransferShape,
    )
    def get(self, request: Request, transfer_id: str) -> Response:
        """Return the transfer; NotFound if it is not the caller's."""
        actor = actor_of(request, may=VIEW)
        no_parameters(request)
        return Response(shown(shown_transfer(id_in_path("trf", transfer_id), actor=actor)))


class TransferCancel(Endpoint):
    """Calling a transfer off."""

    scopes = {"POST": "transfers:write"}
    takes_key = ("POST",)

    @extend_schema(
        operation_id="cancelTransfer",
        summary="Cancel a transfer",
        description=(
            "Calls off what is scheduled, or a payout that has not been sent yet, and frees its"
            " money."
        ),
        request=NoFields,
        responses=TransferShape,
    )
    def post(self, request: Request, transfer_id: str) -> HttpResponse:
        """Cancel the transfer, once for its key."""
        no_parameters(request)
        checked(NoFields, data=request.data)
        actor, key = actor_of(request), id_in_path("trf", transfer_id)
        return answer_once(
            request,
            actor=actor,
            route=CANCEL,
            act=lambda call: cancel_transfer(actor=actor, transfer_id=key, **call.once),
        )


def shown(transfer: Transfer) -> dict[str, object]:
    """Return a transfer as its partner sees it."""
    payee = None
    if transfer.payee_name is not None and transfer.payee_iban is not None:
        payee = {"name": transfer.payee_name.masked, "iban": transfer.payee_iban.masked}
    to = None if transfer.destination_alias else transfer.destination_id
    return {
        "id": transfer.public_id,
        "kind": transfer.kind,
        "state": transfer.state,
        "source_account": typeid("acc", transfer.source_id),
        "destination_account": typeid("acc", to) if to else None,
        "destination_alias": transfer.destination_alias or None,
        "destination": payee,
        "amount_minor": transfer.amount_minor,
        "fee_minor": transfer.fee_minor,
        "fee_rule": typeid("fee", transfer.fee_rule_id) if transfer.fee_rule_id else None,
        "reversed_minor": transfer.reversed_minor,
        "currency": transfer.currency,
        "reference": transfer.reference,
        "metadata": transfer.metadata,
        "failure_code": transfer.failure_code or None,
        "requested_at": transfer.requested_at,
        "execute_at": transfer.execute_at,
        "settled_at": transfer.settled_at,
    }


def order_of(fields: dict[str, Any]) -> TransferOrder:
    """Return the order that checked fields spell."""
    payee = fields.get("destination")
    return TransferOrder(
        source_id=fields["source_account"],
        destination_id=fields.get("destination_account"),
        payee=Payee(name=payee["name"], iban=payee["iban"]) if payee else None,
        money=Money(fields["amount_minor"], fields["currency"]),
        reference=fields.get("reference", ""),
        metadata=fields.get("metadata", {}),
    )


def partner_order_of(fields: dict[str, Any]) -> PartnerOrder:
    """Return the order to another partner that checked fields spell."""
    return PartnerOrder(
        source_id=fields["source_account"],
        alias=fields["destination_alias"],
        money=Money(fields["amount_minor"], fields["currency"]),
        reference=fields.get("reference", ""),
        metadata=fields.get("metadata", {}),
    )


def answer(transfer: Transfer, *, status: HTTPStatus) -> Answer:
    """Return the answer to whoever did something to a transfer: how it stands now."""
    body: bytes = JSONRenderer().render(shown(transfer))
    return Answer(status=status, body=body, resource=f"/v1/transfers/{transfer.public_id}")


CREATE: Final = Route(
    method="POST",
    path="/v1/transfers",
    render=lambda transfer: answer(transfer, status=HTTPStatus.CREATED),
)
CANCEL: Final = Route(
    method="POST",
    path="/v1/transfers/{id}/cancel",
    render=lambda transfer: answer(transfer, status=HTTPStatus.OK),
)
