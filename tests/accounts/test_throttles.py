"""How often a client may change something: counted before anything else, and never in the way."""

import re
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, Final

import pytest
from pytest_django import Settings

from accounts.frontdesk import throttles
from accounts.frontdesk.errors import RateLimited
from accounts.frontdesk.throttles import WRITES_WINDOW_SECONDS, Rate, spend
from config.urls import api
from tests.conftest import STAGE
from tests.partners import PartnerWorld, acme, fresh_key, globex, make_partner
from tests.processes import api_process

__all__ = ["acme", "globex"]
pytestmark = pytest.mark.role("api")
PATH: Final = "/v1/transfers"
ALLOWED: Final = WRITES_WINDOW_SECONDS  # at one a second
LEFT_SECONDS_MIN: Final = 3.0
ANY: Final = Rate(name="test", calls_max=1, window_seconds=3600)
LIMITED: Final = HTTPStatus.TOO_MANY_REQUESTS


@pytest.fixture
def slow(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a client change one thing a second, with no lot left over from when it might more."""
    monkeypatch.setattr(throttles, "_lots", {})
    settings.WRITES_PER_SECOND = 1
    wait_for_a_window()


def wait_for_a_window() -> None:
    """Wait until a window is young enough for all that a test asks."""
    left = WRITES_WINDOW_SECONDS - time.time() % WRITES_WINDOW_SECONDS
    if left < LEFT_SECONDS_MIN:
        time.sleep(left)


def used_up(world: PartnerWorld) -> Any:
    """Ask until the client is told to wait; return that answer."""
    for _ in range(ALLOWED + 1):
        answer = world.post(PATH, {"kind": "nonsense"})
        if answer.status_code == LIMITED:
            return answer
    pytest.fail("nobody was told to wait")


def keyed_doors() -> Iterator[str]:
    """Yield an address of each door that takes a key."""
    for each in api.urlpatterns:
        if "POST" in getattr(getattr(each.callback, "view_class", None), "takes_key", ()):
            yield "/" + re.sub("<[^>]+>", "x", str(each.pattern))


DOORS: Final = list(keyed_doors())


@pytest.mark.usefixtures("slow")
def test_who_asks_too_often_is_told_how_long_to_wait_and_keeps_the_key(
    acme: PartnerWorld, globex: PartnerWorld, settings: Settings
) -> None:
    key, body = fresh_key(), acme.internal()
    used_up(acme)
    answer = acme.post(PATH, body, key=key)
    told = answer.json()
    assert (answer.status_code, told["code"], told["retryable"]) == (429, "rate_limited", True)
    assert answer["Content-Type"] == "application/problem+json"
    assert 1 <= int(answer["Retry-After"]) <= WRITES_WINDOW_SECONDS
    assert acme.get(PATH).status_code == 200  # who only reads changes nothing
    assert globex.post(PATH, globex.internal()).status_code == 201
    settings.WRITES_PER_SECOND = 1_000
    again = acme.post(PATH, body, key=key)
    assert (again.status_code, again.get("Idempotent-Replayed")) == (201, None)


@pytest.mark.usefixtures("slow")
def test_it_is_all_the_doors_together(acme: PartnerWorld) -> None:
    assert len(DOORS) > 8
    used_up(acme)
    said = {door: acme.post(door, {}).status_code for door in DOORS}
    assert set(said.values()) == {429}, said


@pytest.mark.usefixtures("acme")
def test_as_many_as_are_allowed_pass_however_many_come_at_once() -> None:
    with STAGE.as_role("migrator"):
        token = make_partner("initech").token()  # of whom nothing was counted before

    def knock(turn: int) -> int:
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": fresh_key(),
            "X-Forwarded-For": f"198.51.100.{turn}",
        }
        return server.send("POST", PATH, headers=headers, body=b"{}").status

    with api_process(workers=2, writes_per_second=1) as server:
        wait_for_a_window()
        with ThreadPoolExecutor(40) as pool:
            said = Counter(pool.map(knock, range(40)))
    assert said == {400: ALLOWED, 429: 40 - ALLOWED}


def test_a_lot_that_a_process_takes_at_once_lets_no_more_pass() -> None:
    rate, who = Rate(name="lots", calls_max=100, window_seconds=3600, lot=7), fresh_key()

    def knock(_: int) -> bool:
        try:
            spend(rate, who=who)
        except RateLimited:
            return False
        return True

    with ThreadPoolExecutor(40) as pool:
        passed = sum(pool.map(knock, range(150)))
    assert passed + sum(map(knock, range(150))) == 100


def nobody_there() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    yield port


def somebody_who_never_answers() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield silent.getsockname()[1]


@pytest.mark.parametrize("redis", [nobody_there, somebody_who_never_answers])
def test_without_a_counter_nobody_is_stopped_and_nobody_waits_twice(
    acme: PartnerWorld,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    redis: Callable[[], Iterator[int]],
) -> None:
    for port in redis():
        settings.CACHES = {"default": {"LOCATION": f"redis://127.0.0.1:{port}/0"}}
        began = time.monotonic()
        for _ in range(20):
            spend(ANY, who="x")
        assert time.monotonic() - began < 4 * throttles.PATIENCE_SECONDS
        assert caplog.text.count("rate counter unreachable") == 1
        assert acme.post(PATH, acme.internal()).status_code == 201


def test_once_it_is_back_it_counts_again(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(throttles, "REST_SECONDS", 0.0)
    there, who = settings.CACHES, fresh_key()
    settings.CACHES = {"default": {"LOCATION": f"redis://127.0.0.1:{next(nobody_there())}/0"}}
    spend(ANY, who=who)
    settings.CACHES = there
    spend(ANY, who=who)
    with pytest.raises(RateLimited):
        spend(ANY, who=who)
