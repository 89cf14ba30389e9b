"""The suite is shared by workers who have nothing in common, and its clones lie in memory."""

from pathlib import Path

import pytest

from config.env import BASE_DIR
from config.sandbox import memory
from config.sandbox.memory import room_in_memory
from config.sandbox.state import State
from config.sandbox.testing import WORKERS, workers_for
from tests.ports import PORTS, WORKERS_MAX, ports_of
from tests.shares import LONGEST_FIRST, share_of


@pytest.fixture
def own_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody gave us a server."""
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("own_servers")
@pytest.mark.parametrize(
    ("words", "workers"),
    [
        ([], WORKERS),
        (["-q", "-x", "--durations=5"], WORKERS),
        (["-k", "freeze and not thaw"], WORKERS),
        (["tests/house"], 0),
        (["tests/house/test_sharing.py", "-q"], 0),
        (["tests/house/test_sharing.py::test_nothing_is_told_of_it", "-q"], 0),
        (["-s"], 0),
        (["-xvs"], 0),
        (["--pdb"], 0),
        (["-n0"], 0),
        (["tests/house", "-n", "3"], 3),
        (["--numprocesses=4"], 4),
    ],
)
def test_the_whole_suite_is_shared_and_what_is_named_is_not(
    words: list[str], workers: int
) -> None:
    assert workers_for(words) == workers


@pytest.mark.usefixtures("own_servers")
@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_on_somebodys_own_servers_one_does_it_all(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "somewhere")
    assert workers_for([]) == 0


def test_a_file_is_one_workers_and_so_is_the_browser() -> None:
    assert share_of("tests/audit/test_a.py::test_b[c::d]") == "tests/audit/test_a.py"
    assert share_of("tests/browser/test_a.py::test_b") == share_of("tests/browser/test_c.py::d")


@pytest.mark.parametrize("share", LONGEST_FIRST)
def test_what_is_said_to_take_longest_is_there(share: str) -> None:
    assert (BASE_DIR / share).exists()


def test_no_two_workers_draw_the_same_port() -> None:
    drawn = [port for number in range(WORKERS_MAX) for port in ports_of(f"gw{number}")]
    assert sorted(drawn) == list(PORTS)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    """A state whose server was killed, and a memory that is a folder."""
    memory_here = tmp_path / "memory"
    memory_here.mkdir()
    monkeypatch.setattr(memory, "MEMORY", memory_here)
    monkeypatch.setattr(memory, "ROOM_BYTES_MIN", 0)
    made = State(tmp_path / "state")
    (made.folder("postgres") / "postmaster.pid").touch()
    return made


def test_the_clones_have_a_private_folder_while_the_run_lasts(state: State) -> None:
    with room_in_memory(state) as folder:
        assert folder is not None
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()


def test_without_room_they_lie_on_the_disk(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "ROOM_BYTES_MIN", 2**62)
    with room_in_memory(state) as folder:
        assert folder is None


def test_a_server_that_lost_its_clones_in_a_crash_begins_anew(state: State) -> None:
    with room_in_memory(state):
        assert not (state.root / "postgres").exists()


def test_a_server_that_was_killed_finds_its_clones_again(state: State) -> None:
    with room_in_memory(state) as folder:
        assert folder is not None
        state.folder("postgres")
        (state.root / "postgres" / "postmaster.pid").touch()
        (folder / "clone").touch()
        with room_in_memory(state):
            assert (folder / "clone").exists()
            assert (state.root / "postgres").exists()
        folder.mkdir()
