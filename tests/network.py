"""No test talks to anybody but this machine."""

import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest

LOCAL_NAMES = frozenset({"localhost", "", None})


class NetworkIsOff(RuntimeError):
    """A test tried to reach another machine. Not an OSError, which code takes for bad weather."""


def turn_network_off(patch: pytest.MonkeyPatch) -> None:
    """Refuse connections and look-ups that would leave this machine, until the patch is undone."""
    for name in ("connect", "connect_ex"):
        patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
    look_up = socket.getaddrinfo

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse_remote(host)
        return look_up(host, *args, **kwargs)

    patch.setattr(socket, "getaddrinfo", guarded_look_up)


def _guarded(connect: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a socket's way out."""

    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            _refuse_remote(address[0])
        return connect(self, address)

    return guarded


def _refuse_remote(host: str | bytes | None) -> None:
    """Raise NetworkIsOff unless the host is this machine."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in LOCAL_NAMES:
        return
    try:
        is_local = ip_address(str(name).split("%", maxsplit=1)[0]).is_loopback
    except ValueError:
        is_local = False
    if not is_local:
        raise NetworkIsOff(f"{name} is not this machine")
