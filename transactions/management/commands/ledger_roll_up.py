"""`manage.py ledger_roll_up`: roll up what moved; with `--anew`, everything from the first row."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from transactions.services.rolling import roll_up, start_over


class Command(BaseCommand):
    """Rolls up what moved on each account. Beat does so all the time; anew only a person does."""

    help = "Roll up what moved; --anew after a restore into another cluster (the owner's login)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take `--anew`."""
        parser.add_argument("--anew", action="store_true", help="throw all cells away first")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Roll up and say how much that was."""
        count = start_over() if options["anew"] else roll_up()
        self.stdout.write(f"{count} postings rolled up.")
