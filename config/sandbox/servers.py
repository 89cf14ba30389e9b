"""PostgreSQL and Redis: embedded, or somebody's own where DATABASE_URL or REDIS_URL is set."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from config.env import DATABASE_URL, REDIS_URL, SANDBOX_DIR, VARIABLES
from config.sandbox.embedded_postgres import DURABLE, FORGETFUL, owner_url, postgres
from config.sandbox.embedded_redis import redis_server, redis_url
from config.sandbox.keys import Keys
from config.sandbox.part import Part
from config.sandbox.refusal import CannotRun
from config.sandbox.state import State

DATABASE: Final = "countersign"
PATTERNS: Final = {"DATABASE_URL": DATABASE_URL, "REDIS_URL": REDIS_URL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where the two servers are and who may enter. `is_forgetful`: fast, and lost in a crash."""

    state: State
    is_forgetful: bool

    def parts(self) -> list[Part]:
        """Return the servers that we have to run ourselves."""
        settings = FORGETFUL if self.is_forgetful else DURABLE
        embedded: list[Part] = []
        if not _given("DATABASE_URL"):
            embedded.append(postgres(self.state, keys=self.keys, settings=settings))
        if not _given("REDIS_URL"):
            embedded.append(
                redis_server(self.state, keys=self.keys, is_kept=not self.is_forgetful)
            )
        return embedded

    @property
    def keys(self) -> Keys:
        """Everything secret that belongs to this state folder."""
        return Keys(self.state.secret())

    @property
    def administrator_url(self) -> str:
        """The address of PostgreSQL's administrator. Used to make logins, and by nothing else."""
        return _given("DATABASE_URL") or owner_url(self.state, keys=self.keys)

    @property
    def redis_url(self) -> str:
        """The address of Redis, password included."""
        return _given("REDIS_URL") or redis_url(self.state, keys=self.keys)

    @property
    def passwords(self) -> Mapping[str, str]:
        """Every login's own password; on a server that is not ours, the same from all folders."""
        given = _given("DATABASE_URL")
        keys = Keys(sha256(given.encode()).digest()) if given else self.keys
        return {login: keys.password(login) for login in LOGINS}

    def url(self, login: str, *, database: str = DATABASE) -> str:
        """Return a login's address."""
        at = urlsplit(self.administrator_url)
        place = f"{login}:{self.passwords[login]}@{at.hostname}:{at.port}"
        return urlunsplit(("postgresql", place, f"/{database}", "", ""))


def beside_us() -> Servers:
    """Return the servers of the sandbox of this directory, or of $SANDBOX."""
    state = State(Path(os.environ.get("SANDBOX") or SANDBOX_DIR))
    return Servers(state=state, is_forgetful=False)


LOGINS: Final = (
    "cs_migrator",
    "cs_admin",
    "cs_api",
    "cs_callbacks",
    "cs_worker",
    "cs_sealer",
    "cs_auditor",
    "cs_backup",
)


def _given(name: str) -> str:
    """Return an address that was given to us, checked; empty if none was."""
    value = os.environ.get(name, "")
    if value and not PATTERNS[name].fullmatch(value):
        raise CannotRun(f"{name} should look like {VARIABLES[name].shape}")
    return value
