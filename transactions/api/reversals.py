"""`/v1/transfers/{id}/reverse`: take a transfer back. Parse, one command, render."""

from http import HTTPStatus
from typing import Final

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.frontdesk.authentication import actor_of
from accounts.frontdesk.endpoints import Endpoint, id_in_path
from accounts.frontdesk.forms import ExactInteger, ExactText, Form, checked
from accounts.frontdesk.idempotency import Route, answer_once
from accounts.frontdesk.pagination import no_parameters
from transactions.api.transfers import TransferShape, answer
from transactions.money import AMOUNT_MINOR_MAX
from transactions.services.reversals import reverse_transfer


class ReversalForm(Form):
    """How much of an internal transfer goes back, and why."""

    amount_minor = ExactInteger(
        min_value=1,
        max_value=AMOUNT_MINOR_MAX,
        required=False,
        help_text="At most what is left of it; all of that when absent.",
    )
    reason = ExactText(max_length=140, help_text="Kept with the reversal.")


class TransferReverse(Endpoint):
    """Taking a transfer back."""

    scopes = {"POST": "transfers:write"}
    takes_key = ("POST",)

    @extend_schema(
        operation_id="reverseTransfer",
        summary="Reverse a transfer",
        description=(
            "Moves what a settled `internal` transfer brought back to where it came from: all that"
            " is left of it, or `amount_minor`, as often as you like and never more than it moved."
            " The receiver must have the money. Wholly reversed, it is `reversed`."
        ),
        request=ReversalForm,
        responses=TransferShape,
    )
    def post(self, request: Request, transfer_id: str) -> HttpResponse:
        """Reverse the transfer, once for its key."""
        no_parameters(request)
        fields = checked(ReversalForm, data=request.data)
        actor, key = actor_of(request), id_in_path("trf", transfer_id)
        return answer_once(
            request,
            actor=actor,
            route=REVERSE,
            act=lambda call: reverse_transfer(
                actor=actor,
                transfer_id=key,
                origin=call.origin,
                reason=fields["reason"],
                amount_minor=fields.get("amount_minor"),
                **call.once,
            ),
        )


REVERSE: Final = Route(
    method="POST",
    path="/v1/transfers/{id}/reverse",
    render=lambda transfer: answer(transfer, status=HTTPStatus.OK),
)
