"""`manage.py grants`: apply the grant matrix; `--verify`: compare it with the database."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import grants


class Command(BaseCommand):
    """Applies or verifies `deploy/grants.yaml`. Runs as the migrator."""

    help = "Apply the database grants of deploy/grants.yaml, or verify them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --verify."""
        parser.add_argument("--verify", action="store_true", help="compare only")

    def handle(self, *_: Any, verify: bool, **__: Any) -> None:
        """Apply unless told to verify; either way end with the comparison."""
        if not verify:
            grants.apply()
        found = grants.differences()
        for line in found:
            self.stderr.write(line)
        if found:
            raise CommandError(f"{len(found)} differences between the matrix and the database")
        self.stdout.write(f"grants: {len(grants.wanted())} rights, as written")
