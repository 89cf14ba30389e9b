"""Every no a partner can hear before or around a command."""

from dataclasses import dataclass

from audit.errors import Refusal, RefusalKind


@dataclass(eq=False, kw_only=True)
class Unauthenticated(Refusal):
    """We do not know who is calling: the access token is missing, expired or not ours."""

    code = "unauthenticated"
    kind = RefusalKind.UNAUTHENTICATED
    transient = False

    reason: str


@dataclass(eq=False, kw_only=True)
class KeyRequired(Refusal):
    """This call changes something, so it needs an Idempotency-Key header."""

    code = "key_required"
    kind = RefusalKind.INVALID
    transient = False


@dataclass(eq=False, kw_only=True)
class RateLimited(Refusal):
    """Too many calls in too short a time; wait and try again."""

    code = "rate_limited"
    kind = RefusalKind.EXHAUSTED
    transient = True

    retry_after_seconds: int


@dataclass(eq=False, kw_only=True)
class BodyTooLarge(Refusal):
    """The body is larger than this door takes."""

    code = "body_too_large"
    kind = RefusalKind.TOO_LARGE
    transient = False

    bytes_max: int


@dataclass(eq=False, kw_only=True)
class UnsupportedMedia(Refusal):
    """The body is not in a format this door reads."""

    code = "unsupported_media_type"
    kind = RefusalKind.UNSUPPORTED
    transient = False

    wanted: str


@dataclass(eq=False, kw_only=True)
class Unavailable(Refusal):
    """We cannot do this at the moment; nothing is lost, try again with the same key."""

    code = "unavailable"
    kind = RefusalKind.UNAVAILABLE
    transient = True

    retry_after_seconds: int = 2
