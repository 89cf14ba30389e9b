"""`manage.py restore FOLDER --into NAME`: a backup, in a database that was empty, and checked."""

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from config import backups, grants
from config.sandbox.logins import make_logins
from config.sandbox.servers import beside_us
from transactions.selectors.clocks import is_rolled_up_here


class Command(BaseCommand):
    """Restores as the administrator at $RESTORE_URL, then grants and checks as the migrator."""

    help = "Restore a backup into an empty database ($RESTORE_URL: an administrator's address)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the folder, the database's name, and the fingerprint where it was kept."""
        parser.add_argument("folder", type=Path)
        parser.add_argument("--into", required=True, help="the empty database")
        parser.add_argument("--fingerprint", default="", help="what `backup` said")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Bring it back, grant, roll up, check the books; end with 1 if a check is broken."""
        name, folder = options["into"], options["folder"]
        address = _administrator(name)
        manifest = backups.bring_back(address, folder=folder, fingerprint=options["fingerprint"])
        rows = sum(manifest.contents.counts.values())
        self.stdout.write(f"{name}: {rows} rows of {manifest.made_at} are back.")
        if behind := backups.transactions_behind(address):
            self.stdout.write(f"The transaction counter lags by {behind}: see docs/RUNBOOK.md.")
        connections.close_all()
        connections["default"].settings_dict["NAME"] = name
        grants.apply()
        if wrong := grants.differences():
            self.stdout.write("\n".join(wrong))
            sys.exit(1)
        if not is_rolled_up_here():
            call_command("ledger_roll_up", anew=True, stdout=self.stdout)
        call_command("ledger_check", stdout=self.stdout)


def _administrator(name: str) -> str:
    """Return the administrator's address of the database; beside us it is made, logins and all."""
    given = os.environ.get("RESTORE_URL", "")
    if not given:
        servers = beside_us()
        make_logins(servers, database=name)
        given = servers.administrator_url
    return urlsplit(given)._replace(path=f"/{name}").geturl()
