"""What proposed lines would do to each account, as a table: before, change, after, in the way."""

from collections.abc import Sequence

from django.utils.safestring import SafeString

from audit.adminparts import EMPTY, table, tag
from transactions.admin.amounts import unbroken
from transactions.selectors.proposals import Effect


def show_effects(found: Sequence[Effect]) -> SafeString:
    """Return a table of what would happen to each account."""
    rows = [
        (
            one.account,
            unbroken(one.before),
            unbroken(one.change),
            unbroken(one.after),
            tag(one.problem, colour="danger") if one.problem else EMPTY,
        )
        for one in found
    ]
    return table(["Account", "Before", "Change", "After", "In the way"], rows=rows)
