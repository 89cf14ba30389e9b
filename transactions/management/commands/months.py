"""`manage.py months list|detach|attach`: which months are in the books, and moving them."""

import getpass
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from accounts.roles import FOUNDER_GRANTS
from audit.actors import Actor, ActorKind
from audit.circumstances import under
from audit.errors import Refusal
from transactions.models import ArchivedMonth
from transactions.selectors.archive import MonthState, months
from transactions.services.archiving import attach_month, detach_month

ACTS: Final[dict[str, Callable[..., ArchivedMonth]]] = {
    "detach": detach_month,
    "attach": attach_month,
}


class Command(BaseCommand):
    """Shows months to anybody who may read; moves them as the owner (the migrator's login)."""

    help = "List months, put the oldest closed one away (detach), or take the last back (attach)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what to do, the month as 2025-03, and why."""
        parser.add_argument("act", choices=["list", *ACTS])
        parser.add_argument("month", nargs="?", default="", help="as 2025-03")
        parser.add_argument("--reason", default="", help="why, for the log")

    def handle(self, *_args: Any, **options: Any) -> None:
        """List, or move one month and say what that was."""
        if options["act"] == "list":
            for each in months():
                self.stdout.write(_told(each))
            return
        if not options["reason"]:
            raise CommandError("say why: --reason")
        month = _month(options["month"])
        try:
            with under(reason=options["reason"]):
                moved = ACTS[options["act"]](actor=_owner(), month=month)
        except Refusal as refusal:
            raise CommandError(f"{refusal.title} {refusal}") from refusal
        self.stdout.write(
            f"{moved}: {moved.journals} journals, {moved.postings} postings"
            f" {'put away' if moved.is_away else 'back in the books'}."
        )


def _owner() -> Actor:
    """Return whoever has the owner's login at this console."""
    return Actor(
        kind=ActorKind.SYSTEM,
        id="owner",
        label="Owner of the database",
        credential=f"console:{getpass.getuser()}",
        grants=FOUNDER_GRANTS,
    )


def _month(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise CommandError(f"{text!r} is no month: write it as 2025-03") from error


def _told(each: MonthState) -> str:
    """Return a month's line."""
    if each.is_away and each.archived:
        where = f"put away {each.archived.moved_at:%Y-%m-%d}, {each.archived.postings} postings"
    else:
        where = "in the books"
    return f"{each.month:%Y-%m}  {'closed' if each.closed else 'open  '}  {where}"
