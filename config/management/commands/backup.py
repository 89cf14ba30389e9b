"""`manage.py backup FOLDER`: the whole database in one file, with a manifest of what is in it."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config import backups
from config.sandbox.servers import beside_us


class Command(BaseCommand):
    """Backs up as cs_backup: at $BACKUP_URL, or the database of the sandbox that runs here."""

    help = "Back the database up into an empty folder, as cs_backup ($BACKUP_URL)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the folder."""
        parser.add_argument("folder", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write the backup and say its fingerprint, to be kept elsewhere."""
        address = os.environ.get("BACKUP_URL") or beside_us().url(backups.READER)
        fingerprint = backups.back_up(address, folder=options["folder"])
        self.stdout.write(f"{options['folder']}: backed up. Fingerprint, to be kept elsewhere:")
        self.stdout.write(fingerprint)
