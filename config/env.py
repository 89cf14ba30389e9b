"""The environment, read once, as checked values. A bad one stops the process with one line."""

import json
import os
import re
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

BASE_DIR: Final = Path(__file__).resolve().parents[1]
SANDBOX_DIR: Final = BASE_DIR / ".sandbox"
KEY_BYTES: Final = 32
SECRET_KEY_CHARACTERS_MIN: Final = 50
WRITES_PER_SECOND: Final = 100
DATABASE_URL: Final = re.compile(r"postgresql://[^:@/\s]+:[^:@/\s]+@[^:@/\s]+:\d{1,5}/[\w-]+")
REDIS_URL: Final = re.compile(r"rediss?://([^@/\s]*@)?[^:@/\s]+:\d{1,5}(/\d+)?")
HTTP_URL: Final = re.compile(r"https?://[\w.\-\[\]:]+(/[^\s?#]*)?")
HOST: Final = re.compile(r"[\w.\-*:\[\]]+")
TOKEN: Final = re.compile(r"[!-~]+")


class BadEnvironment(SystemExit):
    """The process must not start with this environment; the message is one line."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: what it should look like, and the parser that raises ValueError otherwise."""

    shape: str
    parse: Callable[[str], Any]
    is_required: bool = True


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str]:
    """Return a parser that accepts what the whole pattern matches."""

    def parse(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError
        return text

    return parse


def _long(text: str) -> str:
    """Accept a text of enough characters to sign with."""
    if len(text) < SECRET_KEY_CHARACTERS_MIN:
        raise ValueError
    return text


def _key(text: str) -> str:
    """Accept the url-safe base64 of exactly 32 bytes, and return it as it is."""
    try:
        is_whole = len(urlsafe_b64decode(text)) == KEY_BYTES
    except NotBase64:
        is_whole = False
    if not is_whole:
        raise ValueError
    return text


def _list(text: str) -> tuple[str, ...]:
    """Split at commas; every part must be a host, with or without a port."""
    parts = tuple(part.strip() for part in text.split(",")) if text else ()
    if not all(HOST.fullmatch(part) for part in parts):
        raise ValueError
    return parts


def _count(*, otherwise: int) -> Callable[[str], int]:
    """Return a parser that accepts a whole number above zero, and takes `otherwise` for none."""

    def parse(text: str) -> int:
        if text and not re.fullmatch(r"[1-9]\d{0,8}", text):
            raise ValueError
        return int(text or otherwise)

    return parse


def _secrets(text: str) -> dict[str, tuple[str, ...]]:
    """Read JSON of non-empty lists of non-empty secrets by `provider/endpoint`."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError  # noqa: TRY004 - the one exception a parser may raise
    for name, secrets in found.items():
        if (
            not re.fullmatch(r"[\w-]+/[\w-]+", name)
            or not isinstance(secrets, list)
            or not secrets
        ):
            raise ValueError
        if not all(isinstance(secret, str) and TOKEN.fullmatch(secret) for secret in secrets):
            raise ValueError
    return {name: tuple(secrets) for name, secrets in found.items()}


KEY: Final = Variable("the url-safe base64 of 32 random bytes", _key)
TOKEN_VARIABLE: Final = Variable("printable characters without spaces", _matching(TOKEN))
HTTP_VARIABLE: Final = Variable("http(s)://host[:port]", _matching(HTTP_URL))

VARIABLES: Final[Mapping[str, Variable]] = {
    "DATABASE_URL": Variable("postgresql://user:password@host:port/name", _matching(DATABASE_URL)),
    "REDIS_URL": Variable("redis://:password@host:port/0", _matching(REDIS_URL)),
    "SECRET_KEY": Variable(f"{SECRET_KEY_CHARACTERS_MIN} random characters or more", _long),
    "ALLOWED_HOSTS": Variable("host names with commas between", _list),
    "MFA_KEY": KEY,
    "VAULT_KEY": KEY,
    "ANSWER_KEY": KEY,
    "INBOX_PUBLIC_KEY": KEY,
    "INBOX_PRIVATE_KEY": KEY,
    "DERIVATION_KEY": KEY,
    "CALLBACK_SECRETS": Variable(
        'JSON such as {"stripe/main": ["whsec_..."]}; several secrets while one is rotated',
        _secrets,
    ),
    "STRIPE_API_URL": HTTP_VARIABLE,
    "STRIPE_API_KEY": TOKEN_VARIABLE,
    "TESTBANK_URL": HTTP_VARIABLE,
    "TESTBANK_TOKEN": TOKEN_VARIABLE,
    "OUTBOUND_LOOPBACK": Variable(
        "host:port with commas between, empty outside a sandbox", _list, is_required=False
    ),
    "WRITES_PER_SECOND": Variable(
        f"a whole number above zero, or empty for {WRITES_PER_SECOND}",
        _count(otherwise=WRITES_PER_SECOND),
        is_required=False,
    ),
}

EVERY_PROCESS: Final = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")
WEB: Final = (*EVERY_PROCESS, "ALLOWED_HOSTS")
WORKER: Final = (
    *EVERY_PROCESS,
    "INBOX_PRIVATE_KEY",
    "DERIVATION_KEY",
    "VAULT_KEY",
    "STRIPE_API_URL",
    "STRIPE_API_KEY",
    "TESTBANK_URL",
    "TESTBANK_TOKEN",
    "OUTBOUND_LOOPBACK",
)
# Which process holds what. Read a line and you know what a break-in there can reach. The console
# is manage.py beside a sandbox and the test suite: it holds everything, and exists nowhere else.
HELD: Final[Mapping[str, tuple[str, ...]]] = {
    "admin": (*WEB, "MFA_KEY", "VAULT_KEY"),
    "api": (*WEB, "ANSWER_KEY", "VAULT_KEY", "WRITES_PER_SECOND"),
    "callbacks": (*WEB, "CALLBACK_SECRETS", "INBOX_PUBLIC_KEY"),
    "worker": WORKER,
    "beat": WORKER,
    "migrate": ("DATABASE_URL", "SECRET_KEY"),
    "console": tuple(VARIABLES),
}

_ABSENT: Any = None  # what a process does not hold; it finds None, whatever the type says


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What one process holds: an attribute a variable, None where it does not hold it."""

    database_url: str = field(default=_ABSENT, repr=False)
    redis_url: str = field(default=_ABSENT, repr=False)
    secret_key: str = field(default=_ABSENT, repr=False)
    allowed_hosts: tuple[str, ...] = _ABSENT
    mfa_key: str = field(default=_ABSENT, repr=False)
    vault_key: str = field(default=_ABSENT, repr=False)
    answer_key: str = field(default=_ABSENT, repr=False)
    inbox_public_key: str = field(default=_ABSENT, repr=False)
    inbox_private_key: str = field(default=_ABSENT, repr=False)
    derivation_key: str = field(default=_ABSENT, repr=False)
    callback_secrets: dict[str, tuple[str, ...]] = field(default=_ABSENT, repr=False)
    stripe_api_url: str = _ABSENT
    stripe_api_key: str = field(default=_ABSENT, repr=False)
    testbank_url: str = _ABSENT
    testbank_token: str = field(default=_ABSENT, repr=False)
    outbound_loopback: tuple[str, ...] = _ABSENT
    writes_per_second: int = _ABSENT


def read(process: str, *, source: Mapping[str, str] | None = None) -> Environment:
    """Return what `process` holds, from the environment or `source`.

    Raises BadEnvironment with one line that names the variable and what it should look like.
    """
    source = os.environ if source is None else source
    held = {name.lower(): _checked(name, source=source) for name in HELD[process]}
    return Environment(**held)


def enter_sandbox(process: str) -> None:
    """Make our environment that of `process` in the sandbox of this directory, or of $SANDBOX."""
    path = Path(os.environ.get("SANDBOX") or SANDBOX_DIR) / "environment.json"
    try:
        os.environ.update(json.loads(path.read_text())[process])
    except OSError:
        raise BadEnvironment(
            f"{path} cannot be read: start a sandbox with `make run`,"
            " or name its folder in SANDBOX"
        ) from None


def _checked(name: str, *, source: Mapping[str, str]) -> Any:
    """Return the parsed value of one variable, or stop."""
    variable, text = VARIABLES[name], source.get(name, "")
    if not text and variable.is_required:
        raise BadEnvironment(f"{name} is not set: it should look like {variable.shape}")
    try:
        return variable.parse(text)
    except ValueError:
        # The value is never repeated: it may be a secret, and this line goes to a log.
        raise BadEnvironment(f"{name} should look like {variable.shape}") from None
