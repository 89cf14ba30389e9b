"""The wire itself: sizes, lengths and headers that lie, faults, and what the log keeps quiet."""

import http.client
import json
import logging
from io import BytesIO
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from audit.circumstances import current
from config.logging import JsonFormatter, without_personal_data
from config.middleware import (
    BODY_BYTES_MAX,
    BodyLimitMiddleware,
    CircumstancesMiddleware,
    request_id_of,
    trace_of,
)
from tests.partners import PartnerWorld, acme
from tests.processes import api_process

__all__ = ["acme"]
pytestmark = pytest.mark.role("api")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Unread(BytesIO):
    """A body that must not be read."""

    def read(self, *_: Any) -> bytes:
        """Fail."""
        raise AssertionError("the body was read")


def through(**environ: Any) -> tuple[HttpResponse, bytes]:
    """Send a request through the limit alone; return the answer and the body that was seen."""
    seen: list[bytes] = []

    def inner(request: HttpRequest) -> HttpResponse:
        seen.append(request.read())
        return HttpResponse()

    request = RequestFactory().generic("POST", "/", **environ)
    return BodyLimitMiddleware(inner)(request), b"".join(seen)


def test_a_body_that_says_it_is_too_long_is_never_read() -> None:
    length = str(BODY_BYTES_MAX + 1)
    answer, _ = through(**{"CONTENT_LENGTH": length, "wsgi.input": Unread()})
    assert (answer.status_code, answer["Content-Type"]) == (413, "application/problem+json")
    assert json.loads(answer.content)["code"] == "body_too_large"


@pytest.mark.parametrize("length", ["", "-5", "abc", "1e9", "²", "5"])
def test_a_chunked_body_is_counted_whatever_its_length_claims(length: str) -> None:
    environ = {"CONTENT_LENGTH": length, "HTTP_TRANSFER_ENCODING": "chunked"}
    large = BytesIO(b"x" * (BODY_BYTES_MAX + 1))
    assert through(**environ, **{"wsgi.input": large})[0].status_code == 413
    answer, seen = through(**environ, **{"wsgi.input": BytesIO(b"hello")})
    assert (answer.status_code, seen) == (200, b"hello")


def test_a_body_longer_than_it_claims_is_cut_there() -> None:
    answer, seen = through(**{"CONTENT_LENGTH": "3", "wsgi.input": BytesIO(b"abcdef")})
    assert (answer.status_code, seen) == (200, b"abc")


def test_a_body_of_just_the_limit_passes() -> None:
    body = BytesIO(b"x" * BODY_BYTES_MAX)
    _, seen = through(**{"CONTENT_LENGTH": str(BODY_BYTES_MAX), "wsgi.input": body})
    assert len(seen) == BODY_BYTES_MAX


def test_over_real_http_chunks_are_read_and_limited(acme: PartnerWorld) -> None:
    with api_process() as process:
        headers = {
            "Authorization": f"Bearer {acme.token()}",
            "Idempotency-Key": "chunked-transfer-0001",
            "Content-Type": "application/json",
        }
        said = []
        for body in (json.dumps(acme.internal()).encode(), b"x" * (BODY_BYTES_MAX + 1)):
            line = http.client.HTTPConnection("127.0.0.1", process.port, timeout=20)
            chunks = [body[at : at + 65536] for at in range(0, len(body), 65536)]
            line.request("POST", "/v1/transfers", iter(chunks), headers, encode_chunked=True)
            said.append(line.getresponse().status)
            line.close()
        assert said == [201, 413]


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", TRACE),
        (f"cc-{TRACE}-00f067aa0ba902b7-00", TRACE),
        (f"ff-{TRACE}-00f067aa0ba902b7-01", None),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-00f067aa0ba902b7-01", None),
        (f"00-{TRACE}-00f067aa0ba902b7", None),
        (f"00-{TRACE}-00f067aa0ba902b7-01-more", None),
        ("", None),
    ],
)
def test_a_trace_is_taken_from_a_valid_traceparent_only(header: str, trace: str | None) -> None:
    found = trace_of(RequestFactory().get("/", headers={"traceparent": header}))
    assert len(found) == 32
    assert (found == TRACE) is (trace is not None)


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\r\nSet-Cookie: b", "ü"])
def test_a_strange_request_id_is_replaced(given: str) -> None:
    request = RequestFactory().get("/")
    request.META["HTTP_X_REQUEST_ID"] = given
    assert request_id_of(request) != given


def test_circumstances_hold_during_the_call_and_are_echoed() -> None:
    seen = []

    def inner(request: HttpRequest) -> HttpResponse:
        del request
        seen.append(current())
        return HttpResponse()

    headers = {
        "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
        "X-Request-Id": "mine-1",
        "User-Agent": "x" * 500,
    }
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR="192.0.2.1")
    answer = CircumstancesMiddleware(inner)(request)
    (here,) = seen
    assert (here.trace_id, here.request_id, here.address) == (TRACE, "mine-1", "192.0.2.1")
    assert len(here.user_agent) == 200
    assert (answer["X-Trace-Id"], answer["X-Request-Id"]) == (TRACE, "mine-1")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OperationalError("host=secret"), 503, "unavailable"),
        (RuntimeError("secret"), 500, "internal"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/docs", "/v1/oauth/token"])
def test_a_fault_is_a_problem_that_tells_nothing(
    acme: PartnerWorld,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    error: Exception,
    status: int,
    code: str,
) -> None:
    token = acme.token()

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("accounts.frontdesk.authentication.speaker_of_token", fail)
    monkeypatch.setattr("config.pages.document", fail)
    monkeypatch.setattr("accounts.api.token.client_asking", fail)
    answer = acme.call("POST" if "oauth" in path else "GET", path, token=token)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert "secret" not in answer.content.decode()
    assert ("Retry-After" in answer) is (status == 503)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/accounts/",
        "/v1/nothing",
        "/admin/",
        "/%00",
        "/problems/../x",
        "/problems/nothing",
    ],
)
def test_an_address_that_leads_nowhere_is_a_problem(acme: PartnerWorld, path: str) -> None:
    answer = acme.http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer["Content-Type"] == "application/problem+json"


def test_a_host_we_are_not_is_refused_where_it_matters(acme: PartnerWorld) -> None:
    answer = acme.http.get("/v1/docs", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_pages_carry_nothing_from_elsewhere_and_no_script(acme: PartnerWorld) -> None:
    for path in ("/v1/docs", "/problems/key_in_flight"):
        page = acme.http.get(path).content.decode()
        assert "<script" not in page
        assert "https://" not in page
        assert page.count("<h1>") == 1


def test_the_docs_page_shows_every_call_with_a_command(acme: PartnerWorld) -> None:
    page = acme.http.get("/v1/docs").content.decode()
    paths = acme.http.get("/v1/openapi.json").json()["paths"]
    for path in paths:
        assert f"<code>{path}</code>" in page
    assert page.count("curl -s") == sum(len(methods) for methods in paths.values())


def test_a_log_line_is_json_without_what_is_personal() -> None:
    error = RuntimeError("ada@example.com")
    said = ("DE89370400440532013000",)
    record = logging.LogRecord(
        "x", logging.ERROR, "f", 1, "no %s", said, (type(error), error, None)
    )
    record.status, record.body = 500, "Ada Lovelace"
    line = json.loads(JsonFormatter().format(record))
    assert line["message"] == "no [removed]"
    assert (line["error"], line["status"]) == ("RuntimeError", 500)
    assert "Ada" not in json.dumps(line)
    assert "ada@" not in json.dumps(line)


@pytest.mark.parametrize(
    "text",
    [
        "ada.l+x@example.co.uk",
        "GB33BUKB20201555555555",
        "4242 4242 4242 4242",
        "Bearer abc.def-123",
    ],
)
def test_what_looks_personal_is_removed(text: str) -> None:
    assert without_personal_data(f"a {text} b") == "a [removed] b"
