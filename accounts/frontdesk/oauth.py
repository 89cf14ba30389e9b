"""How partners' OAuth clients are made and recognised. Client credentials only."""

import re
import secrets
from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass, field
from typing import Final

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from django.http import HttpRequest

GRANT: Final = "client_credentials"
PARAMETERS: Final = frozenset({"grant_type", "scope", "client_id", "client_secret"})
CREDENTIAL: Final = re.compile(r"[\x21-\x7e]{1,100}")
SCOPE: Final = re.compile(r"[\x20-\x7e]{0,500}")


class PartnerOAuthAdapter(DefaultOIDCAdapter):  # type: ignore[misc]
    """Makes ids that say whose they are and secrets of 256 random bits."""

    def generate_client_id(self) -> str:
        """Return a fresh client id."""
        return f"csc_{secrets.token_hex(16)}"

    def generate_client_secret(self) -> str:
        """Return a fresh secret: 32 random bytes, so that a fast hash is enough."""
        return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRefusal(Exception):
    """Why no token is given, in the words of RFC 6749."""

    error: str
    description: str
    is_unauthorized: bool = field(default=False)


def client_asking(request: HttpRequest) -> str:
    """Return the id of the client that asks for a token in a well-formed request.

    Raises TokenRefusal. Nothing is looked up and no secret is checked here.
    """
    form = request.POST
    if request.GET:
        raise TokenRefusal(error="invalid_request", description="Parameters go into the body.")
    for name in form:
        if name not in PARAMETERS or len(form.getlist(name)) > 1:
            said = "Only grant_type, scope, client_id and client_secret, once each."
            raise TokenRefusal(error="invalid_request", description=said)
    if "grant_type" not in form:
        raise TokenRefusal(error="invalid_request", description="grant_type is missing.")
    if form["grant_type"] != GRANT:
        raise TokenRefusal(error="unsupported_grant_type", description=f"Only {GRANT}.")
    if not SCOPE.fullmatch(form.get("scope", "")):
        raise TokenRefusal(error="invalid_scope", description="Scopes are plain words.")
    return _client_id(request)


def _client_id(request: HttpRequest) -> str:
    header = request.headers.get("Authorization", "")
    if header and "client_id" in request.POST:
        said = "Credentials go into the header or the body, not into both."
        raise TokenRefusal(error="invalid_request", description=said)
    client_id, secret = (
        _basic(header)
        if header
        else (request.POST.get("client_id", ""), request.POST.get("client_secret", ""))
    )
    if not CREDENTIAL.fullmatch(client_id) or not CREDENTIAL.fullmatch(secret):
        raise unknown_client()
    return client_id


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise unknown_client()
    try:
        name, _, secret = b64decode(encoded, validate=True).decode("ascii").partition(":")
    except (NotBase64, UnicodeDecodeError, ValueError):
        raise unknown_client() from None
    return name, secret


def unknown_client() -> TokenRefusal:
    """Return the one answer to unknown clients, wrong secrets and clients that may no more."""
    said = "The client is unknown, its secret is wrong, or it may not ask for tokens."
    return TokenRefusal(error="invalid_client", description=said, is_unauthorized=True)
