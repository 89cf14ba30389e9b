"""What a browser may load and run on the staff's pages, and the two named exceptions to it."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

STRICT: Final[dict[str, str]] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",  # the QR code of an authenticator is a data: image
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
}
# Unfold's pages only, behind sign-in; the pages that take passwords and codes stay strict.
EXCEPTIONS: Final[dict[str, tuple[str, str]]] = {
    "script-src": ("'unsafe-eval'", "Unfold's Alpine compiles the expressions in its attributes"),
    "style-src": ("'unsafe-inline'", "Unfold writes its theme colours into a style element"),
}
EXCEPTED_PATH: Final = "/admin/"


def policy(path: str) -> str:
    """Return the Content-Security-Policy of a page."""
    rules = dict(STRICT)
    if path.startswith(EXCEPTED_PATH):
        for directive, (source, _) in EXCEPTIONS.items():
            rules[directive] = f"{rules[directive]} {source}"
    return "; ".join(f"{directive} {sources}" for directive, sources in rules.items())


class PolicyMiddleware:
    """Puts the policy on every answer, and keeps staff's pages out of shared caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the next step."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add the headers; an answer that sets its own Cache-Control keeps it."""
        response = self.get_response(request)
        response.headers["Content-Security-Policy"] = policy(request.path)
        response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response
