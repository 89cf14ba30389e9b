"""Makes a database and the logins that may enter it, with deploy/roles.sql."""

from collections.abc import Mapping
from typing import Final, Protocol

import psycopg
from psycopg import sql

from config.env import BASE_DIR
from config.sandbox.refusal import CannotRun
from config.sandbox.servers import DATABASE

ROLES_SQL: Final = BASE_DIR / "deploy" / "roles.sql"
PASSWORD: Final = "SELECT set_config('password.' || %s, %s, false)"  # noqa: S105 - a query
CONNECT_SECONDS: Final = 5


class Administered(Protocol):
    """A PostgreSQL that we may make logins in."""

    @property
    def administrator_url(self) -> str:
        """The address of its administrator."""
        ...

    @property
    def passwords(self) -> Mapping[str, str]:
        """Every login's own password."""
        ...


def make_logins(servers: Administered, *, database: str = DATABASE, is_new: bool = False) -> bool:
    """Make every login and the database that they share; say whether the database is a new one.

    `is_new` throws an old one away.
    Safe to run again: passwords are set anew and nothing else changes.
    """
    address = servers.administrator_url
    try:
        with psycopg.connect(address, autocommit=True, connect_timeout=CONNECT_SECONDS) as server:
            is_made = _make_database(server, database=database, is_new=is_new)
        inside = psycopg.conninfo.make_conninfo(address, dbname=database)
        with psycopg.connect(inside, connect_timeout=CONNECT_SECONDS) as connection:
            _run_roles(connection, passwords=servers.passwords)
    except psycopg.Error as failure:
        said = (str(failure) or type(failure).__name__).splitlines()[0]
        raise CannotRun(f"The database logins could not be made: {said}") from failure
    return is_made


def close_other_databases(servers: Administered) -> None:
    """Keep our logins out of the databases that the embedded server was born with."""
    with psycopg.connect(servers.administrator_url, autocommit=True) as server:
        server.execute("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC")


def let_migrator_make_databases(servers: Administered) -> None:
    """Let the migrator clone databases and throw clones away, which only a test run needs."""
    with psycopg.connect(servers.administrator_url, autocommit=True) as server:
        server.execute("ALTER ROLE cs_migrator CREATEDB")
        server.execute("GRANT pg_signal_backend TO cs_migrator")


def _make_database(server: psycopg.Connection, *, database: str, is_new: bool) -> bool:
    """Make the database unless it is there; collation by code point, so all machines agree."""
    name = sql.Identifier(database)
    if is_new:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
    found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
    if not found:
        make = (
            "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'"
            " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
        )
        server.execute(sql.SQL(make).format(name))
    return not found


def _run_roles(connection: psycopg.Connection, *, passwords: Mapping[str, str]) -> None:
    """Run the file that deployments run, with each login's password as it expects them."""
    for login, password in passwords.items():
        connection.execute(PASSWORD, [login, password])
    connection.execute(ROLES_SQL.read_bytes())
