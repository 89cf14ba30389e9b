"""The events feed: complete up to the horizon, in one order, never skipping a late commit."""

import threading
import time

import psycopg
import pytest
from django.db import connection

from tests.conftest import STAGE
from tests.partners import PartnerWorld, acme, fresh_key, globex

__all__ = ["acme", "globex"]
pytestmark = pytest.mark.role("api")
LEAVE = """SELECT mailbox_leave(jsonb_build_array(jsonb_build_object('id', gen_random_uuid(),
    'book', %s::uuid, 'type', %s::text, 'payload', '{}'::jsonb, 'trace', '',
    'occurred_at', now())))"""


def as_api() -> psycopg.Connection:
    """Open a connection of our own, as the API's login."""
    at = connection.settings_dict
    return psycopg.connect(
        host=at["HOST"],
        port=at["PORT"],
        dbname=at["NAME"],
        user="cs_api",
        password=STAGE.passwords["cs_api"],
    )


def leave(line: psycopg.Connection, world: PartnerWorld, *, kind: str) -> None:
    line.execute(LEAVE, [world.partner.book_id, kind])


def follow(world: PartnerWorld, cursor: str = "", *, limit: int = 100) -> tuple[list[str], str]:
    """Read one page; return its types and where to go on."""
    query = f"?limit={limit}" + (f"&cursor={cursor}" if cursor else "")
    page = world.get(f"/v1/events{query}").json()
    return [event["type"] for event in page["data"]], page["next_cursor"]


def follow_until(world: PartnerWorld, cursor: str, *, count: int) -> tuple[list[str], str]:
    """Read on until `count` events came. Anything else the server does may hold the horizon."""
    seen: list[str] = []
    for _ in range(100):
        page, cursor = follow(world, cursor)
        seen += page
        if len(seen) >= count:
            break
        time.sleep(0.05)
    return seen, cursor


def test_a_transfer_is_told(acme: PartnerWorld) -> None:
    _, cursor = follow_until(acme, "", count=1)
    made = acme.post("/v1/transfers", acme.internal()).json()
    seen, further = follow_until(acme, cursor, count=1)
    assert seen == ["transfer.settled"]
    (event,) = acme.get(f"/v1/events?cursor={cursor}").json()["data"]
    assert event["data"]["id"] == made["id"]
    assert event["id"].startswith("evt_")
    assert follow(acme, further)[0] == []


def at_the_end(world: PartnerWorld) -> str:
    """Leave a letter, wait until it can be read, and return the place behind it."""
    mark, cursor = f"mark.{fresh_key()[:8]}", ""
    with as_api() as line:
        leave(line, world, kind=mark)
    for _ in range(100):
        page, cursor = follow(world, cursor)
        if mark in page:
            return cursor
        time.sleep(0.05)
    raise AssertionError("the feed stands still")


def test_a_late_commit_is_not_skipped(acme: PartnerWorld) -> None:
    cursor = at_the_end(acme)
    with as_api() as slow, as_api() as quick:
        leave(slow, acme, kind="slow.one")
        leave(quick, acme, kind="quick.one")
        quick.commit()
        seen, cursor = follow(acme, cursor)
        assert seen == []  # the quick one waits behind the horizon: the slow one is in front
        slow.commit()
    seen, cursor = follow_until(acme, cursor, count=2)
    assert seen == ["slow.one", "quick.one"]
    assert follow(acme, cursor)[0] == []


def test_control_a_cursor_on_time_would_skip_it(acme: PartnerWorld) -> None:
    """What the horizon is for: by recorded time, the late one lies behind the reader."""
    with as_api() as slow, as_api() as quick, as_api() as reader:
        leave(slow, acme, kind="slow.two")
        leave(quick, acme, kind="quick.two")
        quick.commit()
        newest = "SELECT max(recorded_at) FROM accounts_letter"
        (cursor,) = reader.execute(newest).fetchone() or (None,)
        reader.commit()
        slow.commit()
        later = "SELECT type FROM accounts_letter WHERE recorded_at > %s"
        assert ("slow.two",) not in reader.execute(later, [cursor]).fetchall()


def test_many_writers_and_one_reader_lose_nothing(acme: PartnerWorld) -> None:
    cursor = at_the_end(acme)
    run = fresh_key()[:8]

    def write(number: int) -> None:
        with as_api() as line:
            for turn in range(10):
                leave(line, acme, kind=f"{run}.{number}.{turn}")
                line.execute("SELECT pg_sleep(random() / 100)")
                line.commit()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for writer in writers:
        writer.start()
    seen: list[str] = []
    while any(writer.is_alive() for writer in writers):
        page, cursor = follow(acme, cursor, limit=7)
        seen += page
    if len(seen) < 60:
        seen += follow_until(acme, cursor, count=60 - len(seen))[0]
    assert len(seen) == len(set(seen)) == 60
    assert {kind.partition(".")[0] for kind in seen} == {run}


def test_a_stranger_reads_none_of_it(acme: PartnerWorld, globex: PartnerWorld) -> None:
    acme.post("/v1/transfers", acme.internal())
    mine = {event["id"] for event in acme.get("/v1/events?limit=100").json()["data"]}
    theirs = {event["id"] for event in globex.get("/v1/events?limit=100").json()["data"]}
    assert mine
    assert not mine & theirs
    cursor = acme.get("/v1/events?limit=1").json()["next_cursor"]
    assert not mine & {
        event["id"] for event in globex.get(f"/v1/events?cursor={cursor}").json()["data"]
    }
