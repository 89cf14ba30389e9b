"""T01: money under crashes: nothing acknowledged is lost or done twice, no total is ever off."""

from pathlib import Path
from typing import Final

import pytest
from pytest_django import DjangoDbBlocker

from tests.bank.nemesis import Fault
from tests.bank.play import Plan, Report, play
from tests.clusters import cluster

VOID_STATUS: Final = 6  # pytest's own end at 5
SHORT: Final = Plan(
    seconds=3.0,
    seconds_max=10.0,
    faults={Fault.STOP: 1, Fault.KILL: 1, Fault.EAT: 1},
    acked_min=20,
    reads_min=5,
    in_doubt_min=2,
    known_min=1,
    silence_seconds_max=10.0,
)
FULL: Final = Plan(
    seconds=60.0,
    seconds_max=180.0,
    faults={Fault.STOP: 5, Fault.KILL: 5, Fault.EAT: 5},
    acked_min=3_000,
    reads_min=1_000,
    in_doubt_min=20,
    known_min=1,
    silence_seconds_max=10.0,
)


def run(folder: Path, *, plan: Plan, blocker: DjangoDbBlocker) -> Report:
    """Play on a fresh server and show what came of it."""
    with blocker.unblock(), cluster(folder) as server:
        report = play(server, plan=plan)
    print(f"T01: {report}")  # noqa: T201 - what the proof shows
    return report


def test_t01_short_the_books_hold_when_the_database_crashes_under_them(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    report = run(tmp_path, plan=SHORT, blocker=django_db_blocker)
    assert report.findings.is_clean, report.findings
    assert not report.void_because
    assert not report.is_quiet_too_long


@pytest.mark.full
def test_t01_a_minute_of_crashes_loses_nothing_and_doubles_nothing(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    report = run(tmp_path, plan=FULL, blocker=django_db_blocker)
    assert report.findings.is_clean, report.findings
    if report.void_because:
        pytest.exit(f"VOID, it proves nothing: {report.void_because}", returncode=VOID_STATUS)
    assert not report.is_quiet_too_long
