"""`POST /v1/oauth/token`: RFC 6749 client credentials, on allauth's token endpoint."""

from http import HTTPStatus
from typing import Any, Final

from allauth.idp.oidc.views import token as allauth_token
from django.http import HttpResponse, JsonResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.frontdesk.authentication import may_come_from
from accounts.frontdesk.endpoints import Endpoint
from accounts.frontdesk.oauth import TokenRefusal, client_asking, unknown_client
from accounts.frontdesk.throttles import TOKENS_FROM_AN_ADDRESS, TOKENS_OF_A_CLIENT, spend
from accounts.selectors.clients import live_client_named
from audit.circumstances import current

REALM: Final = 'Basic realm="countersign"'


class TokenDoor(Endpoint):
    """Gives a live client an access token for its scopes, or some of them."""

    authentication_classes = ()
    permission_classes = ()
    http_method_names = ("post",)

    @extend_schema(exclude=True)  # described by hand: its body is a form, not JSON
    def post(self, request: Request) -> HttpResponse:
        """Answer in RFC 6749's own words; too many calls are a problem like anywhere."""
        spend(TOKENS_FROM_AN_ADDRESS, who=current().address)
        plain = request._request  # noqa: SLF001 - allauth reads Django's own request
        try:
            client_id = client_asking(plain)
            spend(TOKENS_OF_A_CLIENT, who=f"{client_id} {current().address}")
            client = live_client_named(client_id)
            if client is None or not may_come_from(current().address, networks=client.networks):
                raise unknown_client()
        except TokenRefusal as refusal:
            return _refused(refusal)
        response: HttpResponse = allauth_token(plain)
        return response


def _refused(refusal: TokenRefusal) -> JsonResponse:
    status = HTTPStatus.UNAUTHORIZED if refusal.is_unauthorized else HTTPStatus.BAD_REQUEST
    body: dict[str, Any] = {"error": refusal.error, "error_description": refusal.description}
    response = JsonResponse(body, status=status)
    if refusal.is_unauthorized:
        response["WWW-Authenticate"] = REALM
    response["Cache-Control"] = "no-store"
    return response
