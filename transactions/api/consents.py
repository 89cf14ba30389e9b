"""`/v1/accounts/{id}/payers…`: who of the other partners may pay into an account."""

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
from accounts.frontdesk.forms import ExactText, Form, NoFields, checked
from accounts.frontdesk.idempotency import Answer, Route, answer_once
from accounts.frontdesk.pagination import no_parameters, page_of, row_of, shown_page
from accounts.frontdesk.shapes import page_shape
from accounts.selectors.accounts import access_account
from audit.typeids import typeid
from transactions.models import PayInConsent
from transactions.selectors.consents import access_consent, listed_consents
from transactions.services.consents import allow_payer, withdraw_payer

VIEW: Final = "accounts.view_account"


class PayerForm(Form):
    """Who may pay in."""

    payer = ExactText(max_length=40, help_text="The other partner's short name, as it told you.")


class PayerShape(serializers.Serializer[Any]):
    """One partner that may pay into an account, until the consent is withdrawn."""

    id = serializers.CharField()
    account = serializers.CharField()
    payer = serializers.CharField()
    given_at = serializers.DateTimeField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)


class PayerList(Endpoint):
    """Who may pay into one of the caller's accounts."""

    scopes = {"GET": "accounts:read", "POST": "transfers:write"}
    takes_key = ("POST",)

    @extend_schema(
        operation_id="listPayers",
        summary="List who may pay in",
        description="The consents you gave for an account, withdrawn ones too, the newest first.",
        responses=page_shape(PayerShape),
    )
    def get(self, request: Request, account_id: str) -> Response:
        """Return a page of consents; NotFound if the account is not the caller's."""
        actor = actor_of(request, may=VIEW)
        page = page_of(request)
        account = access_account(id_in_path("acc", account_id), actor=actor)
        rows = listed_consents(
            account.pk, to=actor, before=row_of(page.cursor), limit=page.limit + 1
        )
        return Response(shown_page(rows, page=page, show=shown, key=lambda row: row.pk))

    @extend_schema(
        operation_id="allowPayer",
        summary="Let a partner pay in",
        description=(
            "Lets one other partner pay into your account by its alias, with a transfer of kind"
            " `partner`. Give it the alias yourself. Whether there is a partner of that name is"
            " not told."
        ),
        request=PayerForm,
        responses={201: PayerShape},
    )
    def post(self, request: Request, account_id: str) -> HttpResponse:
        """Give a consent, once for its key."""
        no_parameters(request)
        fields = checked(PayerForm, data=request.data)
        actor, key = actor_of(request), id_in_path("acc", account_id)
        return answer_once(
            request,
            actor=actor,
            route=ALLOW,
            act=lambda call: allow_payer(
                actor=actor, account_id=key, payer=fields["payer"], **call.once
            ),
        )


class PayerDetail(Endpoint):
    """One consent that the caller gave."""

    scopes = {"GET": "accounts:read"}

    @extend_schema(
        operation_id="getPayer",
        summary="Read who may pay in",
        description="One consent, for which account, and whether it was withdrawn.",
        responses=PayerShape,
    )
    def get(self, request: Request, payer_id: str) -> Response:
        """Return the consent; NotFound if it is not the caller's."""
        actor = actor_of(request, may=VIEW)
        no_parameters(request)
        return Response(shown(access_consent(id_in_path("pic", payer_id), actor=actor)))


class PayerWithdraw(Endpoint):
    """Withdrawing a consent."""

    scopes = {"POST": "transfers:write"}
    takes_key = ("POST",)

    @extend_schema(
        operation_id="withdrawPayer",
        summary="Let a partner pay in no longer",
        description="Withdraws a consent. What arrived stays; nothing more arrives by it.",
        request=NoFields,
        responses=PayerShape,
    )
    def post(self, request: Request, payer_id: str) -> HttpResponse:
        """Withdraw the consent, once for its key."""
        no_parameters(request)
        checked(NoFields, data=request.data)
        actor, key = actor_of(request), id_in_path("pic", payer_id)
        return answer_once(
            request,
            actor=actor,
            route=WITHDRAW,
            act=lambda call: withdraw_payer(actor=actor, consent_id=key, **call.once),
        )


def shown(consent: PayInConsent) -> dict[str, object]:
    """Return a consent as the account's owner sees it."""
    return {
        "id": consent.public_id,
        "account": typeid("acc", consent.account_id),
        "payer": consent.payer,
        "given_at": consent.given_at,
        "withdrawn_at": consent.withdrawn_at,
    }


def _answer(consent: PayInConsent, *, status: HTTPStatus = HTTPStatus.OK) -> Answer:
    body: bytes = JSONRenderer().render(shown(consent))
    return Answer(status=status, body=body, resource=f"/v1/payers/{consent.public_id}")


ALLOW: Final = Route(
    method="POST",
    path="/v1/accounts/{id}/payers",
    render=lambda consent: _answer(consent, status=HTTPStatus.CREATED),
)
WITHDRAW: Final = Route(method="POST", path="/v1/payers/{id}/withdraw", render=_answer)
