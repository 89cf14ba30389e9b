"""Seeds of authenticators at rest: sealed under MFA_KEY and bound to their user.

The package's own hook gets the text and not the user, so a sealed seed copied to
another user's row would be accepted. The row's signals know both. Connected by
`AccountsConfig.ready` where the package is installed.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models.signals import post_init, post_save, pre_save

from accounts.crypto.codec import seal, unseal

SECRET_NAMES: Final = frozenset({"secret", "seed"})
MARK: Final = "sealed:"


def connect() -> None:
    """Seal before each write, open after each read and write."""
    pre_save.connect(_seal_seeds, sender=Authenticator, dispatch_uid="seeds.seal")
    post_save.connect(_open_seeds, sender=Authenticator, dispatch_uid="seeds.saved")
    post_init.connect(_open_seeds, sender=Authenticator, dispatch_uid="seeds.read")


def _seal_seeds(instance: Authenticator, **_: Any) -> None:
    data: dict[str, Any] = instance.data
    for name in SECRET_NAMES & data.keys():
        if not data[name].startswith(MARK):
            sealed = seal(
                data[name].encode(), key=settings.MFA_KEY, place=_place(instance, name=name)
            )
            instance.data = {**instance.data, name: MARK + urlsafe_b64encode(sealed).decode()}


def _open_seeds(instance: Authenticator, **_: Any) -> None:
    data: dict[str, Any] = instance.__dict__.get("data") or {}
    for name in SECRET_NAMES & data.keys():
        if data[name].startswith(MARK):
            sealed = urlsafe_b64decode(data[name].removeprefix(MARK))
            plain = unseal(sealed, key=settings.MFA_KEY, place=_place(instance, name=name))
            instance.data = {**instance.data, name: plain.decode()}


def _place(instance: Authenticator, *, name: str) -> tuple[str, ...]:
    return ("mfa_authenticator", "data", str(instance.user_id), instance.type, name)
