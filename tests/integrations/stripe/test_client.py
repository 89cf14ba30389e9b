"""Asking Stripe, through the outbound client, of the double that runs in the sandbox."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from config.sandbox.doubles.stripe import World, serve
from integrations.http import NoAnswer, NotReached, Outbound, Reply
from integrations.providers.base import NotYet
from integrations.providers.stripe.client import API_VERSION, EVENTS_PAGE, StripeLookup
from tests.integrations.stripe.cast import read, sample, sample_shelf
from transactions.meanings import NotUnderstood

KEY = "sk_test_double"
CHARGE = "ch_3SamplePlain0000000001"
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


class Double:
    """A running Stripe double, and how to control it."""

    def __init__(self, state: Path) -> None:
        """Start one that knows our sample objects."""
        self.world = World(state)
        self.world.learn(list(sample_shelf().objects.values()))
        self.server = serve(self.world, key=KEY, port=0)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def lookup(self, *, key: str = KEY) -> StripeLookup:
        """Return a lookup that asks this double."""
        host = f"127.0.0.1:{self.port}"
        sender = Outbound(loopback=(host,))
        return StripeLookup(sender=sender, api_url=f"http://{host}", api_key=key)

    def call(self, method: str, path: str, wish: object = None, *, key: str = KEY) -> Any:
        """Call the double and return its status and content."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            headers = {"Authorization": f"Bearer {key}"}
            connection.request(method, path, body=json.dumps(wish), headers=headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


@pytest.fixture
def double(tmp_path: Path) -> Iterator[Double]:
    running = Double(tmp_path / "stripe.json")
    yield running
    running.stop()


def test_what_stripe_knows_is_fetched_and_read(double: Double) -> None:
    found = double.lookup().fetch(kind="charge", ref=CHARGE)
    objects = sample_shelf().objects
    named = str(objects[CHARGE]["balance_transaction"])
    assert found == objects[CHARGE] | {"balance_transaction": objects[named]}
    assert found["refunds"]


def test_what_stripe_does_not_know_is_asked_about_again(double: Double) -> None:
    lookup = double.lookup()
    with pytest.raises(NotYet, match="404"):
        lookup.fetch(kind="balance_transaction", ref="txn_unknown")
    with pytest.raises(NotYet, match="404"):
        lookup.fetch(kind="charge", ref="txn_3SamplePlain0000000001")


def test_a_wrong_key_is_asked_about_again_and_never_named(double: Double) -> None:
    with pytest.raises(NotYet, match="401") as refused:
        double.lookup(key="sk_wrong").fetch(kind="charge", ref=CHARGE)
    assert "sk_wrong" not in refused.value.reason


@pytest.mark.parametrize("status", [429, 500, 503, 302, 0])
def test_trouble_at_stripe_is_asked_about_again_and_passes(double: Double, status: int) -> None:
    assert double.call("POST", "/_control/fail", {"status": status, "times": 1})[0] == 200
    lookup = double.lookup()
    with pytest.raises(NotYet):
        lookup.fetch(kind="charge", ref=CHARGE)
    assert lookup.fetch(kind="charge", ref=CHARGE)["id"] == CHARGE


def test_a_stripe_that_is_not_there_is_asked_about_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    host = f"127.0.0.1:{port}"
    lookup = StripeLookup(sender=Outbound(loopback=(host,)), api_url=f"http://{host}", api_key=KEY)
    with pytest.raises(NotYet, match="could not be asked"):
        lookup.fetch(kind="charge", ref=CHARGE)


class Scripted:
    """A sender that answers as told, and remembers what it was sent."""

    def __init__(self, answer: Reply | Exception) -> None:
        """Keep the answer."""
        self.answer = answer
        self.sent: list[tuple[str, dict[str, str]]] = []

    def send(self, method: str, url: str, **rest: Any) -> Reply:
        """Answer, or fail."""
        self.sent.append((f"{method} {url}", rest["headers"]))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def scripted(answer: Reply | Exception) -> StripeLookup:
    return StripeLookup(sender=Scripted(answer), api_url="https://api.example", api_key=KEY)


@pytest.mark.parametrize(
    "answer",
    [
        NotReached("nobody there"),
        NoAnswer("out of time"),
        Reply(200, {}, b"<html>"),
        Reply(200, {}, b"[]"),
        Reply(200, {}, b'{"object":"charge","id":"ch_other"}'),
        Reply(200, {}, b'{"object":"payout","id":"ch_1"}'),
        Reply(200, {}, b'{"object":"charge","id":"ch_1","id":"ch_1"}'),
        Reply(204, {}, b""),
    ],
)
def test_whatever_goes_wrong_is_not_yet(answer: Reply | Exception) -> None:
    with pytest.raises(NotYet):
        scripted(answer).fetch(kind="charge", ref="ch_1")
    with pytest.raises(NotYet):
        scripted(answer).events(since=EPOCH)


def test_a_question_names_our_key_and_the_pinned_version() -> None:
    sender = Scripted(Reply(200, {}, b'{"object":"charge","id":"ch_1"}'))
    StripeLookup(sender=sender, api_url="https://api.example", api_key=KEY).fetch(
        kind="charge", ref="ch_1"
    )
    ((question, headers),) = sender.sent
    assert question == (
        "GET https://api.example/v1/charges/ch_1"
        "?expand%5B%5D=refunds&expand%5B%5D=balance_transaction"
    )
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["Stripe-Version"] == API_VERSION


@pytest.mark.parametrize("ref", ["", "ch_1/../../v1/accounts", "ch_1?x=1", "ch_1\r\nX: y", "1"])
def test_a_ref_that_is_no_id_is_never_asked_for(ref: str) -> None:
    with pytest.raises(NotUnderstood):
        scripted(NoAnswer("must not be asked")).fetch(kind="charge", ref=ref)


def test_events_are_paged_newest_first_and_can_be_read(double: Double) -> None:
    count = EVENTS_PAGE + 3
    events = [
        sample("charge.succeeded") | {"id": f"evt_{number:03d}", "created": 1_767_225_600 + number}
        for number in range(count)
    ]
    double.call("POST", "/_control/objects", {"objects": events})
    lookup = double.lookup()
    first = lookup.events(since=EPOCH)
    assert [each.event_id for each in first.events][:2] == [f"evt_{count - 1:03d}", "evt_009"]
    assert (len(first.events), first.has_more) == (EVENTS_PAGE, True)
    rest = lookup.events(since=EPOCH, after=first.events[-1].event_id)
    assert [each.event_id for each in rest.events] == ["evt_002", "evt_001", "evt_000"]
    assert not rest.has_more
    assert read(rest.events[0].body) == read(sample("charge.succeeded"))
    assert lookup.events(since=datetime(2030, 1, 1, tzinfo=UTC)).events == ()


def test_the_double_keeps_its_memory_and_its_door_shut(double: Double) -> None:
    again = World(double.world.state)
    assert again.objects == double.world.objects
    assert double.call("GET", "/health/ready")[0] == 200
    for method, path in (("GET", "/v1/charges/ch_1"), ("POST", "/_control/objects")):
        assert double.call(method, path, {}, key="wrong")[0] == 401
    assert double.call("POST", "/_control/objects", {"objects": 3})[0] == 400
    assert double.call("POST", "/_control/nothing", {})[0] == 404
    assert double.call("GET", "/v1/customers/cus_1")[0] == 404
    assert double.call("GET", "/v1/events?limit=few")[0] == 400
