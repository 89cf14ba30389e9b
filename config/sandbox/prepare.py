"""Migrates, grants, and makes the demo world the first time. One process: Django starts once."""

import os
from pathlib import Path
from typing import Final

import django
from django.core.management import call_command

from config.sandbox.state import State

WORLD_FILE: Final = "world.json"


def main() -> None:
    """Bring the sandbox's database to where this code expects it; safe to run again."""
    django.setup()
    from config.sandbox.world import load  # noqa: PLC0415 - its models need the line above

    call_command("migrate", interactive=False)
    call_command("grants")
    state = State(Path(os.environ["SANDBOX"]))
    if state.read_json(WORLD_FILE) is None:
        state.write_json(WORLD_FILE, load())


if __name__ == "__main__":
    main()
