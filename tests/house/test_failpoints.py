"""Every external write of an errand has a failpoint before and after it."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

from audit.failpoints import FAILPOINTS

ROOT = Path(__file__).parents[2]
ROUNDS = sorted(
    path for path in ROOT.glob("*/rounds/*.py") if "between_failpoints" in path.read_text()
)
WRAPPER = "between_failpoints"


def _writers(tree: ast.Module) -> set[str]:
    """Return the names that a round imports from commands: each of them writes."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and ".services." in (node.module or "")
        for alias in node.names
    }


def _is_wrapped(node: ast.FunctionDef) -> bool:
    return any(
        isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == WRAPPER
        for mark in node.decorator_list
    )


def _calls(node: ast.AST) -> set[str]:
    return {
        call.func.id if isinstance(call.func, ast.Name) else call.func.attr
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name | ast.Attribute)
    }


@pytest.mark.parametrize("path", ROUNDS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_a_round_writes_only_between_failpoints(path: Path) -> None:
    tree = ast.parse(path.read_text())
    writers = _writers(tree) | {"pay"}
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    wrapped = {name for name, node in functions.items() if _is_wrapped(node)}
    reached = set().union(*(_calls(functions[name]) for name in wrapped)) & set(functions)
    for name in set(functions) - wrapped - reached:
        assert not _calls(functions[name]) & writers, f"{name} writes without a failpoint"


def test_there_is_a_round_to_look_at() -> None:
    assert ROUNDS
    for path in ROUNDS:
        import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    assert {name.partition(".")[0] for name in FAILPOINTS} >= {"inbox", "callback", "dispatch"}
