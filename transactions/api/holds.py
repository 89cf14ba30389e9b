"""`/v1/holds…`: set money aside, capture it, give it back. Parse, one command, render."""

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
    ExactBoolean,
    ExactChoice,
    ExactInstant,
    ExactInteger,
    ExactText,
    Form,
    Metadata,
    NoFields,
    PublicId,
    checked,
)
from accounts.frontdesk.idempotency import Answer, Route, answer_once
from accounts.frontdesk.pagination import no_parameters, page_of, row_of, shown_page
from accounts.frontdesk.shapes import page_shape
from audit.typeids import typeid
from transactions.models import Hold
from transactions.money import AMOUNT_MINOR_MAX, EXPONENTS, Money
from transactions.orders import HoldOrder
from transactions.selectors.holds import access_hold, listed_holds
from transactions.services.holds import capture_hold, create_hold, void_hold
from transactions.states import HoldState

VIEW: Final = "transactions.view_hold"


class HoldForm(Form):
    """Money to set aside."""

    source_account = PublicId("acc", help_text="The account whose money is set aside.")
    destination_account = PublicId(
        "acc",
        required=False,
        help_text="Where captures go; without it each capture names its own.",
    )
    amount_minor = ExactInteger(
        min_value=1, max_value=AMOUNT_MINOR_MAX, help_text="In minor units: 1250 is 12.50 EUR."
    )
    currency = ExactChoice(sorted(EXPONENTS), help_text="ISO 4217, the accounts' own.")
    expires_at = ExactInstant(
        help_text="From a minute to 31 days ahead; what is left then is released."
    )
    reference = ExactText(
        max_length=140, required=False, allow_blank=True, help_text="For you to find it by."
    )
    metadata = Metadata(required=False, help_text="Up to 20 pairs of text, for you alone.")


class CaptureForm(Form):
    """How much of a hold moves now, and where to. Without fields: all that is left of it."""

    amount_minor = ExactInteger(
        min_value=1,
        max_value=AMOUNT_MINOR_MAX,
        required=False,
        help_text="At most what is left; all of it when absent.",
    )
    destination_account = PublicId(
        "acc", required=False, help_text="Needed where the hold names none."
    )
    final = ExactBoolean(
        required=False, help_text="Whether this is the last capture: the rest is released."
    )


class HoldShape(serializers.Serializer[Any]):
    """One hold and what became of its money."""

    id = serializers.CharField()
    state = serializers.ChoiceField(HoldState.values)
    source_account = serializers.CharField()
    destination_account = serializers.CharField(allow_null=True)
    amount_minor = serializers.IntegerField()
    captured_minor = serializers.IntegerField()
    released_minor = serializers.IntegerField()
    remaining_minor = serializers.IntegerField()
    currency = serializers.CharField()
    reference = serializers.CharField(allow_blank=True)
    metadata = serializers.DictField(child=serializers.CharField(allow_blank=True))
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class HoldList(Endpoint):
    """The caller's holds."""

    scopes = {"GET": "holds:read", "POST": "holds:write"}
    takes_key = ("POST",)

    @extend_schema(
        operation_id="listHolds",
        summary="List holds",
        description="Your holds, the newest first. What a payout reserves is not among them.",
        responses=page_shape(HoldShape),
    )
    def get(self, request: Request) -> Response:
        """Return a page of holds."""
        actor = actor_of(request, may=VIEW)
        page = page_of(request)
        rows = listed_holds(to=actor, before=row_of(page.cursor), limit=page.limit + 1)
        return Response(shown_page(rows, page=page, show=shown, key=lambda row: row.pk))

    @extend_schema(
        operation_id="createHold",
        summary="Hold money",
        description=(
            "Sets money of an account aside: it is no longer available, and nobody else can spend"
            " it. Capture it, in one part or several, or void it; what is left at `expires_at` is"
            " released by itself. It counts against the account's limits from now on."
        ),
        request=HoldForm,
        responses={201: HoldShape},
    )
    def post(self, request: Request) -> HttpResponse:
        """Set money aside, once for its key."""
        no_parameters(request)
        order = _order(checked(HoldForm, data=request.data))
        actor = actor_of(request)
        return answer_once(
            request,
            actor=actor,
            route=CREATE,
            act=lambda call: create_hold(
                actor=actor, order=order, origin=call.origin, **call.once
            ),
        )


class HoldDetail(Endpoint):
    """One of the caller's holds."""

    scopes = {"GET": "holds:read"}

    @extend_schema(
        operation_id="getHold",
        summary="Read a hold",
        description=(
            "One hold. `posted`, `voided` and `expired` are final; the amounts say how much was"
            " captured and how much released."
        ),
        responses=HoldShape,
    )
    def get(self, request: Request, hold_id: str) -> Response:
        """Return the hold; NotFound if it is not the caller's."""
        actor = actor_of(request, may=VIEW)
        no_parameters(request)
        return Response(shown(access_hold(id_in_path("hld", hold_id), actor=actor)))


class HoldCapture(Endpoint):
    """Moving held money on."""

    scopes = {"POST": "holds:write"}
    takes_key = ("POST",)

    @extend_schema(
        operation_id="captureHold",
        summary="Capture a hold",
        description=(
            "Moves held money to its destination: all that is left, or `amount_minor` of it, as"
            " often as you like until nothing is left. With `final` the rest is released. A hold"
            " past its `expires_at` captures nothing."
        ),
        request=CaptureForm,
        responses=HoldShape,
    )
    def post(self, request: Request, hold_id: str) -> HttpResponse:
        """Capture, once for its key."""
        no_parameters(request)
        fields = checked(CaptureForm, data=request.data)
        actor, key = actor_of(request), id_in_path("hld", hold_id)
        return answer_once(
            request,
            actor=actor,
            route=CAPTURE,
            act=lambda call: capture_hold(
                actor=actor,
                hold_id=key,
                origin=call.origin,
                amount_minor=fields.get("amount_minor"),
                destination_id=fields.get("destination_account"),
                is_final=fields.get("final", False),
                **call.once,
            ),
        )


class HoldVoid(Endpoint):
    """Giving held money back."""

    scopes = {"POST": "holds:write"}
    takes_key = ("POST",)

    @extend_schema(
        operation_id="voidHold",
        summary="Void a hold",
        description="Releases what is left of a hold; what was captured stays captured.",
        request=NoFields,
        responses=HoldShape,
    )
    def post(self, request: Request, hold_id: str) -> HttpResponse:
        """Void the hold, once for its key."""
        no_parameters(request)
        checked(NoFields, data=request.data)
        actor, key = actor_of(request), id_in_path("hld", hold_id)
        return answer_once(
            request,
            actor=actor,
            route=VOID,
            act=lambda call: void_hold(actor=actor, hold_id=key, **call.once),
        )


def shown(hold: Hold) -> dict[str, object]:
    """Return a hold as its partner sees it."""
    to = hold.destination_id
    return {
        "id": hold.public_id,
        "state": hold.state,
        "source_account": typeid("acc", hold.account_id),
        "destination_account": typeid("acc", to) if to else None,
        "amount_minor": hold.amount_minor,
        "captured_minor": hold.captured_minor,
        "released_minor": hold.released_minor,
        "remaining_minor": hold.remaining_minor,
        "currency": hold.currency,
        "reference": hold.reference,
        "metadata": hold.metadata,
        "created_at": hold.created_at,
        "expires_at": hold.expires_at,
    }


def _order(fields: dict[str, Any]) -> HoldOrder:
    """Return the order that checked fields spell."""
    return HoldOrder(
        source_id=fields["source_account"],
        destination_id=fields.get("destination_account"),
        money=Money(fields["amount_minor"], fields["currency"]),
        expires_at=fields["expires_at"],
        reference=fields.get("reference", ""),
        metadata=fields.get("metadata", {}),
    )


def _answer(hold: Hold, *, status: HTTPStatus = HTTPStatus.OK) -> Answer:
    body: bytes = JSONRenderer().render(shown(hold))
    return Answer(status=status, body=body, resource=f"/v1/holds/{hold.public_id}")


CREATE: Final = Route(
    method="POST",
    path="/v1/holds",
    render=lambda hold: _answer(hold, status=HTTPStatus.CREATED),
)
CAPTURE: Final = Route(method="POST", path="/v1/holds/{id}/capture", render=_answer)
VOID: Final = Route(method="POST", path="/v1/holds/{id}/void", render=_answer)
