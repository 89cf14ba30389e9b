"""What each process of a sandbox or a test run gets to know, by process name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from config.env import HELD
from config.sandbox.keys import Keys
from config.sandbox.processes import BY_NAME, named_ports
from config.sandbox.refusal import CannotRun
from config.sandbox.servers import Servers
from config.sandbox.state import LOOPBACK, State

CONSOLE_LOGIN: Final = "cs_migrator"
STRIPE_ENDPOINT: Final = "stripe/main"
TESTBANK_ENDPOINT: Final = "testbank/main"
PORTS: Final = range(1, 65536)
CALLBACKS_PATH: Final = "/callbacks"
# localhost and not 127.0.0.1: browsers take it as a secure place, and security keys as a domain.
WEB_HOST: Final = "localhost"
# Load is tried here, and nobody is to be slowed down.
WRITES_PER_SECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where each process listens."""

    by_name: Mapping[str, int]

    @classmethod
    def chosen(cls, source: Mapping[str, str]) -> "Ports":
        """Take every port from its variable, or its default."""
        chosen: dict[str, int] = {}
        for name, (variable, default) in named_ports().items():
            text = source.get(variable) or str(default)
            if not text.isdecimal() or int(text) not in PORTS:
                raise CannotRun(f"{variable} should be a port between 1 and 65535")
            chosen[name] = int(text)
        return cls(by_name=chosen)

    def web(self, name: str) -> str:
        """Return the address that people and browsers use."""
        return f"http://{WEB_HOST}:{self.by_name[name]}"

    def inside(self, name: str) -> str:
        """Return the address that processes use among themselves."""
        return f"http://{LOOPBACK}:{self.by_name[name]}"


def environments(servers: Servers, *, ports: Ports) -> dict[str, dict[str, str]]:
    """Return every process's environment: what config/env.py says that it holds, no more."""
    made = {
        process: {
            name: _value(name, process=process, servers=servers, ports=ports) for name in held
        }
        for process, held in HELD.items()
    }
    return made | _doubles(servers.keys, state=servers.state, ports=ports)


def callback_secrets(keys: Keys) -> dict[str, list[str]]:
    """Return the signing secrets by endpoint."""
    return {name: [keys.webhook_secret(name)] for name in (STRIPE_ENDPOINT, TESTBANK_ENDPOINT)}


def callback_url(endpoint: str, *, ports: Ports) -> str:
    """Return where a provider's endpoint sends to."""
    return f"{ports.inside('callbacks')}{CALLBACKS_PATH}/{endpoint}"


def _value(name: str, *, process: str, servers: Servers, ports: Ports) -> str:
    """Return one variable of one process."""
    keys = servers.keys
    login = BY_NAME[process].login if process in BY_NAME else CONSOLE_LOGIN
    public, private = keys.inbox_pair()
    values = {
        "DATABASE_URL": servers.url(login or CONSOLE_LOGIN),
        "REDIS_URL": servers.redis_url,
        "SECRET_KEY": keys.raw(f"SECRET_KEY {process}").hex(),
        "ALLOWED_HOSTS": f"{WEB_HOST},{LOOPBACK}",
        "CALLBACK_SECRETS": json.dumps(callback_secrets(keys)),
        "INBOX_PUBLIC_KEY": public,
        "INBOX_PRIVATE_KEY": private,
        "WRITES_PER_SECOND": str(WRITES_PER_SECOND),
        "STRIPE_API_URL": ports.inside("stripe"),
        "STRIPE_API_KEY": f"sk_test_{keys.raw('STRIPE_API_KEY').hex()}",
        "TESTBANK_URL": ports.inside("testbank"),
        "TESTBANK_TOKEN": keys.raw("TESTBANK_TOKEN").hex(),
        "OUTBOUND_LOOPBACK": ",".join(
            f"{LOOPBACK}:{ports.by_name[double]}" for double in ("testbank", "stripe")
        ),
    }
    return values[name] if name in values else keys.key(name)


def _doubles(keys: Keys, *, state: State, ports: Ports) -> dict[str, dict[str, str]]:
    """Return what the two doubles hold: the other end of a secret each."""
    bank = {
        "TESTBANK_TOKEN": keys.raw("TESTBANK_TOKEN").hex(),
        "TESTBANK_CALLBACK_URL": callback_url(TESTBANK_ENDPOINT, ports=ports),
        "TESTBANK_CALLBACK_SECRET": keys.webhook_secret(TESTBANK_ENDPOINT),
        "TESTBANK_STATE": str(state.folder("testbank") / "bank.json"),
        "TESTBANK_PORT": str(ports.by_name["testbank"]),
    }
    stripe = {
        "STRIPE_API_KEY": f"sk_test_{keys.raw('STRIPE_API_KEY').hex()}",
        "STRIPE_DOUBLE_STATE": str(state.folder("stripe") / "account.json"),
        "STRIPE_DOUBLE_PORT": str(ports.by_name["stripe"]),
    }
    return {"testbank": bank, "stripe": stripe}
