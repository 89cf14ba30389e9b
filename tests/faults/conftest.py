"""A bank and a Stripe that are really there, and a worker to kill."""

import os
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connections
from pytest_django import Settings

from tests.doubles import TOKEN, BankProcess, StripeProcess

KILLED = -9  # how a child ended that met its failpoint


@dataclass(frozen=True)
class Doubles:
    """The outside world."""

    bank: BankProcess
    stripe: StripeProcess


@pytest.fixture(scope="module")
def doubles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doubles]:
    """A bank that calls nobody back (it is asked instead), and a Stripe."""
    memory: Path = tmp_path_factory.mktemp("bank") / "memory"
    found = Doubles(BankProcess(state=memory, callback_url=""), StripeProcess())
    yield found
    found.bank.kill()
    found.stripe.stop()


@pytest.fixture
def outside(doubles: Doubles, settings: Settings) -> Doubles:
    """The outside world, with our settings pointing at it."""
    bank, stripe = f"127.0.0.1:{doubles.bank.port}", f"127.0.0.1:{doubles.stripe.port}"
    settings.OUTBOUND_LOOPBACK = (bank, stripe)
    settings.TESTBANK_URL, settings.TESTBANK_TOKEN = f"http://{bank}", TOKEN
    settings.STRIPE_API_URL, settings.STRIPE_API_KEY = f"http://{stripe}", TOKEN
    return doubles


def run_in_child(work: Callable[[], object], *, failpoint: str = "") -> int:
    """Do `work` in a forked process; return how it ended, KILLED at its failpoint."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        os.environ["FAILPOINT"] = failpoint
        try:
            work()
        except BaseException:  # noqa: BLE001 - the parent must see it, whatever it is
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
