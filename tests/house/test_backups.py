"""A backup comes back whole into an empty database, holds, and is refused where it was touched."""

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from psycopg import sql
from pytest_django import DjangoDbBlocker

from config.backups import ARCHIVE, MANIFEST, READER, back_up, bring_back
from config.sandbox.refusal import CannotRun
from tests import factories
from tests.conftest import STAGE
from transactions.states import TransferState

pytestmark = pytest.mark.role("migrator")
EMPTY = "empty_here"


def address(login: str, *, database: str = "") -> str:
    """Return a login's address of the database under test, or of another."""
    at = urlsplit(STAGE.address)
    place = f"{login}:{STAGE.passwords[login]}@{at.hostname}:{at.port}"
    return at._replace(netloc=place, path=f"/{database or STAGE.name}").geturl()


@pytest.fixture(scope="module")
def backup(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, str]]:
    """A backup of a house in which something has happened, and its fingerprint."""
    with django_db_blocker.unblock():
        cast = factories.cast()
        factories.internal(cast)
        factories.payout(cast, state=TransferState.RETURNED)
        factories.payout(cast, state=TransferState.AWAITING_APPROVAL)
        folder = tmp_path_factory.mktemp("backup") / "made"
        yield folder, back_up(address(READER), folder=folder)
        STAGE.reclone()


@pytest.fixture
def empty() -> Iterator[str]:
    """An empty database that the migrator administers, as the logins' file leaves it."""
    with STAGE.migrator() as server:
        template = _id(urlsplit(STAGE.address).path.lstrip("/"))
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(_id(EMPTY)))
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(_id(EMPTY), template))
    yield EMPTY
    with STAGE.migrator() as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(_id(EMPTY)))


@pytest.fixture
def from_elsewhere(backup: tuple[Path, str], tmp_path: Path) -> Path:
    """A backup of the same house whose roll-up was made in another cluster."""
    with psycopg.connect(address("cs_migrator"), autocommit=True) as server:
        server.execute("UPDATE transactions_rollup SET cluster = cluster + 1")
        back_up(address(READER), folder=tmp_path / "made")
        server.execute("UPDATE transactions_rollup SET cluster = cluster - 1")
    return tmp_path / "made"


def restore(folder: Path, *, into: str, fingerprint: str = "") -> str:
    """Restore as an administrator would, and return what was said."""
    said, here = StringIO(), connections["default"].settings_dict["NAME"]
    try:
        call_command("restore", folder, into=into, fingerprint=fingerprint, stdout=said)
    finally:
        connections.close_all()
        connections["default"].settings_dict["NAME"] = here
    return said.getvalue()


def _id(name: str) -> sql.Identifier:
    return sql.Identifier(name)


def test_a_backup_comes_back_into_an_empty_database_and_the_books_hold(
    backup: tuple[Path, str], empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, fingerprint = backup
    monkeypatch.setenv("RESTORE_URL", address("cs_migrator"))
    said = restore(folder, into=empty, fingerprint=fingerprint)
    assert "All invariants hold." in said
    assert "postings rolled up." not in said
    counted = json.loads((folder / MANIFEST).read_text())["contents"]["counts"]
    assert counted["transactions_transfer"] == 3
    with psycopg.connect(address("cs_migrator", database=empty)) as server:
        for table, many in counted.items():
            query = sql.SQL("SELECT count(*) FROM {}").format(_id(table))
            assert server.execute(query).fetchone() == (many,), table


def test_the_runtime_logins_may_there_what_they_may_here(
    backup: tuple[Path, str], empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESTORE_URL", address("cs_migrator"))
    restore(backup[0], into=empty)
    with psycopg.connect(address("cs_migrator", database=empty), autocommit=True) as server:
        server.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO cs_api").format(_id(empty)))
    with psycopg.connect(address("cs_api", database=empty), autocommit=True) as api:
        assert api.execute("SELECT count(*) FROM transactions_transfer").fetchone() == (3,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            api.execute("SELECT * FROM audit_entry")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            api.execute("INSERT INTO transactions_journalorigin VALUES ('x', uuidv7())")


def test_what_another_cluster_rolled_up_is_rolled_up_anew(
    from_elsewhere: Path, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESTORE_URL", address("cs_migrator"))
    said = restore(from_elsewhere, into=empty)
    assert "postings rolled up." in said
    assert "All invariants hold." in said
    with psycopg.connect(address("cs_migrator", database=empty)) as server:
        assert server.execute("SELECT is_ours FROM ledger_horizon()").fetchone() == (True,)
        counted = server.execute(
            "SELECT (SELECT count(*) FROM transactions_posting),"
            " (SELECT sum(postings) FROM transactions_movement"
            " WHERE grain = 0 AND clock = 'recorded')"
        ).fetchone()
        assert counted is not None
        assert counted[0] == counted[1] > 0


@pytest.mark.parametrize("what", ["a byte", "the end", "the manifest"])
def test_a_backup_that_was_touched_is_refused_before_anything_is_written(
    backup: tuple[Path, str], empty: str, tmp_path: Path, what: str
) -> None:
    folder = shutil.copytree(backup[0], tmp_path / "copy")
    archive, manifest = folder / ARCHIVE, folder / MANIFEST
    content = bytearray(archive.read_bytes())
    if what == "a byte":
        content[len(content) // 2] ^= 1
    elif what == "the end":
        content = content[:-1]
    else:
        manifest.write_text(manifest.read_text().replace('"format": 1', '"format":  1'))
    archive.write_bytes(content)
    with pytest.raises(CannotRun):
        bring_back(address("cs_migrator", database=empty), folder=folder, fingerprint=backup[1])
    with psycopg.connect(address("cs_migrator", database=empty)) as server:
        found = server.execute("SELECT to_regclass('public.transactions_journal')").fetchone()
        assert found == (None,)


def test_a_manifest_that_tells_of_other_rows_is_refused(
    backup: tuple[Path, str], empty: str, tmp_path: Path
) -> None:
    folder = shutil.copytree(backup[0], tmp_path / "copy")
    told = json.loads((folder / MANIFEST).read_text())
    told["contents"]["counts"]["transactions_posting"] += 1
    (folder / MANIFEST).write_text(json.dumps(told))
    with pytest.raises(CannotRun, match="transactions_posting has"):
        bring_back(address("cs_migrator", database=empty), folder=folder)


def test_nothing_is_restored_over_something(backup: tuple[Path, str]) -> None:
    with pytest.raises(CannotRun, match="is not empty"):
        bring_back(address("cs_migrator"), folder=backup[0])


def test_nothing_is_backed_up_over_something_or_by_somebody_else(
    backup: tuple[Path, str], tmp_path: Path
) -> None:
    with pytest.raises(CannotRun, match="is not empty"):
        back_up(address(READER), folder=backup[0])
    with pytest.raises(CannotRun, match="not as cs_worker"):
        back_up(address("cs_worker"), folder=tmp_path / "theirs")


def test_a_backup_is_for_its_owners_eyes(backup: tuple[Path, str]) -> None:
    assert stat.S_IMODE(backup[0].stat().st_mode) == 0o700


def test_no_password_is_on_a_command_line(
    backup: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    run = subprocess.run

    def watch(command: list[str], **options: Any) -> object:
        seen.append([str(word) for word in command])
        return run(command, **options)

    monkeypatch.setattr(subprocess, "run", watch)
    back_up(address(READER), folder=tmp_path / "again")
    assert any("--format=custom" in words for words in seen)
    assert not any(STAGE.passwords[READER] in word for words in seen for word in words)
    assert STAGE.passwords[READER] not in os.environ.values()


@pytest.mark.parametrize(
    "act",
    [
        "INSERT INTO accounts_letter DEFAULT VALUES",
        "UPDATE transactions_balance SET posted_minor = 0",
        "DELETE FROM audit_entry",
        "TRUNCATE transactions_posting",
        "SELECT ledger_post('[]', '[]')",
        "SELECT audit_record('[]')",
        "CREATE TABLE mine (id integer)",
    ],
)
def test_cs_backup_reads_and_does_nothing_else(backup: tuple[Path, str], act: str) -> None:
    with (
        psycopg.connect(address(READER), autocommit=True) as server,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        server.execute(act)
