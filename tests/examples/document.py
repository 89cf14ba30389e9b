"""A document with examples in it: each block stands between two marks, under its name."""

import re
from collections.abc import Mapping
from typing import Final

BLOCK: Final = re.compile(
    r"<!-- example: (?P<name>\w+) -->\n```text\n(?P<said>.*?)```\n<!-- example ends -->", re.DOTALL
)


def blocks_of(text: str) -> dict[str, str]:
    """Return what each block of a document says, by the name of its example."""
    found = [(each["name"], each["said"]) for each in BLOCK.finditer(text)]
    assert len(dict(found)) == len(found), "an example stands in the document twice"
    return dict(found)


def rewritten(text: str, *, said: Mapping[str, str]) -> str:
    """Return a document whose blocks say what their examples say now."""

    def block(found: re.Match[str]) -> str:
        body = said.get(found["name"], found["said"])
        return f"<!-- example: {found['name']} -->\n```text\n{body}```\n<!-- example ends -->"

    return BLOCK.sub(block, text)
