"""R and B: plain SQL driven by pgbench, a client in C: what the database can do at all."""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg

FUNDS: Final = 10**12
TPS: Final = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
DONE: Final = re.compile(r"transactions actually processed: (\d+)")
SCHEMA: Final = Path(__file__).with_suffix(".sql")
ONE: Final = """\
\\set payer random(0, {accounts} - 1)
\\set payee (:payer + random(1, {accounts} - 1)) % {accounts}
SELECT post_one(:payer, :payee, 1, gen_random_uuid());
"""
# The items are drawn in the database: half a millisecond of a batch's thirty and more.
MANY: Final = """\
SELECT post_batch(array_agg(payer), array_agg((payer + step) % {accounts}), array_agg(1::bigint),
    array_agg(gen_random_uuid()))
FROM (
    SELECT floor(random() * {accounts})::bigint AS payer,
        1 + floor(random() * ({accounts} - 1))::bigint AS step
    FROM generate_series(1, {items})
) AS drawn;
"""


@dataclass(kw_only=True)
class Raw:
    """The raw tables in a database of their own, with as many accounts as the house has."""

    address: str
    accounts: int
    pgbench: Path
    items: int = field(default=0, init=False)
    singles: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Make the tables and fund the accounts."""
        with psycopg.connect(self.address) as server:
            server.execute(SCHEMA.read_bytes())
            for table in ("account", "lean_account"):
                server.execute(
                    f"INSERT INTO {table} SELECT n, {FUNDS} FROM generate_series(0, %s) AS n",
                    [self.accounts - 1],
                )

    def single(self, *, clients: int, seconds: float) -> float:
        """Return R: transfers a second, one a call and commit."""
        done, rate = self._run(
            ONE.format(accounts=self.accounts), clients=clients, seconds=seconds
        )
        self.singles += done
        return rate

    def batch(self, *, clients: int, seconds: float, items: int) -> float:
        """Return B: transfers a second in batches of `items`, a call and commit each."""
        script = MANY.format(accounts=self.accounts, items=items)
        done, rate = self._run(script, clients=clients, seconds=seconds)
        self.items += done * items
        return rate * items

    def wrong(self) -> list[str]:
        """Return what is wrong with the raw tables after all of it."""
        wrong = []
        with psycopg.connect(self.address) as server:
            for prefix, done in (("", self.singles), ("lean_", self.items)):
                total, count = server.execute(
                    f"SELECT (SELECT sum(balance) FROM {prefix}account),"
                    f" (SELECT count(*) FROM {prefix}transfer)"
                ).fetchone() or (0, 0)
                if total != self.accounts * FUNDS or count != done:
                    wrong.append(f"{prefix}raw tables: {total} in {count} transfers, {done} told")
        return wrong

    def _run(self, script: str, *, clients: int, seconds: float) -> tuple[int, float]:
        """Run pgbench over one script; return transactions done and their rate."""
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            words = ["-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2))]
            words += ["-T", str(max(1, round(seconds))), "-f", file.name, self.address]
            said = subprocess.run(
                [self.pgbench, *words], capture_output=True, text=True, check=True
            ).stdout
        done, rate = DONE.search(said), TPS.search(said)
        if done is None or rate is None:
            raise RuntimeError(f"pgbench said {said!r}")
        return int(done[1]), float(rate[1])


def pgbench_beside(programs: Path | None) -> Path:
    """Return pgbench from the embedded server's programs, or else from the PATH."""
    found = programs / "pgbench" if programs else None
    if found is not None and found.exists():
        return found
    elsewhere = shutil.which("pgbench")
    if elsewhere is None:
        raise SystemExit("pgbench is needed for R and B: put PostgreSQL's client programs on PATH")
    return Path(elsewhere)
