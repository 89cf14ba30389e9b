"""allauth's sign-in, made strict: nobody signs up, and a password alone proves nothing."""

from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal import ratelimit
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest

from accounts.frontdesk.second_factor import STRONG

# allauth counts wrong passwords and wrong codes under one name. Codes keep its tight limit (5 in
# 5 minutes a person); passwords get a wider one here, so that the lock of axes is what fires.
PASSWORD_RATES: Final = {"password": "60/m/ip,40/300s/key"}


class StaffAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """What allauth asks about logins."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Say no: people are invited."""
        del request
        return False

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Offer the second factor alone wherever there is one."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [way for way in methods if way["id"].startswith("mfa_")] or methods

    def reauthenticate(self, user: Any, password: str) -> bool:
        """Refuse a password from somebody who has a second factor."""
        if is_mfa_enabled(user, STRONG):
            return False
        return bool(super().reauthenticate(user, password))

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count this password before it is checked; too many are not checked at all."""
        self._login_failed_rl_usage = ratelimit.consume(
            request,
            app="allauth.account",
            action="password",
            config=PASSWORD_RATES,
            key=self._get_login_attempts_cache_key(request, **credentials),
        )
        if not self._login_failed_rl_usage:
            raise self.validation_error("too_many_login_attempts")
