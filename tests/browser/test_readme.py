"""The README's story, typed by somebody who has just started a sandbox."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from config.env import BASE_DIR
from tests.browser.conftest import House

STORY = re.compile(r"^## The story in curl$(.*?)^## ", re.DOTALL | re.MULTILINE)
SECONDS_MAX = 30


def typed() -> str:
    """Return the commands of the story, as a newcomer copies them."""
    found = STORY.search((BASE_DIR / "README.md").read_text())
    assert found is not None
    lines = found[1].splitlines()
    return "\n".join(line.removeprefix("    ") for line in lines if line[:4].isspace())


def play(house: House, *, folder: Path) -> list[str]:
    """Type the story in a folder where this sandbox runs and return the answers, a line each."""
    for name, there in ((".sandbox", house.state), (".venv", BASE_DIR / ".venv")):
        (folder / name).symlink_to(there)
    told = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", typed()],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    assert (told.returncode, told.stderr) == (0, "")
    return told.stdout.splitlines()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the story is told in curl")
def test_the_readmes_story_can_be_typed_as_it_stands_and_what_is_sent_twice_happens_once(
    house: House, tmp_path: Path
) -> None:
    transfer, again, *others = play(house, folder=tmp_path)
    assert again == transfer
    assert json.loads(transfer)["state"] == "settled"
    payout, rules, key, events = map(json.loads, others)
    assert payout["fee_rule"] in {rule["id"] for rule in rules["data"]}
    assert key["uses"][0]["resource"] == f"/v1/transfers/{payout['id']}"
    assert events["data"]
