"""Blind indexes: finding sealed data by exactly what it says, without opening any of it.

HMAC-SHA-256 under a key drawn from the vault's for this one use, bound to the kind of data and to
the book: the same IBAN in two books has two indexes, and without the key nobody can try IBANs out.
"""

import hmac
from base64 import urlsafe_b64decode
from functools import lru_cache
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.conf import settings

from accounts.crypto.codec import KEYS_READY

USE: Final = b"countersign blind index v1\n"


def blind_index(text: str, *, label: str, book_id: UUID) -> str:
    """Return the index, 64 hex digits, under which `text` of this kind is found in its book."""
    said = "\n".join((label, str(book_id), text)).encode()
    return hmac.digest(_drawn(settings.VAULT_KEY), said, sha256).hex()


@lru_cache(maxsize=KEYS_READY)
def _drawn(key: str) -> bytes:
    """Return the key of this use that is drawn from the vault's."""
    return hmac.digest(urlsafe_b64decode(key), USE, sha256)
