"""Every no has its page: a code without one sends a partner's engineer to a 404."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from audit.errors import Refusal
from config.api import STATUS, TITLES
from config.env import BASE_DIR

PAGES = BASE_DIR / "docs" / "problems"
FLOORS = ("audit", "accounts", "transactions", "integrations", "config")
REFUSAL = re.compile(r"^class \w+\((?:\w+\.)?Refusal\)", re.MULTILINE)


def every_refusal() -> dict[str, type[Refusal]]:
    """Import each module that defines one, so that the registry is whole."""
    for floor in FLOORS:
        for path in (BASE_DIR / floor).rglob("*.py"):
            if REFUSAL.search(path.read_text()):
                import_module(module_of(path))
    return Refusal.by_code


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(BASE_DIR).with_suffix("").parts)


CODES = sorted(every_refusal()) + sorted(TITLES)


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_a_page_that_says_what_the_answer_says(code: str) -> None:
    if code in TITLES:
        status, title = TITLES[code]
    else:
        refusal = Refusal.by_code[code]
        status, title = STATUS[refusal.kind], (refusal.__doc__ or "").strip().splitlines()[0]
    lines = (PAGES / f"{code}.md").read_text().splitlines()
    assert lines[0] == f"# {title}"
    assert lines[2] == f"Code `{code}`, status {status.value}."
    assert {"## When", "## What to do", "## Send it again?"} <= set(lines)


def test_no_page_is_about_a_code_that_does_not_exist() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == set(CODES)
