"""The two ways a command can end badly.

A Refusal is an answer: expected, written down, shown to the caller. A Fault is
a bug or a broken invariant: nobody catches it below the process edge.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import ClassVar


class RefusalKind(StrEnum):
    """What the caller should do next. `config.api` alone turns it into HTTP."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    MISSING = "missing"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    MISMATCH = "mismatch"
    EXHAUSTED = "exhausted"
    UNAVAILABLE = "unavailable"


@dataclass(eq=False, kw_only=True)
class Refusal(Exception):
    """An expected no. Subclass it once per code, as a keyword-only dataclass.

    `transient` says whether the same request may succeed later: retries and
    stored idempotent answers both read it, so every subclass must decide.
    The docstring's first line is the public title.
    """

    code: ClassVar[str]
    kind: ClassVar[RefusalKind]
    transient: ClassVar[bool]
    by_code: ClassVar[dict[str, type["Refusal"]]] = {}

    def __init_subclass__(cls) -> None:
        """Insist that each code is complete and used once."""
        missing = [name for name in ("code", "kind", "transient") if name not in vars(cls)]
        if missing:
            raise TypeError(f"{cls.__name__} must declare {', '.join(missing)}")
        known = cls.by_code.setdefault(cls.code, cls)
        if known.__qualname__ != cls.__qualname__:
            raise TypeError(f"refusal code {cls.code!r} is already taken")
        cls.by_code[cls.code] = cls

    def facts(self) -> dict[str, object]:
        """Return the public details, safe to show and safe to store."""
        return asdict(self)

    @property
    def title(self) -> str:
        """Return the one sentence that explains this refusal to a person."""
        return (type(self).__doc__ or "").strip().splitlines()[0]

    def __str__(self) -> str:
        """Render as `code(key=value)`, for logs and test failures."""
        inside = ", ".join(f"{key}={value}" for key, value in self.facts().items())
        return f"{self.code}({inside})"


class Fault(Exception):
    """A broken promise of ours. Never caught below the process edge."""


@dataclass(eq=False, kw_only=True)
class NotPermitted(Refusal):
    """You are known, and not allowed to do this."""

    code = "not_permitted"
    kind = RefusalKind.FORBIDDEN
    transient = False

    permission: str


@dataclass(eq=False, kw_only=True)
class NotFound(Refusal):
    """There is no such thing, or it is not yours: the two look alike on purpose."""

    code = "not_found"
    kind = RefusalKind.MISSING
    transient = False

    ref: str


@dataclass(eq=False, kw_only=True)
class Invalid(Refusal):
    """The request breaks a rule of its form; `fields` says where and how."""

    code = "invalid"
    kind = RefusalKind.INVALID
    transient = False

    fields: dict[str, str]


class UnwitnessedCommand(Fault):
    """A command ended without the entries it owes."""
