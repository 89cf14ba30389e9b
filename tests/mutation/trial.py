"""Running tests in a private copy of the tree, on servers of its own, and what they said."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from config.env import BASE_DIR
from config.sandbox.leash import leashed

SECONDS_MAX: Final = 300.0
# What could lead a run back to this tree, or to other servers.
NOT_HANDED_ON: Final = frozenset({"DATABASE_URL", "REDIS_URL", "PYTHONPATH"})
OPEN_FOLDER: Final = 0o755  # the servers' own user passes through it
LAST_WORDS: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How many tests passed, what each of the others complained of, and how long it took."""

    passed: int
    complaints: dict[str, str]
    seconds: float


@contextmanager
def private_copy() -> Iterator[Path]:
    """Copy the tree, without what is hidden in it, to a folder that nobody else knows."""
    with tempfile.TemporaryDirectory(prefix="countersign-") as folder:
        Path(folder).chmod(OPEN_FOLDER)
        tree = Path(folder) / "tree"
        shutil.copytree(BASE_DIR, tree, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        yield tree


def run(tests: Sequence[str], *, tree: Path) -> Verdict:
    """Run these tests as `make test` would. Without a report, that is the complaint."""
    report, said = tree / ".report.xml", tree / ".said"
    report.unlink(missing_ok=True)
    began = time.monotonic()
    with said.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.sandbox", "test", *tests, f"--junitxml={report}"],
            cwd=tree,
            env={name: value for name, value in os.environ.items() if name not in NOT_HANDED_ON},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=leashed(signal.SIGTERM, own_session=False),  # noqa: PLW1509 - no threads
        )
        try:
            process.wait(timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
    seconds = time.monotonic() - began
    if not report.exists():
        last = said.read_text(errors="replace")[-LAST_WORDS:]
        return Verdict(passed=0, complaints={"no report": last}, seconds=seconds)
    return _read(report, seconds=seconds)


def _read(report: Path, *, seconds: float) -> Verdict:
    """Read what pytest wrote down. A test that was skipped has not passed."""
    complaints: dict[str, str] = {}
    names = set()
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - our own pytest's
        names.add(name := case.get("name", ""))
        for each in case:
            if each.tag in {"failure", "error", "skipped"}:  # a test and its end may both fail
                complaints[name] = complaints.get(name, "") + f"{each.get('message')}\n{each.text}"
    return Verdict(passed=len(names - set(complaints)), complaints=complaints, seconds=seconds)
