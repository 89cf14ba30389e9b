"""Standard Webhooks, symmetric: base64(HMAC-SHA256(secret, id.timestamp.body)) as `v1,<base64>`.

Source: the Standard Webhooks specification. Its Python library raises on malformed signatures,
so the check is ours: the base64 texts are compared, in constant time, and nothing is decoded.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from integrations.providers.base import Forged
from integrations.signing import any_equal, is_current, one_header

ID_HEADER: Final = "webhook-id"
TIMESTAMP_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the mark of a secret, not one
SECRET_BYTES_MIN: Final = 16
SIGNATURES_MAX: Final = 16
SIGNATURES_CHARS_MAX: Final = 2_048
BODY_BYTES_MAX: Final = 1 << 20

# No dot in an id: the signed text is id.timestamp.body, and must split one way only.
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_INSTANT: Final = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
_SIGNATURE: Final = re.compile(r"v[0-9]{1,2}[a-z]?,[!-+\--~]{1,512}", re.ASCII)


def forgery(
    *, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
) -> Forged | None:
    """Return why `body` is not provably the bank's and of just now, or None. Never raises."""
    if len(body) > BODY_BYTES_MAX:
        return Forged("the body is too large")
    message_id = _well_formed(headers, ID_HEADER, form=_ID)
    instant = _well_formed(headers, TIMESTAMP_HEADER, form=_INSTANT)
    if message_id is None or instant is None:
        return Forged("the id or the timestamp is missing, repeated or malformed")
    given = _signatures(one_header(headers, SIGNATURE_HEADER))
    if not given:
        return Forged("the signature is missing, repeated or malformed")
    keys = [key for secret in secrets if (key := _key(secret)) is not None]
    expected = [_sign(body, message_id=message_id, instant=instant, key=key) for key in keys]
    if not any_equal(given, expected):
        return Forged("no signature matches")
    if not is_current(int(instant), now=now):
        return Forged("the signed instant is outside the window")
    return None


def signature_headers(body: bytes, *, message_id: str, at: int, secret: str) -> dict[str, str]:
    """Return the headers that the bank would send with `body`. For tests and demos.

    Raises ValueError where `secret` is none.
    """
    key = _key(secret)
    if key is None:
        raise ValueError("not a secret: whsec_ and at least 16 bytes in base64")
    signature = _sign(body, message_id=message_id, instant=str(at), key=key).decode()
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: str(at),
        SIGNATURE_HEADER: f"v1,{signature}",
    }


def _sign(body: bytes, *, message_id: str, instant: str, key: bytes) -> bytes:
    """Return the base64 text of the signature."""
    signed = f"{message_id}.{instant}.".encode() + body
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())


def _key(secret: str) -> bytes | None:
    """Return the key inside a secret; None where there is none, so that nothing can match it."""
    text = secret.removeprefix(SECRET_PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error):
        return None
    return key if len(key) >= SECRET_BYTES_MIN else None


def _well_formed(headers: Mapping[str, str], name: str, *, form: re.Pattern[str]) -> str | None:
    value = one_header(headers, name)
    return value if value is not None and form.fullmatch(value) else None


def _signatures(header: str | None) -> list[bytes]:
    """Return every v1 signature of the list; none at all if any member is malformed."""
    if header is None or len(header) > SIGNATURES_CHARS_MAX:
        return []
    members = header.split(" ")
    if len(members) > SIGNATURES_MAX or not all(map(_SIGNATURE.fullmatch, members)):
        return []
    return [member[3:].encode() for member in members if member.startswith("v1,")]
