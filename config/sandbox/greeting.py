"""What a newcomer reads when everything runs, and the codes with which they sign in."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from config.env import SANDBOX_DIR
from config.sandbox.codes import code_of
from config.sandbox.refusal import CannotRun


def greeting(credentials: Mapping[str, Any], *, folder: Path, seconds: float) -> str:
    """Return addresses and sign-ins as a block of lines."""
    urls, staff = credentials["urls"], credentials["staff"]
    width = max(len(person["email"]) for person in staff)
    people = [
        f"    {person['email']:<{width}}  {person['password']}  {person['role']}"
        for person in staff
    ]
    partners = [
        f"    {partner['name']}: {partner['client_id']}" for partner in credentials["partners"]
    ]
    lines = [
        "",
        f"  Countersign is running ({seconds:.0f} s).",
        "",
        f"    admin      {urls['admin']}",
        f"    API        {urls['api']}/v1/docs",
        f"    callbacks  {urls['callbacks']}",
        "",
        "  Sign in to the admin with an address, its password and a code:",
        *people,
        "    .venv/bin/python -m config.sandbox code   prints everybody's code of the moment",
        "",
        "  Partners (their secrets are in credentials.json):",
        *partners,
        "",
        f"  State, logs and credentials: {folder}",
        "  `make demo` in a second terminal tells a provider's bad week. Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)


def print_codes(_arguments: Sequence[str]) -> int:
    """Print the code of the moment for every member of staff."""
    path = Path(os.environ.get("SANDBOX") or SANDBOX_DIR) / "credentials.json"
    try:
        staff = json.loads(path.read_text())["staff"]
    except OSError:
        raise CannotRun(f"{path} cannot be read: start a sandbox with `make run`") from None
    for person in staff:
        print(code_of(person["totp_secret"]), person["email"])
    return 0
