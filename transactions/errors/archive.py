"""Every no about months that are put away."""

from dataclasses import dataclass

from audit.errors import Refusal, RefusalKind


@dataclass(eq=False, kw_only=True)
class MonthNotClosed(Refusal):
    """This month is not closed yet, and only a closed one is put away."""

    code = "month_not_closed"
    kind = RefusalKind.CONFLICT
    transient = True

    month: str


@dataclass(eq=False, kw_only=True)
class MonthOutOfOrder(Refusal):
    """Months are put away from the oldest on, and come back from the newest on."""

    code = "month_out_of_order"
    kind = RefusalKind.CONFLICT
    transient = False

    month: str
    next_month: str


@dataclass(eq=False, kw_only=True)
class MonthStillNeeded(Refusal):
    """Something of this month is still needed, so it cannot be put away yet."""

    code = "month_still_needed"
    kind = RefusalKind.CONFLICT
    transient = True

    month: str
    needed_for: str


@dataclass(eq=False, kw_only=True)
class SnapshotDiffers(Refusal):
    """How the accounts stood at the end of this month is not what its rows add up to."""

    code = "snapshot_differs"
    kind = RefusalKind.CONFLICT
    transient = False

    month: str


@dataclass(eq=False, kw_only=True)
class BooksBusy(Refusal):
    """Somebody reads the books for longer than writers may be kept waiting; try again later."""

    code = "books_busy"
    kind = RefusalKind.UNAVAILABLE
    transient = True

    month: str


@dataclass(eq=False, kw_only=True)
class InstantArchived(Refusal):
    """That instant lies in a month that was put away; ask about a later one."""

    code = "instant_archived"
    kind = RefusalKind.INVALID
    transient = False

    clock: str
    answered_from: str


@dataclass(eq=False, kw_only=True)
class JournalArchived(Refusal):
    """The journal that this would undo lies in a month that was put away."""

    code = "journal_archived"
    kind = RefusalKind.CONFLICT
    transient = True

    origin: str
