"""A column that holds only `Sealed` values and never opens one by itself.

Built on django-cryptography's field machinery (no lookups but `isnull`, no
related fields) with its codec switched off: the stock one unpickles, knows no
key ids and binds nothing, so its `encrypt()` is not used anywhere.
"""

from typing import Any

from django.core.exceptions import FieldError
from django.db import models
from django_cryptography.fields import EncryptedMixin

from accounts.crypto.codec import Sealed


class _Shell(EncryptedMixin, models.BinaryField):  # type: ignore[type-arg]
    """Keeps the package's mixin two levels up, where its deconstruct leaves us alone."""

    base_class = models.BinaryField
    wasinstance = True


class SealedField(_Shell):
    """A bytea column of `Sealed` values: what is not sealed cannot be stored."""

    def _dump(self, value: Any) -> bytes:
        """Return ciphertext as it is; refuse anything else."""
        if not isinstance(value, Sealed):
            raise FieldError(f"{self.name} takes sealed values only")
        return bytes(value)

    def _load(self, value: bytes) -> Sealed:
        """Return the stored bytes, still sealed."""
        return Sealed(value)

    def value_to_string(self, obj: models.Model) -> str:
        """Refuse to be dumped."""
        raise FieldError(f"{self.name} of {obj._meta.label} is not serialised")  # noqa: SLF001
