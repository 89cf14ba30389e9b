"""Rules of the house that no linter knows. Each failure says what to do."""

import ast
import re
from pathlib import Path

import pytest

from audit.commands import COMMANDS
from integrations.providers.registry import INBOUND
from integrations.states import PROVIDERS_KNOWN

ROOT = Path(__file__).parents[2]
APPS = ("audit", "accounts", "transactions", "integrations", "config")
FUNCTION_LINES_MAX = 45
FILE_LINES_MAX = 300
SQL_CASCADE = re.compile(r"ON\s+DELETE\s+CASCADE", re.IGNORECASE)


def _sources() -> list[Path]:
    """Return our own modules, migrations aside."""
    found = (path for app in APPS for path in (ROOT / app).rglob("*.py"))
    return sorted(path for path in found if "migrations" not in path.parts)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", _sources(), ids=_name)
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    source = path.read_text()
    assert source.count("\n") <= FILE_LINES_MAX, "split the file along its nouns"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= FUNCTION_LINES_MAX, f"{node.name} is {length} lines: name its steps"


@pytest.mark.parametrize("path", _sources(), ids=_name)
def test_doors_and_errands_hold_no_query(path: Path) -> None:
    doors = {"api", "admin", "rounds", "tasks.py", "receivers.py"}
    if not doors & set(path.relative_to(ROOT).parts):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        is_query = isinstance(node, ast.Attribute) and node.attr == "objects"
        # A page's `cursor` is a value; a connection's is called.
        called = node.func if isinstance(node, ast.Call) else None
        is_query |= isinstance(called, ast.Attribute) and called.attr == "cursor"
        assert not is_query, f"line {node.lineno}: read through a selector"  # type: ignore[attr-defined]


@pytest.mark.parametrize("up", sorted(ROOT.glob("*/sql/*.up.sql")), ids=_name)
def test_every_sql_file_can_be_undone_and_cascades_nothing(up: Path) -> None:
    assert up.with_name(up.name.replace(".up.", ".down.")).exists()
    assert not SQL_CASCADE.search(up.read_text())


@pytest.mark.parametrize("path", sorted(ROOT.glob("*/services/*.py")), ids=_name)
def test_no_command_calls_a_command(path: Path) -> None:
    names = {name.partition(".")[2] for name in COMMANDS}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in names, f"line {node.lineno}: share a step, not a command"


@pytest.mark.parametrize("path", _sources(), ids=_name)
def test_money_knows_no_float_and_the_stock_cipher_is_not_used(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "django_cryptography"
        ):
            assert "encrypt" not in {alias.name for alias in node.names}
        if "transactions" in path.parts and isinstance(node, ast.Name):
            assert node.id not in {"float", "Decimal"}, f"line {node.lineno}: whole minor units"


def test_the_locks_name_no_address() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        assert "://" not in lock.read_text()


def test_the_providers_known_are_those_registered() -> None:
    assert sorted(INBOUND) == sorted(PROVIDERS_KNOWN)
