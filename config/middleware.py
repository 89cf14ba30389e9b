"""Around every request: where it came from, how large it may be, and one line in the log."""

import logging
import re
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from accounts.frontdesk.errors import BodyTooLarge
from audit.circumstances import new_trace_id, under
from config.api import refused

log = logging.getLogger("countersign.request")

BODY_BYTES_MAX: Final = 1024 * 1024
# Where a body may be larger: a batch, and a file of them, holds up to 10,000 transfers.
BODY_BYTES_MAX_AT: Final = {
    "/v1/transfer-batches": 8 * 1024 * 1024,
    "/admin/transactions/batchfile/upload/": 8 * 1024 * 1024,
}
# W3C Trace Context: version, trace id, parent id, flags; all zeros is no trace.
TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
GetResponse = Callable[[HttpRequest], HttpResponse]


class CircumstancesMiddleware:
    """Runs each request under its trace, address, user agent and id, and echoes the ids."""

    def __init__(self, get_response: GetResponse) -> None:
        """Take the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request and write its one line: no query, no body, nobody's name."""
        trace_id, request_id = trace_of(request), request_id_of(request)
        started = time.monotonic()
        with under(
            trace_id=trace_id,
            request_id=request_id,
            address=str(request.META.get("REMOTE_ADDR") or ""),
            user_agent=_printable(request.headers.get("User-Agent", "")),
        ):
            response = self.get_response(request)
            _write_line(request, response=response, seconds=time.monotonic() - started)
        response["X-Request-Id"] = request_id
        response["X-Trace-Id"] = trace_id
        return response


class BodyLimitMiddleware:
    """Refuses bodies above the path's limit before anything reads them, whatever they claim."""

    def __init__(self, get_response: GetResponse) -> None:
        """Take the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer 413, or let the request through with a body of known length."""
        bytes_max = BODY_BYTES_MAX_AT.get(request.path, BODY_BYTES_MAX)
        if not self._fits(request, bytes_max=bytes_max):
            return refused(BodyTooLarge(bytes_max=bytes_max))
        return self.get_response(request)

    def _fits(self, request: HttpRequest, *, bytes_max: int) -> bool:
        length = str(request.META.get("CONTENT_LENGTH") or "")
        is_chunked = "HTTP_TRANSFER_ENCODING" in request.META
        if not is_chunked and (not length or (length.isascii() and length.isdigit())):
            # Django reads no further than this length, so a longer body is never seen.
            return int(length or 0) <= bytes_max
        return self._read_whole(request, bytes_max=bytes_max)

    def _read_whole(self, request: HttpRequest, *, bytes_max: int) -> bool:
        """Read a body of unknown length up to the limit, and give it the length it has."""
        source: Any = request.META.get("wsgi.input")
        body = source.read(bytes_max + 1) if source is not None else b""
        if len(body) > bytes_max:
            return False
        request.META["CONTENT_LENGTH"] = str(len(body))
        request._stream = BytesIO(body)  # noqa: SLF001
        return True


def trace_of(request: HttpRequest) -> str:
    """Return the caller's trace id where its `traceparent` is valid, else a fresh one."""
    found = TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
    return found[1] if found else new_trace_id()


def request_id_of(request: HttpRequest) -> str:
    """Return the caller's request id where it is short and plain, else a fresh one."""
    given = request.headers.get("X-Request-Id", "")
    return given if REQUEST_ID.fullmatch(given) else new_trace_id()


def _printable(text: str) -> str:
    return "".join(char if char.isascii() and char.isprintable() else "?" for char in text)


def _write_line(request: HttpRequest, *, response: HttpResponse, seconds: float) -> None:
    """Log the route, never the path: paths hold ids and keys."""
    match = request.resolver_match
    log.info(
        "request",
        extra={
            "method": request.method,
            "route": match.route if match else "",
            "status": response.status_code,
            "duration_ms": round(seconds * 1000, 1),
        },
    )
