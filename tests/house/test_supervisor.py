"""Nothing outlives the supervisor, and what stops it before it starts is one line."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config.env import BASE_DIR
from config.sandbox import embedded_postgres, embedded_redis
from config.sandbox.environments import Ports
from config.sandbox.groups import is_alive, wait_until_gone
from config.sandbox.refusal import CannotRun
from config.sandbox.state import State, first_unlocked
from config.sandbox.supervisor import sweep

GONE_SECONDS_MAX = 8.0
SCRIPT = """
import sys
from pathlib import Path
from config.sandbox.part import Part
from config.sandbox.state import State
from config.sandbox.supervisor import Interrupted, Supervisor

part = Part(name="part", command=["sh", "-c", sys.argv[2]])
with Supervisor(State(Path(sys.argv[1]))) as supervisor:
    supervisor.start([part])
    print(supervisor.children[0].process.pid, flush=True)
    try:
        supervisor.watch()
    except Interrupted:
        pass
"""


@pytest.mark.parametrize(
    ("killed_with", "part"),
    [
        (signal.SIGKILL, "trap '' TERM; sleep 300 & sleep 300; wait"),
        (signal.SIGTERM, "trap 'kill 0' TERM; sleep 300 & wait"),
        (signal.SIGINT, "trap 'kill 0' TERM; sleep 300 & wait"),
    ],
)
def test_nothing_outlives_the_supervisor(
    tmp_path: Path, killed_with: signal.Signals, part: str
) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), part]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=BASE_DIR) as supervisor:
        assert supervisor.stdout is not None
        group = int(supervisor.stdout.readline())
        assert is_alive(group)
        supervisor.send_signal(killed_with)
    assert wait_until_gone({group}, seconds=GONE_SECONDS_MAX) == set()


def test_the_next_run_ends_what_a_killed_one_left(tmp_path: Path) -> None:
    left = subprocess.Popen(["sleep", "300"], start_new_session=True)
    stranger = subprocess.Popen(["sleep", "300"], start_new_session=True)
    state = State(tmp_path)
    try:
        parts = {
            "ours": {"pid": left.pid, "started": _started(left.pid)},
            "reused": {"pid": stranger.pid, "started": "1"},
        }
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        state.write_json("pids.json", {"boot": boot, "parts": parts})
        sweep(state)
        assert left.wait(timeout=1) == -signal.SIGTERM
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_folder_and_its_files_are_private(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    assert state.root.stat().st_mode & 0o777 == 0o700
    assert state.write("secret", "x").stat().st_mode & 0o777 == 0o600


def test_two_runs_at_once_have_a_folder_each(tmp_path: Path) -> None:
    assert first_unlocked(tmp_path).root != first_unlocked(tmp_path).root


@pytest.mark.parametrize(
    ("module", "missing", "variable"),
    [
        (embedded_postgres, embedded_postgres.binaries, "DATABASE_URL"),
        (embedded_redis, embedded_redis.binary, "REDIS_URL"),
    ],
)
def test_a_platform_without_a_wheel_is_one_line(
    monkeypatch: pytest.MonkeyPatch, module: object, missing: object, variable: str
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(CannotRun) as refused:
        missing()  # type: ignore[operator]
    assert variable in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("port", ["x", "0", "65536", "-1"])
def test_a_port_that_is_none_is_one_line(port: str) -> None:
    with pytest.raises(CannotRun, match="ADMIN_PORT should be a port between 1 and 65535"):
        Ports.chosen({"ADMIN_PORT": port})


def _started(pid: int) -> str:
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline and os.getpgid(pid) != pid:
        time.sleep(0.01)
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
