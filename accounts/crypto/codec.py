"""AES-256-GCM with the place of the value bound in. For the vault, answers and sign-in."""

import os
from base64 import urlsafe_b64decode
from functools import lru_cache
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.errors import Fault

FORMAT: Final = b"\x01"
NONCE_BYTES: Final = 12
KEY_ID_BYTES: Final = 4
KEYS_READY: Final = 8  # a process holds one or two, for as long as it runs


class Tampered(Fault):
    """A sealed value does not belong where it was found, or was changed."""


class Sealed(bytes):
    """Ciphertext: format, key id, nonce, AES-256-GCM body. All that a sealed column holds."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Show the size, never the bytes."""
        return f"<Sealed {len(self)} bytes>"

    __str__ = __repr__


def seal(plain: bytes, *, key: str, place: tuple[str, ...]) -> Sealed:
    """Encrypt `plain` under `key` (url-safe base64 of 32 bytes), bound to `place`.

    `place` is table, column, row id and whatever else must not be swapped.
    """
    head, cipher = _ready(key)
    nonce = os.urandom(NONCE_BYTES)
    return Sealed(head + nonce + cipher.encrypt(nonce, plain, _bound(head, place)))


def unseal(sealed: bytes, *, key: str, place: tuple[str, ...]) -> bytes:
    """Return what `seal` was given; Tampered if the key, the place or a bit is another."""
    ours, cipher = _ready(key)
    cut = len(ours)
    head, nonce, body = sealed[:cut], sealed[cut : cut + NONCE_BYTES], sealed[cut + NONCE_BYTES :]
    if head != ours:
        raise Tampered(f"{place}: sealed under another key")
    try:
        return cipher.decrypt(nonce, body, _bound(head, place))
    except InvalidTag:
        raise Tampered(f"{place}: does not belong here") from None


@lru_cache(maxsize=KEYS_READY)
def _ready(key: str) -> tuple[bytes, AESGCM]:
    """Return what all that is sealed under `key` begins with, and its cipher."""
    raw = urlsafe_b64decode(key)
    return FORMAT + _key_id(raw), AESGCM(raw)


def _key_id(raw: bytes) -> bytes:
    """Return a name for the key that says nothing about it."""
    return sha256(b"countersign key id\n" + raw).digest()[:KEY_ID_BYTES]


def _bound(head: bytes, place: tuple[str, ...]) -> bytes:
    """Return the associated data: every part behind its length, so no two places are alike."""
    parts = [head, *(part.encode() for part in place)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
