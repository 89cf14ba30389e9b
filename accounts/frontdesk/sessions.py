"""Sessions: encrypted in the database, bound to their own key, ended by fifteen idle minutes.

A session holds the seed of an authenticator being enrolled and the form that
waits for a step-up. Named in SESSION_ENGINE.
"""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.http import HttpRequest, HttpResponse

from accounts.crypto.codec import Tampered, seal, unseal

TOUCH_SECONDS: Final = 60
SEEN_AT: Final = "seen_at"


class SessionStore(DatabaseSessionStore):
    """Django's database sessions with the contents sealed under MFA_KEY."""

    def encode(self, session_dict: dict[str, Any]) -> str:
        """Seal the contents, bound to the session's key."""
        plain = self.serializer().dumps(session_dict)
        sealed = seal(plain, key=settings.MFA_KEY, place=self._place)
        return urlsafe_b64encode(sealed).decode()

    def decode(self, session_data: str | bytes) -> dict[str, Any]:
        """Return the contents; an empty session where they are not ours or not of this key."""
        try:
            sealed = urlsafe_b64decode(session_data)
            plain = unseal(sealed, key=settings.MFA_KEY, place=self._place)
            found: dict[str, Any] = self.serializer().loads(plain)
        except (Tampered, NotBase64, ValueError):
            return {}
        return found

    @property
    def _place(self) -> tuple[str, ...]:
        return ("django_session", "session_data", self.session_key or "")


class IdleMiddleware:
    """Moves the end of a session on while it is used, at most once a minute.

    Saving on each request would let two that overlap overwrite each other.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the next step."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Mark a signed-in session as seen now."""
        session = request.session
        if "_auth_user_id" in session and time.time() - session.get(SEEN_AT, 0) > TOUCH_SECONDS:
            session[SEEN_AT] = int(time.time())
        return self.get_response(request)
