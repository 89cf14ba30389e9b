"""The second factor: proven in this session, still enrolled, and how long ago.

allauth neither makes a factor mandatory nor asks for it before a grave act
(its own re-authentication takes a password). These few lines do.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, cast

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import suspend_request
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

STRONG: Final = (Authenticator.Type.TOTP,)
STEP_UP_SECONDS_MAX: Final = 300
WORKING_DAY_SECONDS_MAX: Final = 12 * 3600


def last_proof(request: HttpRequest, *, is_strong: bool = False) -> float | None:
    """Return when this session last proved a second factor, in seconds since 1970.

    `is_strong` leaves recovery codes out: a printed sheet is no proof of presence.
    """
    records = get_authentication_records(request, cast("Any", request.user))
    return max(
        (
            record["at"]
            for record in records
            if record.get("method") == "mfa" and (not is_strong or record.get("type") in STRONG)
        ),
        default=None,
    )


def is_proven(request: HttpRequest) -> bool:
    """Say whether the session proved a second factor today and the login still has one."""
    at = last_proof(request)
    is_fresh = at is not None and time.time() - at < WORKING_DAY_SECONDS_MAX
    return is_fresh and is_mfa_enabled(request.user, STRONG)


def proof_page(request: HttpRequest) -> str:
    """Return where this login proves its second factor, or gets its first one."""
    has_one = is_mfa_enabled(request.user, STRONG)
    return reverse("mfa_reauthenticate" if has_one else "mfa_activate_totp")


def step_up(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let `view` run only within five minutes of a strong proof; else ask for one, then resume.

    Works on views and on admin methods. Ask on the form's GET too: a POST is
    kept in the (encrypted) session and replayed, its files are not.
    """

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        request = next(arg for arg in args if isinstance(arg, HttpRequest))
        at = last_proof(request, is_strong=True)
        if at is None or time.time() - at > STEP_UP_SECONDS_MAX:
            return ask(request)
        return view(*args, **kwargs)

    return guarded


def ask(request: HttpRequest) -> HttpResponse:
    """Send the person to prove themselves; what they were doing resumes afterwards."""
    return cast("HttpResponse", suspend_request(request, proof_page(request)))
