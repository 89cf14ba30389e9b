"""Who may sign in at all."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.base_user import AbstractBaseUser


class StaffBackend(AuthenticationBackend):  # type: ignore[misc]
    """E-mail and password of active staff. Asked on each request too, so closing a login is final.

    Grants no permission: those come from roles (`frontdesk.staff.officer`).
    """

    def user_can_authenticate(self, user: AbstractBaseUser | None) -> bool:
        """Let in active staff only; an API client's service user never."""
        return bool(super().user_can_authenticate(user) and getattr(user, "is_staff", False))

    def _check_password(self, user: AbstractBaseUser | None, password: str) -> Any:
        """Treat whoever may not sign in like a wrong password.

        The package would hand them on under the counter, for a page that says the login
        exists; and its sign-in looks at `is_active` only.
        """
        found = super()._check_password(user, password)
        if found is None:
            self._stash_user(None)
        return found

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:  # noqa: PLR0917 - Django's
        """Grant nothing by Django's own tables."""
        del user_obj, perm, obj
        return False

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Grant nothing by Django's own tables."""
        del user_obj, obj
        return set()

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Grant nothing by Django's own tables."""
        del user_obj, app_label
        return False
