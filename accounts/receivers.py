"""What the sign-in packages tell us, turned into audit entries. The one place of signals.

Connected in the processes that have those packages. Every entry is written by a
command of `services.signins`; nobody anonymous may grow the log, so a failure
counts only for a login that exists, and at most ten a minute.
"""

from typing import Any, Final, cast

from allauth.account.internal.flows.login import record_authentication
from allauth.account.signals import password_changed, user_logged_in, user_logged_out
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
    authenticator_used,
)
from axes.signals import user_locked_out
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.core.cache import cache
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.frontdesk.attempts import attempted_name
from accounts.frontdesk.staff import as_actor
from accounts.models import User
from accounts.selectors.staff import staff_by_email
from accounts.services import signins
from audit.actors import Actor, ActorKind

FAILURES_A_MINUTE_MAX: Final = 10
DOOR: Final = Actor(
    kind=ActorKind.SYSTEM,
    id="front-desk",
    label="Front desk",
    credential="none",
    grants=frozenset({"accounts.note_failed_sign_in", "accounts.note_lock_out"}),
)


def _self(user: User, *, request: HttpRequest, doing: str) -> Actor:
    """Return somebody acting on their own login."""
    return as_actor(user, request=request, grants=frozenset({f"accounts.{doing}"}))


@receiver(user_logged_in, dispatch_uid="entries.signed_in")
def _signed_in(*, request: HttpRequest, user: User, **_: Any) -> None:
    records: list[dict[str, Any]] = request.session.get("account_authentication_methods", [])
    methods = [str(record.get("type") or record.get("method")) for record in records]
    actor = _self(user, request=request, doing="note_sign_in")
    signins.note_sign_in(actor=actor, user=user, methods=methods)


@receiver(user_logged_out, dispatch_uid="entries.signed_out")
def _signed_out(*, request: HttpRequest, user: User | None, **_: Any) -> None:
    if isinstance(user, User):
        actor = _self(user, request=request, doing="note_sign_out")
        signins.note_sign_out(actor=actor, user=user)


@receiver(password_changed, dispatch_uid="entries.password_changed")
def _password_changed(*, request: HttpRequest, user: User, **_: Any) -> None:
    actor = _self(user, request=request, doing="note_password_change")
    signins.note_password_change(actor=actor, user=user)


@receiver(authenticator_used, dispatch_uid="entries.authenticator_used")
def _used(*, request: HttpRequest, user: User, authenticator: Authenticator, **said: Any) -> None:
    if said.get("reauthenticated"):
        actor = _self(user, request=request, doing="note_step_up")
        signins.note_step_up(actor=actor, user=user, method=authenticator.type)


@receiver(authenticator_added, dispatch_uid="entries.authenticator_added")
def _added(*, request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    _note_change(request, user=user, authenticator=authenticator, change="added")
    if authenticator.type == Authenticator.Type.TOTP:
        # Enrolling took a valid code: that is a proof, and the used code cannot be given again.
        record_authentication(request, user, method="mfa", type=authenticator.type)


@receiver(authenticator_removed, dispatch_uid="entries.authenticator_removed")
def _removed(*, request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    _note_change(request, user=user, authenticator=authenticator, change="removed")


@receiver(authenticator_reset, dispatch_uid="entries.authenticator_reset")
def _reset(*, request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    _note_change(request, user=user, authenticator=authenticator, change="reset")


def _note_change(
    request: HttpRequest, *, user: User, authenticator: Authenticator, change: str
) -> None:
    actor = _self(user, request=request, doing="note_authenticator")
    signins.note_authenticator(actor=actor, user=user, change=change, kind=authenticator.type)


@receiver(authentication_failed, dispatch_uid="entries.code_failed")
def _code_failed(*, user: User, **_: Any) -> None:
    _note_failure(user, step="second factor")


@receiver(user_login_failed, dispatch_uid="entries.password_failed")
def _password_failed(
    *, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    if request is None or getattr(request, "axes_locked_out", False):
        return  # a lock is written down as a lock
    user = staff_by_email(attempted_name(request, credentials) or "")
    if user is not None:
        _note_failure(user, step="password")


@receiver(user_locked_out, dispatch_uid="entries.locked_out")
def _locked_out(*, username: str | None, ip_address: str, **_: Any) -> None:
    user = staff_by_email(username or "")
    seconds = int(cast("Any", settings).AXES_COOLOFF_TIME.total_seconds())
    if user is not None and cache.add(f"locked-out:{user.pk}:{ip_address}", 1, seconds):
        signins.note_lock_out(actor=DOOR, user=user, minutes=seconds // 60)


def _note_failure(user: User, *, step: str) -> None:
    """Write a failure down unless this login had its ten of this minute."""
    key = f"sign-in-failures:{user.pk}"
    cache.add(key, 0, 60)
    try:
        count = cache.incr(key)
    except ValueError:  # the minute ended between the two lines
        count = 1
    if count <= FAILURES_A_MINUTE_MAX:
        is_last = count == FAILURES_A_MINUTE_MAX
        signins.note_failed_sign_in(actor=DOOR, user=user, step=step, is_last=is_last)
