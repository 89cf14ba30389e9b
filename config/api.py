"""How a no looks on the wire: RFC 9457. The only place that knows HTTP status numbers."""

import json
import logging
import sys
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions

from accounts.frontdesk.errors import Unauthenticated, Unavailable, UnsupportedMedia
from audit.errors import Invalid, NotFound, NotPermitted, Refusal, RefusalKind
from audit.typeids import typeid

log = logging.getLogger(__name__)

PROBLEM_JSON: Final = "application/problem+json"
STATUS: Final[dict[RefusalKind, HTTPStatus]] = {
    RefusalKind.INVALID: HTTPStatus.BAD_REQUEST,
    RefusalKind.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    RefusalKind.FORBIDDEN: HTTPStatus.FORBIDDEN,
    RefusalKind.MISSING: HTTPStatus.NOT_FOUND,
    RefusalKind.CONFLICT: HTTPStatus.CONFLICT,
    RefusalKind.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    RefusalKind.UNSUPPORTED: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    RefusalKind.MISMATCH: HTTPStatus.UNPROCESSABLE_ENTITY,
    RefusalKind.EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
    RefusalKind.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}
# What only HTTP itself can get wrong, and what is our fault: no refusal stands behind these.
METHOD_NOT_ALLOWED: Final = "method_not_allowed"
INTERNAL: Final = "internal"
TITLES: Final[dict[str, tuple[HTTPStatus, str]]] = {
    METHOD_NOT_ALLOWED: (HTTPStatus.METHOD_NOT_ALLOWED, "This address does not take that method."),
    INTERNAL: (HTTPStatus.INTERNAL_SERVER_ERROR, "This is our fault, and it has been reported."),
}
# References inside the house are `model:uuid`; outside they are TypeIDs.
PREFIXES: Final = {
    "account": "acc",
    "transfer": "trf",
    "hold": "hld",
    "transferbatch": "bat",
    "approval": "apr",
    "partner": "par",
}
RETRY_AFTER: Final = "retry_after_seconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One answer that is a no: status, stable code, sentence, public facts and extra headers."""

    status: HTTPStatus
    code: str
    title: str
    retryable: bool = False
    facts: dict[str, object] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> HttpResponse:
        """Return the problem as bytes; the same problem is always the same bytes."""
        body = {
            "type": f"/problems/{self.code}",
            "title": self.title,
            "status": self.status.value,
            "code": self.code,
            "retryable": self.retryable,
            **self.facts,
        }
        content = json.dumps(body, separators=(",", ":")).encode()
        response = HttpResponse(content, status=self.status, content_type=PROBLEM_JSON)
        for name, value in self.headers.items():
            response[name] = value
        response["Cache-Control"] = "no-store"
        return response


def answer(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Return the problem for what went wrong in an endpoint; None for a fault of ours."""
    del context
    problem = problem_of(error)
    return problem.response() if problem else None


def problem_of(error: BaseException | None) -> Problem | None:
    """Return the problem that says `error` to a caller, None if it is a fault."""
    match error:
        case Refusal():
            return _of_refusal(error)
        case exceptions.MethodNotAllowed():
            return _plain(METHOD_NOT_ALLOWED)
        case OperationalError() | InterfaceError():
            log.warning("database unavailable", exc_info=error)
            return _of_refusal(Unavailable())
        case _:
            refusal = _translated(error)
            return _of_refusal(refusal) if refusal else None


def refused(refusal: Refusal) -> HttpResponse:
    """Return the answer for a refusal, for doors outside REST framework."""
    return _of_refusal(refusal).response()


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself finds malformed (`handler400`)."""
    del request, exception
    return refused(Invalid(fields={"request": "is malformed"}))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself forbids (`handler403`)."""
    del request, exception
    return refused(NotPermitted(permission=""))


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer addresses that lead nowhere (`handler404`)."""
    del request, exception
    return refused(NotFound(ref="address"))


def broken(request: HttpRequest) -> HttpResponse:
    """Answer what nobody expected (`handler500`); Django calls this inside its except."""
    del request
    return (problem_of(sys.exc_info()[1]) or _plain(INTERNAL)).response()


def _translated(error: BaseException | None) -> Refusal | None:
    """Return the refusal that says what a framework's own error means."""
    match error:
        case exceptions.PermissionDenied() | PermissionDenied():
            return NotPermitted(permission="")
        case exceptions.NotFound() | Http404():
            return NotFound(ref="address")
        case exceptions.UnsupportedMediaType():
            return UnsupportedMedia(wanted="application/json")
        case exceptions.APIException() | SuspiciousOperation():
            return Invalid(fields={"request": "is malformed"})
        case _:
            return None


def _of_refusal(refusal: Refusal) -> Problem:
    facts = {name: _shown(name, value) for name, value in refusal.facts().items()}
    headers: dict[str, str] = {}
    if RETRY_AFTER in facts:
        headers["Retry-After"] = str(facts[RETRY_AFTER])
    if isinstance(refusal, Unauthenticated):
        detail = ', error="invalid_token"' if refusal.reason == "invalid" else ""
        headers["WWW-Authenticate"] = f'Bearer realm="countersign"{detail}'
    return Problem(
        status=STATUS[refusal.kind],
        code=refusal.code,
        title=refusal.title,
        retryable=refusal.transient,
        facts=facts,
        headers=headers,
    )


def _plain(code: str) -> Problem:
    status, title = TITLES[code]
    return Problem(status=status, code=code, title=title)


def _shown(name: str, value: object) -> object:
    """Return a fact as it is shown outside: references as TypeIDs."""
    model, _, key = str(value).partition(":")
    if name != "ref" or model not in PREFIXES:
        return value
    try:
        return typeid(PREFIXES[model], UUID(key))
    except ValueError:
        return value
