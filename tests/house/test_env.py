"""The environment stops a process with one line, or lets it hold what is its own and no more."""

import re
from dataclasses import fields
from typing import Any

import pytest

from config.env import HELD, VARIABLES, BadEnvironment, Environment, read
from config.sandbox.keys import stand_ins
from config.sandbox.processes import PROCESSES

GOOD = {**stand_ins(), "CALLBACK_SECRETS": '{"stripe/main": ["whsec_old", "whsec_new"]}'}
BAD = {
    "DATABASE_URL": ["postgres://a:b@c:1/d", "postgresql://a@c:1/d", "postgresql://a:b@c/d", "x"],
    "REDIS_URL": ["redis://host", "http://host:1/0"],
    "SECRET_KEY": ["short"],
    "ALLOWED_HOSTS": ["a b", "http://a"],
    "MFA_KEY": ["short", "!" * 44, "QUJD"],
    "VAULT_KEY": ["é"],
    "ANSWER_KEY": ["QUJD"],
    "INBOX_PUBLIC_KEY": ["QUJD"],
    "INBOX_PRIVATE_KEY": ["QUJD"],
    "DERIVATION_KEY": ["QUJD"],
    "CALLBACK_SECRETS": [
        "{",
        "[]",
        '{"stripe": ["a"]}',
        '{"a/b": []}',
        '{"a/b": [1]}',
        '{"a/b": "c"}',
    ],
    "STRIPE_API_URL": ["ftp://a", "api.stripe.com"],
    "STRIPE_API_KEY": ["two words"],
    "TESTBANK_URL": ["http://"],
    "TESTBANK_TOKEN": ["two words"],
    "OUTBOUND_LOOPBACK": ["a b"],
    "WRITES_PER_SECOND": ["0", "-1", "1.5", "many"],
}
CASES = [(name, value) for name, values in BAD.items() for value in values]


def refusal(source: dict[str, str]) -> str:
    with pytest.raises(BadEnvironment) as refused:
        read("console", source=source)
    return str(refused.value)


def test_there_is_an_attribute_for_every_variable() -> None:
    assert [field.name for field in fields(Environment)] == [name.lower() for name in VARIABLES]


def test_every_process_is_named_and_every_variable_is_somebodys() -> None:
    served = {process.name for process in PROCESSES if not process.is_double}
    assert set(HELD) == served | {"migrate", "console"}
    assert {name for process in served for name in HELD[process]} == set(VARIABLES)


@pytest.mark.parametrize("process", HELD)
def test_a_process_holds_what_is_its_own(process: str) -> None:
    held = read(process, source=GOOD)
    for name in VARIABLES:
        assert (getattr(held, name.lower()) is not None) == (name in HELD[process])


@pytest.mark.parametrize("name", [name for name, of in VARIABLES.items() if of.is_required])
def test_a_missing_variable_is_one_line_that_names_it(name: str) -> None:
    said = refusal({**GOOD, name: ""})
    assert said == f"{name} is not set: it should look like {VARIABLES[name].shape}"


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_bad_value_is_one_line_that_names_it_and_does_not_repeat_it(
    name: str, value: str
) -> None:
    assert refusal({**GOOD, name: value}) == f"{name} should look like {VARIABLES[name].shape}"


def test_every_variable_has_a_bad_example() -> None:
    assert set(BAD) == set(VARIABLES)


def test_values_arrive_typed() -> None:
    held = read("console", source={**GOOD, "ALLOWED_HOSTS": "a.example, b.example"})
    assert held.allowed_hosts == ("a.example", "b.example")
    assert held.outbound_loopback == ()
    assert held.writes_per_second == 100
    assert read("api", source={**GOOD, "WRITES_PER_SECOND": "7"}).writes_per_second == 7
    assert held.callback_secrets == {"stripe/main": ("whsec_old", "whsec_new")}


def test_no_secret_is_shown() -> None:
    shown = repr(read("console", source=GOOD))
    secret = [value for name, value in GOOD.items() if re.search("KEY|SECRET|TOKEN|_URL", name)]
    hidden: list[Any] = [value for value in secret if not value.startswith("http://")]
    assert not [value for value in hidden if value in shown]
