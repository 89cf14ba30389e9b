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
    """Where the two servers are and who may enter. `is_forgetful`: fast, and lost in a crash.

    `is_embedded`: those of the state folder, whatever DATABASE_URL says.
    """

    state: State
    is_forgetful: bool
    is_embedded: bool = False

    def parts(self) -> list[Part]:
        """Return the servers that we have to run ourselves."""
        settings = FORGETFUL if self.is_forgetful else DURABLE
        embedded: list[Part] = []
        if not self._database:
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
        return self._database or owner_url(self.state, keys=self.keys)

    @property
    def redis_url(self) -> str:
        """The address of Redis, password included."""
        return _given("REDIS_URL") or redis_url(self.state, keys=self.keys)

    @property
    def passwords(self) -> Mapping[str, str]:
        """Every login's own password; on a server that is not ours, the same from all folders."""
        given = self._database
        keys = Keys(sha256(given.encode()).digest()) if given else self.keys
        return {login: keys.password(login) for login in LOGINS}

    @property
    def _database(self) -> str:
        """The address that was given for somebody's own server; empty for the embedded one."""
        return "" if self.is_embedded else _given("DATABASE_URL")

    def url(self, login: str, *, database: str = DATABASE) -> str:
        """Return a login's address."""
        at = urlsplit(self.administrator_url)
        place = f"{login}:{self.passwords[login]}@{at.hostname}:{at.port}"
        return urlunsplit(("postgresql", place, f"/{database}", "", ""))


def beside_us() -> Servers:
    """Return the embedded servers of the sandbox of this directory, or of $SANDBOX."""
    folder = Path(os.environ.get("SANDBOX") or SANDBOX_DIR)
    if not (folder / "postgres").is_dir():
        raise CannotRun(
            "No embedded server is here: give the address in BACKUP_URL or RESTORE_URL"
        )
    return Servers(state=State(folder), is_forgetful=False, is_embedded=True)


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
