"""What every partner endpoint shares: JSON whatever was asked for, and ids in paths."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpRequest
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.frontdesk.authentication import actor_of
from accounts.frontdesk.parsing import shown_name
from accounts.frontdesk.throttles import spend, writes_of_a_client
from audit.errors import NotFound
from audit.typeids import parse_typeid


class OnlyJson(BaseContentNegotiation):
    """Takes the parser of the body's type and always answers in JSON: `Accept` changes nothing."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        """Return the parser for the content type; none answers 415."""
        wanted = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == wanted), None)

    def select_renderer(  # noqa: PLR0917 - REST framework's signature
        self, request: HttpRequest, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the one renderer."""
        del request, format_suffix
        return renderers[0], renderers[0].media_type


class Endpoint(APIView):
    """A door for partners. Subclasses parse, call one command or selector, and render.

    `scopes` says for the documents which scope opens each method, `takes_key` which
    methods want an Idempotency-Key; commands and selectors enforce both. What takes a
    key changes something, and is counted against its client's rate.
    """

    scopes: ClassVar[Mapping[str, str]] = {}
    takes_key: ClassVar[tuple[str, ...]] = ()

    content_negotiation_class = OnlyJson
    metadata_class = None
    http_method_names: Sequence[str] = ("get", "head", "post")

    def check_throttles(self, request: Request) -> None:
        """Count a call that changes something, before its body is read. RateLimited."""
        if request.method in self.takes_key:
            spend(writes_of_a_client(), who=actor_of(request).id)


def id_in_path(prefix: str, text: str) -> UUID:
    """Return the key inside a TypeID of the path; NotFound, as for unknown ones, if malformed."""
    try:
        return parse_typeid(prefix, text)
    except ValueError:
        raise NotFound(ref=shown_name(text)) from None
