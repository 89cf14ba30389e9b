"""Where the clones of a test run lie: in memory, where there is room for them.

Each test that commits wants a thousand files anew, and throws a thousand away. Not every file
system likes that: ext4 without a journal looks at every file that was thrown away in the last
minutes before it makes one, and then takes a second of the processor for a clone.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from config.sandbox.leash import NOBODY, is_other_user
from config.sandbox.logins import Administered
from config.sandbox.state import State

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the folder in it is private, or is not made
ROOM_BYTES_MIN: Final = 512 * 1024 * 1024
TABLESPACE: Final = "in_memory"
IN_IT: Final = """
SELECT datname FROM pg_database
INNER JOIN pg_tablespace ON pg_tablespace.oid = dattablespace WHERE spcname = %s
"""


@contextmanager
def room_in_memory(state: State) -> Iterator[Path | None]:
    """Yield a private folder in memory that belongs to a state; None where there is no room.

    It is there before the server starts and until it has ended: a server that was killed looks
    for its clones when it recovers. Where those are lost too, it could not, and begins anew.
    """
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM_BYTES_MIN:
        yield None
        return
    folder, data = (
        MEMORY / "-".join(["countersign", *state.root.parts[1:]]),
        state.root / "postgres",
    )
    if (data / "postmaster.pid").exists() and not folder.exists():
        shutil.rmtree(data)
    folder.mkdir(mode=0o700, exist_ok=True)
    if is_other_user():
        os.chown(folder, NOBODY, NOBODY)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def make_tablespace(servers: Administered, *, folder: Path | None) -> None:
    """Let the migrator make databases in a folder, if any; what the last run left is gone."""
    name = sql.Identifier(TABLESPACE)
    with psycopg.connect(servers.administrator_url, autocommit=True) as server:
        for (left,) in server.execute(IN_IT, [TABLESPACE]).fetchall():
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(left)))
        server.execute(sql.SQL("DROP TABLESPACE IF EXISTS {}").format(name))
        if folder is None:
            return
        place = sql.Literal(str(folder))
        server.execute(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(name, place))
        server.execute(sql.SQL("GRANT CREATE ON TABLESPACE {} TO cs_migrator").format(name))
