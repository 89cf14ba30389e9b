"""T01: money under crashes: nothing acknowledged is lost or done twice, no total is ever off."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from pytest_django import DjangoDbBlocker

from audit.typeids import uuid7
from tests.bank.history import Answer, Asked
from tests.bank.nemesis import Fault
from tests.bank.play import Plan, Report, Side, play
from tests.bank.service_door import ServiceDoor
from tests.bank.sides import HttpSide, ServiceSide
from tests.clusters import cluster
from tests.faults.conftest import Doubles, doubles

__all__ = ["doubles"]
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
    seconds_max=600.0,
    faults={Fault.STOP: 5, Fault.KILL: 5, Fault.EAT: 5},
    acked_min=3_000,
    reads_min=1_000,
    in_doubt_min=20,
    known_min=1,
    silence_seconds_max=10.0,
)
HTTP: Final = replace(
    FULL,
    faults={Fault.STOP: 4, Fault.KILL: 4, Fault.EAT: 4, Fault.WORKER: 4},
    acked_min=500,
    reads_min=100,
)


def run(folder: Path, *, plan: Plan, side: Side, blocker: DjangoDbBlocker) -> Report:
    """Play on a fresh server and show what came of it."""
    with blocker.unblock(), cluster(folder) as server:
        report = play(server, plan=plan, side=side)
    print(f"T01 {type(side).__name__}: {report}")  # noqa: T201 - what the proof shows
    assert report.findings.is_clean, report.findings
    return report


def test_t01_short_the_books_hold_when_the_database_crashes_under_them(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    report = run(tmp_path, plan=SHORT, side=ServiceSide(), blocker=django_db_blocker)
    assert not report.void_because
    assert not report.is_quiet_too_long


class Forgetful(ServiceDoor):
    """Tries again under a fresh key, as a client would that keeps none."""

    def ask(self, order: Asked, *, key: str, reference: str) -> Answer:
        """Ask under another key each time."""
        return super().ask(order, key=f"{key}-{uuid7()}", reference=reference)


def test_t01_control_a_client_that_tries_again_under_a_fresh_key_is_found_out(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    """What the run is for: it must be able to fail."""
    side = ServiceSide(mix={"move": 1}, door=Forgetful)
    plan = replace(SHORT, seconds=2.0, faults={Fault.EAT: 3}, reads_min=0, known_min=0)
    with django_db_blocker.unblock(), cluster(tmp_path) as server:
        report = play(server, plan=plan, side=side)
    assert report.findings.twice


@pytest.mark.full
def test_t01_a_minute_of_crashes_loses_nothing_and_doubles_nothing(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    settle(run(tmp_path, plan=FULL, side=ServiceSide(), blocker=django_db_blocker))


@pytest.mark.full
def test_t01_a_minute_of_crashes_behind_http_loses_nothing_and_doubles_nothing(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker, doubles: Doubles
) -> None:
    side = HttpSide(tmp_path, outside=doubles)
    settle(run(tmp_path, plan=HTTP, side=side, blocker=django_db_blocker))


def settle(report: Report) -> None:
    """End the whole run where it proves nothing; fail where nobody was served for too long."""
    if report.void_because:
        pytest.exit(f"VOID, it proves nothing: {report.void_because}", returncode=VOID_STATUS)
    assert not report.is_quiet_too_long
