"""Two servers, one following the other: fail-over by promotion, return by rewinding."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from config.sandbox.embedded_postgres import DURABLE, OWNER, binaries
from config.sandbox.leash import unprivileged
from config.sandbox.state import LOOPBACK, State
from tests.clusters import Cluster, choose_port, copied
from tests.faults.delayed_line import DelayedLine

STEP_SECONDS_MAX: Final = 120.0
# Nobody waits for the dead: but whoever is told so must hear "unknown", so it is no cancelling,
# which would answer "committed".
SYNC_WAIT_SECONDS_MAX: Final = 3
WAITS: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE wait_event = 'SyncRep' AND state_change < now() - make_interval(secs => %s)
"""
FOLLOWS: Final = "SELECT state = 'streaming', sync_state FROM pg_stat_replication"
WAL_KEPT: Final = "1GB"
SETTINGS: Final[Mapping[str, str]] = {
    **DURABLE,
    "wal_keep_size": WAL_KEPT,
    "wal_sender_timeout": "5s",
    "wal_receiver_timeout": "5s",
    "wal_retrieve_retry_interval": "100ms",
}
HBA: Final = (f"host replication {OWNER} {LOOPBACK}/32 scram-sha-256",)


@dataclass
class Pair:
    """A server and its follower. `is_synchronous`: a commit waits until the follower has it."""

    leader: Cluster
    follower: Cluster
    is_synchronous: bool
    delay_seconds: float
    line: DelayedLine | None = None

    @property
    def ports(self) -> list[int]:
        """Return where both listen."""
        return [self.leader.port, self.follower.port]

    def copy_follower(self) -> None:
        """Make the follower as a copy of the running leader."""
        data = self.follower.root / "postgres"
        _run("pg_basebackup", "-D", str(data), "-X", "stream", "-c", "fast", "-N", by=self.leader)

    def follow(self) -> None:
        """Start the follower behind a slow line, and make the leader wait for it if it should."""
        data = self.follower.root / "postgres"
        (data / "standby.signal").touch()
        # What the other leader's file says is not ours: a leader alone must not wait for anybody.
        (data / "postgresql.auto.conf").write_text("")
        self.line = DelayedLine(LOOPBACK, port=self.leader.port, seconds=self.delay_seconds)
        self.line.__enter__()
        password = self.leader.keys.password(OWNER)
        passfile = self.follower.state.write("passfile", f"*:*:*:{OWNER}:{password}\n")
        way = f"host={LOOPBACK} port={self.line.port} user={OWNER} passfile={passfile}"
        self.follower.start(primary_conninfo=way)
        self._await_following("async")
        if self.is_synchronous:
            with self.leader.administrator() as server:
                server.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
                server.execute("SELECT pg_reload_conf()")
            self._await_following("sync")

    def lose_leader(self) -> None:
        """Kill the leader with all its children, and let the follower lead."""
        self.leader.kill()
        self.leader, self.follower = self.follower, self.leader
        with self.leader.administrator() as server:
            server.execute("SELECT pg_promote(true, %s)", [int(STEP_SECONDS_MAX)])

    def take_back(self) -> None:
        """Rewind the killed leader to where the other one turned off, and let it follow."""
        assert self.line is not None
        self.line.__exit__(None, None, None)
        with self.leader.administrator() as server:
            server.execute("CHECKPOINT")  # so that it is known to lead another timeline now
        data = self.follower.root / "postgres"
        # It recovers first, without our settings, and would throw away the log it needs then.
        (data / "postgresql.auto.conf").write_text(f"wal_keep_size = '{WAL_KEPT}'\n")
        source = f"host={LOOPBACK} port={self.leader.port} user={OWNER} dbname=postgres"
        _run("pg_rewind", "-N", "-D", str(data), f"--source-server={source}", by=self.leader)
        self.follow()

    def end_waits(self) -> int:
        """End sessions whose commit has waited for the follower for too long; return how many."""
        with suppress(psycopg.OperationalError), self.leader.administrator() as server:
            return len(server.execute(WAITS, [SYNC_WAIT_SECONDS_MAX]).fetchall())
        return 0

    def _await_following(self, how: str) -> None:
        end = time.monotonic() + STEP_SECONDS_MAX
        while time.monotonic() < end:
            with self.leader.administrator() as server:
                if server.execute(FOLLOWS).fetchall() == [(True, how)]:
                    return
            time.sleep(0.02)
        raise TimeoutError(f"it does not follow ({how}): {self.follower.last_words()}")


@contextmanager
def pair(folder: Path, *, is_synchronous: bool, delay_seconds: float) -> Iterator[Pair]:
    """Run a leader and a follower; nothing of them runs on afterwards."""
    leader = Cluster(copied(folder / "a"), settings=SETTINGS, hba=HBA)
    other = State(folder / "b").root
    shutil.copy2(leader.root / "secret", other / "secret")
    choose_port(other)
    follower = Cluster(other, settings=SETTINGS, hba=HBA)
    made = Pair(leader, follower, is_synchronous, delay_seconds)
    try:
        leader.start()
        made.copy_follower()
        made.follow()
        yield made
    finally:
        for each in (leader, follower):
            each.end()
        if made.line is not None:
            made.line.__exit__(None, None, None)


def _run(program: str, *words: str, by: Cluster) -> None:
    """Run one of PostgreSQL's programs against a server, as its owner."""
    said = subprocess.run(
        [*unprivileged(signal.SIGINT), str(binaries() / program), *words],
        env={
            "PATH": os.environ["PATH"],
            "PGHOST": LOOPBACK,
            "PGPORT": str(by.port),
            "PGUSER": OWNER,
            "PGPASSWORD": by.keys.password(OWNER),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=STEP_SECONDS_MAX,
        cwd=by.root,
    )
    if said.returncode:
        raise RuntimeError(f"{program}: {said.stderr[-2000:]}")
