"""From a staff session to an Actor."""

from hashlib import sha256
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.frontdesk.second_factor import is_proven, step_up
from accounts.models import User
from accounts.selectors.staff import grants_held
from audit.actors import Actor, ActorKind

__all__ = ["as_actor", "credential", "officer", "step_up"]


def officer(request: HttpRequest) -> Actor:
    """Return who is at this desk, with what their roles allow at this moment.

    Roles are read once a request, so a withdrawn one counts from the next click.
    Without a proven second factor the officer holds nothing; nobody but staff is one.
    """
    here: dict[str, Any] = vars(request)
    if "officer" not in here:
        user = request.user
        if not (isinstance(user, User) and user.is_active and user.is_staff):
            raise PermissionDenied
        grants = grants_held(user.pk) if is_proven(request) else frozenset[str]()
        here["officer"] = as_actor(user, request=request, grants=grants)
    return cast("Actor", here["officer"])


def as_actor(user: User, *, request: HttpRequest, grants: frozenset[str]) -> Actor:
    """Return a login as an actor that holds `grants`."""
    return Actor(
        kind=ActorKind.STAFF,
        id=str(user.pk),
        label=user.email,
        credential=credential(request),
        grants=grants,
        person_id=user.person_id,
    )


def credential(request: HttpRequest) -> str:
    """Return a name for the session that cannot be turned back into its cookie."""
    key = request.session.session_key or ""
    return f"session:{sha256(key.encode()).hexdigest()[:12]}"
