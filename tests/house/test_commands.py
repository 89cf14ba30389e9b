"""Every command, refusal and permission keeps the house's promises."""

import inspect
import re
from pathlib import Path

import pytest
from django.apps import apps

from accounts.roles import (
    BATCH_GRANTS,
    CONFLICTS,
    FOUNDER_GRANTS,
    FRONT_DOOR_GRANTS,
    PROVIDER_GRANTS,
    ROLES,
    SCOPES,
    SYSTEM_GRANTS,
    Role,
)
from audit.commands import COMMANDS
from audit.errors import Refusal

ROOT = Path(__file__).parents[2]
GRANTED = (
    frozenset().union(*ROLES.values(), *SCOPES.values())
    | SYSTEM_GRANTS
    | BATCH_GRANTS
    | PROVIDER_GRANTS
    | FOUNDER_GRANTS
    | FRONT_DOOR_GRANTS
)
NOT_A_COMMAND = re.compile(r"\w+\.(view_\w+|see_every_portfolio)")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_is_a_verb_and_takes_a_keyword_only_actor_first(name: str) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)+", name)
    parameters = list(inspect.signature(COMMANDS[name]).parameters.values())
    assert parameters[0].name == "actor"
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters)
    assert COMMANDS[name].__doc__


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_somebody_may_run_every_command(name: str) -> None:
    assert name in GRANTED


@pytest.mark.parametrize("name", sorted(GRANTED))
def test_every_permission_is_a_command_or_a_page(name: str) -> None:
    assert name in COMMANDS or NOT_A_COMMAND.fullmatch(name)


@pytest.mark.parametrize("refusal", [Refusal.by_code[code] for code in sorted(Refusal.by_code)])
def test_a_refusal_explains_itself_in_one_line(refusal: type[Refusal]) -> None:
    assert refusal.__doc__
    assert refusal.__doc__.strip().splitlines()[0].endswith(".")
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", refusal.code)


def test_whoever_reads_everything_changes_nothing() -> None:
    acts = ROLES[Role.AUDITOR] & set(COMMANDS)
    # A copy taken out of the house changes nothing in it, and is on record.
    assert all(name.partition(".")[2].startswith("export_") for name in acts)


def test_nobody_both_asks_and_decides() -> None:
    asks, decides = "transactions.request_transfer", "accounts.decide_approval"
    for role, may in ROLES.items():
        assert not {asks, decides} <= may
        for other, may_too in ROLES.items():
            if {asks, decides} <= may | may_too:
                assert frozenset({role, other}) in CONFLICTS


def test_every_constraint_named_in_code_exists() -> None:
    known = {c.name for model in apps.get_models() for c in model._meta.constraints}
    known |= {f"{model._meta.db_table}_pkey" for model in apps.get_models()}
    known |= {
        f"{model._meta.db_table}_{field.column}_key"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.unique
    }
    for path in ROOT.glob("*/sql/*.up.sql"):  # what triggers and functions say in its place
        known |= set(re.findall(r"(?:v_rule := |ledger_refuse\()'(\w+)'", path.read_text()))
    sources = (path.read_text() for path in ROOT.glob("*/services/*.py"))
    named = {name for source in sources for name in re.findall(r'refuse_on\(\s*\{"(\w+)"', source)}
    assert named
    assert named <= known
