"""The whole database carried away in one file, and brought back into an empty one.

A backup is a folder: PostgreSQL's own archive, and a manifest of what must be in it. Both are of
one snapshot. It is made as `cs_backup`, which may read and nothing else, and brought back by an
administrator. Passwords go to PostgreSQL's programs by environment, never by command line.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

from config.sandbox.embedded_postgres import binaries
from config.sandbox.refusal import CannotRun

ARCHIVE: Final = "countersign.dump"
MANIFEST: Final = "manifest.json"
READER: Final = "cs_backup"
FORMAT: Final = 1
# What grows with every act: the newest of each must be there again.
LATEST: Final = {
    "transactions_journal": "id",
    "audit_entry": "id",
    "accounts_letter": "id",
    "accounts_idempotencykey": "id",
}
# Ours, and those of months that were put away, as `archive.…`.
TABLES: Final = """
SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname AS name
FROM pg_class AS c INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname IN ('public', 'archive')
    AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY name
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a database holds, as far as two of them can be compared."""

    counts: dict[str, int]
    latest: dict[str, str]
    migrations: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup is: of which server, when, the archive's digest, and what is in it."""

    format: int
    made_at: str
    database: str
    server_version: int
    archive_sha256: str
    archive_bytes: int
    contents: Contents

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Return the manifest of a backup; CannotRun where there is none of our format."""
        try:
            found: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
            return cls(**(found | {"contents": Contents(**found["contents"])}))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CannotRun(f"{folder} holds no backup of ours: {error}") from error


def back_up(address: str, *, folder: Path) -> str:
    """Write a backup of the database at `address` into an empty `folder`; return its fingerprint.

    The fingerprint is the manifest's SHA-256: kept elsewhere, it proves that nobody wrote another.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(folder.iterdir()):
        raise CannotRun(f"{folder} is not empty: a backup is never written over another")
    with _connected(address) as server, server.transaction():
        server.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        login = _value(server, "SELECT current_user")
        if login != READER:
            raise CannotRun(f"A backup is made as {READER}, which may only read, not as {login}")
        snapshot = _value(server, "SELECT pg_export_snapshot()")
        words = ["--format=custom", f"--snapshot={snapshot}", "--file", str(folder / ARCHIVE)]
        _run("pg_dump", words, address=address, version=server.info.server_version)
        manifest = Manifest(
            format=FORMAT,
            made_at=_value(server, "SELECT now()::text"),
            database=server.info.dbname,
            server_version=server.info.server_version,
            archive_sha256=_digest(folder / ARCHIVE),
            archive_bytes=(folder / ARCHIVE).stat().st_size,
            contents=_contents(server),
        )
    (folder / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1, sort_keys=True))
    return _digest(folder / MANIFEST)


def bring_back(address: str, *, folder: Path, fingerprint: str = "") -> Manifest:
    """Fill the empty database at `address`, an administrator's, from a backup; compare the two.

    The logins must exist. CannotRun before anything is written where the archive is not the one
    that the manifest, and a given `fingerprint`, speak of, or where the database is not empty.
    """
    manifest = Manifest.read(folder)
    if fingerprint and _digest(folder / MANIFEST) != fingerprint:
        raise CannotRun("The manifest is not the one of this fingerprint")
    if _digest(folder / ARCHIVE) != manifest.archive_sha256:
        raise CannotRun(f"{ARCHIVE} is not the file that was backed up: its digest differs")
    with _connected(address) as server:
        if _value(server, f"SELECT count(*) FROM ({TABLES}) AS ours"):  # noqa: S608
            raise CannotRun(f"The database {server.info.dbname} is not empty")
        version = server.info.server_version
        if version // 10_000 < manifest.server_version // 10_000:
            raise CannotRun("The server is older than the one that was backed up")
    # With what each role may: the functions' owner would be lost without. Logins get theirs anew.
    words = ["--exit-on-error", "--single-transaction"]
    words += ["--dbname", urlsplit(address).path.lstrip("/"), str(folder / ARCHIVE)]
    _run("pg_restore", words, address=address, version=version)
    with _connected(address) as server:
        differing = _differences(manifest.contents, now=_contents(server))
    if differing:
        raise CannotRun(f"What came back is not what was backed up: {'; '.join(differing)}")
    return manifest


def transactions_behind(address: str) -> int:
    """Return by how much this server's transaction counter lags behind what its rows tell of.

    Feeds end at the oldest running transaction, so until it has caught up they tell nothing new.
    """
    with _connected(address) as server:
        told = _value(server, "SELECT coalesce(max(xact), 0) FROM audit_entry")
        here = _value(server, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    return max(0, int(told) - int(here) + 1)


def _contents(server: psycopg.Connection) -> Contents:
    names = [name for (name,) in server.execute(TABLES).fetchall()]
    count = sql.SQL("SELECT count(*) FROM {}")
    counts = {
        name: int(_value(server, count.format(sql.Identifier(*name.split("."))))) for name in names
    }
    latest = {name: str(_value(server, _newest(name, key=key))) for name, key in LATEST.items()}
    applied = server.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1")
    return Contents(counts=counts, latest=latest, migrations=[name for (name,) in applied])


def _newest(table: str, *, key: str) -> sql.Composed:
    names = {"key": sql.Identifier(key), "table": sql.Identifier(table)}
    query = "SELECT coalesce((SELECT {key}::text FROM {table} ORDER BY {key} DESC LIMIT 1), '')"
    return sql.SQL(query).format(**names)


def _differences(then: Contents, *, now: Contents) -> list[str]:
    """Return what a restored database has other than its manifest says."""
    said = [
        f"{name} has {now.counts.get(name)} rows, not {then.counts.get(name)}"
        for name in sorted(then.counts | now.counts)
        if then.counts.get(name) != now.counts.get(name)
    ]
    moved = [name for name in LATEST if then.latest[name] != now.latest[name]]
    said += [f"the newest of {name} differs" for name in moved]
    return said + (["other migrations were applied"] if then.migrations != now.migrations else [])


def _run(program: str, words: Sequence[str], *, address: str, version: int) -> None:
    """Run one of PostgreSQL's programs on the database at `address`; CannotRun if it fails."""
    path = _program(program, version=version)
    command = [str(path), "--no-password", *words]
    done = subprocess.run(  # noqa: S603 - our own words
        command, env=_environment(address), capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr.strip() or "no message").splitlines()
        raise CannotRun(f"{program} failed: {said[0]}")


def _program(name: str, *, version: int) -> Path:
    """Return the embedded program, or the one on PATH, that can speak to a server of `version`."""
    try:
        path = binaries() / name
    except CannotRun:
        path = Path(shutil.which(name) or "")
    if not path.is_file():
        raise CannotRun(f"{name} was not found: install PostgreSQL's client programs")
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    major = int(said.stdout.split()[2].partition(".")[0])
    if major < version // 10_000:
        raise CannotRun(f"{name} is of version {major}, the server of {version // 10_000}")
    return path


def _environment(address: str) -> Mapping[str, str]:
    """Return what a program needs to connect; a password on a command line is everybody's."""
    at = urlsplit(address)
    here = {
        "PGHOST": at.hostname or "",
        "PGPORT": str(at.port or 5432),
        "PGUSER": unquote(at.username or ""),
        "PGPASSWORD": unquote(at.password or ""),
        "PGDATABASE": at.path.lstrip("/"),
    }
    return {**os.environ, **here}


def _connected(address: str) -> psycopg.Connection:
    try:
        return psycopg.connect(address, autocommit=True, connect_timeout=10)
    except psycopg.Error as error:
        raise CannotRun(f"The database cannot be reached: {str(error).splitlines()[0]}") from error


def _value(server: psycopg.Connection, query: Any) -> Any:
    row = server.execute(query).fetchone()
    return row[0] if row else None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
