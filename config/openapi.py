"""The OpenAPI 3.1 document of the partner API, made from the doors themselves."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.settings import patched_settings

from accounts.frontdesk.forms import METADATA_PAIRS_MAX, Form
from accounts.frontdesk.idempotency import KEY_RULE
from accounts.frontdesk.pagination import LIMIT_DEFAULT, LIMIT_MAX
from accounts.roles import SCOPES
from config.api import PROBLEM_JSON

# No invented enum components, and no list of words that repeats the words.
PLAIN: Final = {"POSTPROCESSING_HOOKS": [], "ENUM_GENERATE_CHOICE_DESCRIPTION": False}
TOKEN_PATH: Final = "/v1/oauth/token"  # noqa: S105 - an address
SECURITY: Final = "partner"
PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "limit": {
        "name": "limit",
        "in": "query",
        "description": "How many rows at most.",
        "schema": {
            "type": "integer",
            "minimum": 1,
            "maximum": LIMIT_MAX,
            "default": LIMIT_DEFAULT,
        },
    },
    "cursor": {
        "name": "cursor",
        "in": "query",
        "description": "`next_cursor` of the page before; leave it out for the first page.",
        "schema": {"type": "string"},
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": f"A fresh one for each new request; {KEY_RULE}. Retry with the same.",
        "schema": {"type": "string", "pattern": "^[!-~]{16,255}$"},
    },
}
SAID: Final = {
    "400": "Something in the request is wrong; `fields` says where.",
    "401": "No access token, or one that is no longer good.",
    "403": "Your token's scopes do not open this.",
    "404": "There is no such thing, or it is not yours.",
    "405": "This address does not take that method.",
    "409": "The state of things forbids it, or the key is in flight.",
    "413": "The body is larger than 1 MiB (8 MiB for a batch).",
    "415": "The body is not JSON.",
    "422": "The key was used for a different request.",
    "429": "Too many calls.",
    "500": "Our fault.",
    "503": "Not at the moment; try again with the same key.",
}
PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Why not (RFC 9457). `code` is stable; `type` leads to its page.",
    "required": ["type", "title", "status", "code", "retryable"],
    "properties": {
        "type": {"type": "string", "pattern": "^/problems/[a-z_]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "pattern": "^[a-z_]+$"},
        "retryable": {"type": "boolean"},
        "fields": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


# The token endpoint's own words (RFC 6749, sections 4.4 and 5).
TOKEN_FORM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {
            "type": "string",
            "enum": ["client_credentials"],
            "description": "Always `client_credentials`.",
        },
        "scope": {
            "type": "string",
            "description": "Some of your scopes, with spaces between.",
        },
        "client_id": {"type": "string", "description": "Unless it is in the header."},
        "client_secret": {"type": "string", "description": "Unless it is in the header."},
    },
}
TOKEN: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["access_token", "token_type", "expires_in", "scope"],
    "properties": {
        "access_token": {"type": "string"},
        "token_type": {"type": "string", "const": "Bearer"},
        "expires_in": {"type": "integer"},
        "scope": {"type": "string"},
    },
}
TOKEN_ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
}


class Schema(AutoSchema):
    """Adds to each operation what its door does not spell: paging, keys, and every problem."""

    def get_tags(self) -> list[str]:
        """Group by the first noun of the path."""
        return [self.path.split("/")[2].replace("-", " ")]

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Return the operation with its parameters and problems."""
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        takes_key = self.method in getattr(self.view, "takes_key", ())
        operation.setdefault("parameters", []).extend(self._parameters(operation, takes_key))
        if body := operation.get("requestBody"):
            body["required"] = bool(self._required(body))
        codes = ["401", "403", "503", "400"]
        codes += ["404"] * ("{" in self.path or takes_key)
        codes += ["409", "413", "415", "422"] * takes_key
        for said in operation["responses"].values():
            said["description"] = said["description"] or "Done."
        for code in sorted(codes):
            operation["responses"][code] = problem_response(code)
        operation["security"] = [{SECURITY: list(self._scopes())}]
        return operation

    def _parameters(self, operation: Mapping[str, Any], takes_key: bool) -> list[dict[str, Any]]:  # noqa: FBT001
        """Return the parameters every operation of this kind has."""
        is_list = str(operation["operationId"]).startswith("list")
        names = ["limit", "cursor"] * is_list + ["Idempotency-Key"] * takes_key
        return [PARAMETERS[name] for name in names]

    def _scopes(self) -> tuple[str, ...]:
        """Return the scopes that open this operation."""
        scope = getattr(self.view, "scopes", {}).get(self.method)
        return (scope,) if scope else ()

    def _required(self, body: Mapping[str, Any]) -> list[str]:
        """Return the fields the body cannot be without."""
        name = body["content"]["application/json"]["schema"].get("$ref", "").rpartition("/")[2]
        found = next((c for (key, _), c in self.registry._components.items() if key == name), None)  # noqa: SLF001
        return list(found.schema.get("required", [])) if found and found.schema else []

    def _map_serializer(self, serializer: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Say that forms take no other fields."""
        found: dict[str, Any] = super()._map_serializer(serializer, *args, **kwargs)  # type: ignore[no-untyped-call]
        if isinstance(serializer, Form):
            found["additionalProperties"] = False
        return found


class PartnerSecurity(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes our bearer tokens."""

    target_class = "accounts.frontdesk.authentication.ClientCredentialsAuthentication"
    name = SECURITY

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Return the OAuth 2.0 client-credentials scheme."""
        del auto_schema
        scopes = {name: ", ".join(sorted(opens)) for name, opens in SCOPES.items()}
        flow = {"tokenUrl": TOKEN_PATH, "scopes": scopes}
        return {"type": "oauth2", "flows": {"clientCredentials": flow}}


class PublicIdShape(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes TypeIDs."""

    target_class = "accounts.frontdesk.forms.PublicId"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        """Return prefix and suffix as a pattern."""
        del auto_schema, direction
        return {
            "type": "string",
            "pattern": f"^{self.target.prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$",
        }


class MetadataShape(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes metadata."""

    target_class = "accounts.frontdesk.forms.Metadata"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        """Return an object of text."""
        del auto_schema, direction
        value = {"type": "string", "maxLength": 255}
        return {
            "type": "object",
            "maxProperties": METADATA_PAIRS_MAX,
            "additionalProperties": value,
        }


class KeyTextShape(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes the keys of a batch's items."""

    target_class = "transactions.api.batches.KeyText"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        """Return what the header takes."""
        del auto_schema, direction
        return dict(PARAMETERS["Idempotency-Key"]["schema"])


class IbanShape(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes IBANs."""

    target_class = "accounts.frontdesk.forms.Iban"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        """Return the electronic format."""
        del auto_schema, direction
        return {"type": "string", "pattern": "^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$"}


@cache
def document() -> dict[str, Any]:
    """Return the whole document, made once a process."""
    generator = SchemaGenerator(urlconf="config.urls.api")  # type: ignore[no-untyped-call]
    with patched_settings(PLAIN):
        found = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    schema: dict[str, Any] = json.loads(json.dumps(found, default=str))
    schema["servers"] = [{"url": "/"}]
    schema["paths"] = {TOKEN_PATH: {"post": _token_operation()}, **schema["paths"]}
    schema["components"]["schemas"]["Problem"] = PROBLEM
    return schema


def problem_response(code: str) -> dict[str, Any]:
    """Return the description of one kind of problem."""
    media = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": SAID[code], "content": media}


def _token_operation() -> dict[str, Any]:
    """Describe the token endpoint, whose words are RFC 6749's."""
    refused = {"application/json": {"schema": TOKEN_ERROR}}
    return {
        "operationId": "createToken",
        "summary": "Get an access token",
        "description": "Client credentials (RFC 6749), in the Authorization header or the body.",
        "tags": ["oauth"],
        "security": [],
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": TOKEN_FORM}},
        },
        "responses": {
            "200": {"description": "A token.", "content": {"application/json": {"schema": TOKEN}}},
            "400": {"description": "The request is not one.", "content": refused},
            "401": {
                "description": "The client is unknown or its secret wrong.",
                "content": refused,
            },
            "413": problem_response("413"),
            "429": problem_response("429"),
            "503": problem_response("503"),
        },
    }
