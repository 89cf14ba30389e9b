"""Stripe's signature scheme v1: hex(HMAC-SHA256(secret, t + "." + body)) in `Stripe-Signature`.

Source: Stripe's documentation of webhook signatures and stripe-python's `_webhook.py`. Ours is
stricter: a window on both sides of now, one `t` only, no blanks and no repeated header.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from integrations.providers.base import Forged
from integrations.signing import any_equal, is_current, one_header

HEADER: Final = "Stripe-Signature"
HEADER_CHARS_MAX: Final = 2_048
ELEMENTS_MAX: Final = 16
BODY_BYTES_MAX: Final = 1 << 20

_ELEMENT: Final = re.compile(r"[a-z][a-z0-9]{0,15}=[!-+\--~]{1,256}", re.ASCII)
_INSTANT: Final = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)


def forgery(
    *, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
) -> Forged | None:
    """Return why `body` is not provably Stripe's and of just now, or None. Never raises."""
    if len(body) > BODY_BYTES_MAX:
        return Forged("the body is too large")
    usable = [secret for secret in secrets if secret]
    if not usable:
        return Forged("no secret is configured")
    header = one_header(headers, HEADER)
    parsed = _parse(header) if header is not None else None
    if parsed is None:
        return Forged("the signature header is missing, repeated or malformed")
    instant, signatures = parsed
    expected = [sign(body, instant=instant, secret=secret) for secret in usable]
    if not any_equal(signatures, [digest.encode() for digest in expected]):
        return Forged("no signature matches")
    if not is_current(int(instant), now=now):
        return Forged("the signed instant is outside the window")
    return None


def sign(body: bytes, *, instant: str, secret: str) -> str:
    """Return the v1 signature of `body` at `instant` (Unix seconds, as text)."""
    signed = instant.encode() + b"." + body
    return hmac.new(secret.encode("utf-8", "surrogatepass"), signed, hashlib.sha256).hexdigest()


def signature_header(body: bytes, *, at: int, secret: str) -> str:
    """Return the `Stripe-Signature` that Stripe would send with `body`. For doubles and tests."""
    return f"t={at},v1={sign(body, instant=str(at), secret=secret)}"


def _parse(header: str) -> tuple[str, list[bytes]] | None:
    """Return the instant, as signed, and all v1 signatures; None unless well formed."""
    if len(header) > HEADER_CHARS_MAX:
        return None
    elements = header.split(",")
    if len(elements) > ELEMENTS_MAX or not all(map(_ELEMENT.fullmatch, elements)):
        return None
    pairs = [element.split("=", 1) for element in elements]
    instants = [value for scheme, value in pairs if scheme == "t"]
    signatures = [value.encode() for scheme, value in pairs if scheme == "v1"]
    if len(instants) != 1 or not _INSTANT.fullmatch(instants[0]) or not signatures:
        return None
    return instants[0], signatures
