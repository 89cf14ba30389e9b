"""T20: the outbound client reaches no address that is ours, whatever name leads there."""

import socket

import pytest

from integrations import http
from integrations.addresses import AddressClass, classify
from integrations.http import NoAnswer, NotReached, Outbound
from tests.attacks.outbound_corpus import ALLOWED, DENIED, PUBLIC, THIS_MACHINE, TRICKS
from tests.canary import Canary, answering


def as_the_system_would(host: str, _port: int) -> list[str]:
    """Read the spellings that the C library reads, without leaving this machine."""
    if "example" in host:
        return [PUBLIC]
    if host.startswith("localhost"):
        return ["127.0.0.1"]
    if ":" in host:
        return [host]
    return [socket.inet_ntoa(socket.inet_aton(host))]


def outbound_to(*addresses: str, port: int) -> Outbound:
    return Outbound(ports=frozenset({port}), resolver=lambda _host, _port: list(addresses))


@pytest.mark.parametrize("address", DENIED)
def test_t20_a_name_that_leads_to_a_dangerous_address_is_not_connected_to(
    address: str, canary: Canary, doors: list[tuple[str, int]]
) -> None:
    with pytest.raises(NotReached, match="resolves to"):
        outbound_to(address, port=canary.port).send("GET", f"https://good.example:{canary.port}/")
    assert doors == []


@pytest.mark.parametrize("address", DENIED)
def test_t20_one_bad_answer_among_good_ones_refuses_them_all(
    address: str, doors: list[tuple[str, int]]
) -> None:
    for answers in ((PUBLIC, address), (address, PUBLIC)):
        with pytest.raises(NotReached, match="resolves to"):
            outbound_to(*answers, port=443).send("GET", "https://good.example/")
    assert doors == []


@pytest.mark.parametrize("address", DENIED)
def test_t20_a_dangerous_address_written_out_is_refused(
    address: str, doors: list[tuple[str, int]]
) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(NotReached):
        Outbound(resolver=as_the_system_would).send("GET", f"https://{host}/")
    assert doors == []


def test_t20_the_canary_hears_nothing(canary: Canary) -> None:
    for address in (*DENIED, "::1"):
        with pytest.raises(NotReached):
            outbound_to(address, port=canary.port).send(
                "GET", f"https://good.example:{canary.port}/", timeout_seconds=2
            )
    assert canary.settled() == 0


def test_t20_control_without_the_classifier_the_canary_is_reached(
    canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "classify", lambda _address: AddressClass.PUBLIC)
    for address in THIS_MACHINE:
        with pytest.raises(NotReached):  # the canary hangs up during the TLS handshake
            outbound_to(address, port=canary.port).send(
                "GET", f"https://good.example:{canary.port}/"
            )
    assert canary.settled() == len(THIS_MACHINE)


@pytest.mark.parametrize("address", ALLOWED)
def test_t20_addresses_just_outside_the_ranges_are_called(
    address: str, doors: list[tuple[str, int]]
) -> None:
    assert classify(address) is AddressClass.PUBLIC
    with pytest.raises(NotReached):  # only because the test opens no door
        outbound_to(address, port=443).send("GET", "https://good.example/")
    assert doors == [(address, 443)]


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "LOCALHOST"])
def test_t20_a_spelling_that_resolves_is_classified_by_what_it_resolves_to(
    host: str, doors: list[tuple[str, int]]
) -> None:
    with pytest.raises(NotReached, match="resolves to a loopback address"):
        Outbound(resolver=as_the_system_would).send("GET", f"https://{host}/")
    assert doors == []


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("trick", TRICKS)
def test_t20_no_spelling_of_an_address_gets_by(trick: str, scheme: str, canary: Canary) -> None:
    caller = Outbound(ports=frozenset({canary.port, 443}), resolver=as_the_system_would)
    with pytest.raises(NotReached):
        caller.send("GET", trick.format(scheme=scheme, port=canary.port), timeout_seconds=2)
    assert canary.settled() == 0


def test_t20_a_name_is_resolved_once_so_rebinding_finds_nothing_to_rebind(
    doors: list[tuple[str, int]],
) -> None:
    answers = [["127.0.0.1"], [PUBLIC]]
    caller = Outbound(resolver=lambda _host, _port: answers.pop())
    with pytest.raises(NotReached):
        caller.send("GET", "https://rebinding.example/")
    assert doors == [(PUBLIC, 443)]
    assert answers == [["127.0.0.1"]]


def test_t20_a_redirect_is_an_answer_not_an_instruction(canary: Canary) -> None:
    head = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{canary.port}/\r\n"
    with answering(lambda to: to.sendall(f"{head}Content-Length: 0\r\n\r\n".encode())) as place:
        reply = Outbound(loopback=(place, f"127.0.0.1:{canary.port}")).send(
            "GET", f"http://{place}/"
        )
    assert reply.status == 302
    assert canary.settled() == 0


def test_proxies_named_in_the_environment_are_not_used(
    canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    with answering(lambda to: to.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")) as place:
        assert Outbound(loopback=(place,)).send("GET", f"http://{place}/").status == 204
    assert canary.settled() == 0


def test_the_loopback_is_reached_only_at_the_places_named(canary: Canary) -> None:
    here = f"127.0.0.1:{canary.port}"
    for loopback in ((), (f"localhost:{canary.port}",), (f"127.0.0.1:{canary.port + 1}",)):
        with pytest.raises(NotReached):
            Outbound(loopback=loopback).send("GET", f"http://{here}/")
    assert canary.settled() == 0
    with pytest.raises(NoAnswer):
        Outbound(loopback=(here,)).send("GET", f"http://{here}/")
    assert canary.settled() == 1


@pytest.mark.parametrize("address", ["10.0.0.1", PUBLIC, "169.254.169.254"])
def test_a_place_named_as_loopback_that_resolves_elsewhere_is_refused(
    address: str, doors: list[tuple[str, int]]
) -> None:
    caller = Outbound(loopback=("bank.example:80",), resolver=lambda _host, _port: [address])
    with pytest.raises(NotReached):
        caller.send("GET", "http://bank.example/")
    assert doors == []
