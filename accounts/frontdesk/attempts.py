"""Whose failures are counted, and from where: what django-axes asks us."""

from typing import Any

from allauth.account.adapter import get_adapter
from django.http import HttpRequest


def attempted_name(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str | None:
    """Return the address somebody tried to sign in with, lower case.

    Left to itself axes finds none in allauth's form, and then one person's
    failures lock everybody behind the same IP address.
    """
    given = credentials or {}
    name = given.get("email") or given.get("username") or request.POST.get("login") or ""
    return str(name).strip().lower()[:254] or None


def client_address(request: HttpRequest) -> str:
    """Return the address allauth's limits count by, so that both count the same."""
    return str(get_adapter(request).get_client_ip(request))
