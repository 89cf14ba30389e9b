"""Sealed boxes (libsodium): whoever holds the public half can close one, not open it."""

from base64 import urlsafe_b64decode
from functools import cache

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from accounts.crypto.codec import Tampered


def close_box(content: bytes, *, public_key: str) -> bytes:
    """Encrypt `content` to `public_key` (url-safe base64 of 32 bytes)."""
    return SealedBox(PublicKey(urlsafe_b64decode(public_key))).encrypt(content)


def open_box(box: bytes, *, private_key: str) -> bytes:
    """Return what was closed in; Tampered if it was closed for another key or changed."""
    try:
        return _opener(private_key).decrypt(box)
    except CryptoError as error:
        raise Tampered("this box was not closed for this key") from error


@cache
def _opener(private_key: str) -> SealedBox[PrivateKey]:
    """Return what opens boxes of this key, whose public half takes longer to find than to use."""
    return SealedBox(PrivateKey(urlsafe_b64decode(private_key)))
