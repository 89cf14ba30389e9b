"""The stage for every test: see tests/stage.py."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module

import pytest
from django.test import TransactionTestCase, override_settings
from pytest_django import DjangoDbBlocker
from xdist.remote import Producer

from tests.network import turn_network_off
from tests.shares import Shares, put_in_order
from tests.stage import REQUEST_SETTINGS, SETTINGS_BY_ROLE, Stage, role_of

STAGE = Stage()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave full forms out unless they are asked for by their marker."""
    if "full" not in config.option.markexpr:
        left_out = [item for item in items if item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("full")]
    put_in_order(items)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shares:
    """Share the suite out in our own way."""
    config.option.loadscopereorder = False  # our order is by time, not by number
    return Shares(config, log)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Build the stage once, and pull it down at the end."""
    with django_db_blocker.unblock():
        STAGE.build()
    # Runtime logins may not truncate, and the log refuses even its owner: a fresh clone instead.
    TransactionTestCase._fixture_teardown = lambda _: STAGE.reclone()  # type: ignore[attr-defined]
    yield
    with django_db_blocker.unblock():
        STAGE.drop()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Choose the login before any fixture has opened a transaction."""
    if STAGE.passwords:
        STAGE.enter(role_of(item))


@pytest.fixture(autouse=True)
def _requests_as_in_the_process(request: pytest.FixtureRequest) -> Iterator[None]:
    """Take URLs and middleware from the settings file of the process that the test is about."""
    module = SETTINGS_BY_ROLE.get(role_of(request.node))
    if module is None:
        yield
        return
    theirs = vars(import_module(module))
    with override_settings(**{name: theirs[name] for name in REQUEST_SETTINGS if name in theirs}):
        yield


@pytest.fixture(autouse=True, scope="session")
def _network_off() -> Iterator[None]:
    """Keep every test on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        turn_network_off(patch)
        yield


@pytest.fixture
def as_role() -> Callable[[str], AbstractContextManager[None]]:
    """Work as another process's login for a while; only in tests that really commit."""
    return STAGE.as_role
