"""Every no about closing a month."""

from dataclasses import dataclass

from audit.errors import Refusal, RefusalKind


@dataclass(eq=False, kw_only=True)
class MonthNotSettled(Refusal):
    """More may still be written down before the end of this month."""

    code = "month_not_settled"
    kind = RefusalKind.CONFLICT
    transient = True

    month: str


@dataclass(eq=False, kw_only=True)
class MonthClosed(Refusal):
    """This month is closed already, or a later one is."""

    code = "month_closed"
    kind = RefusalKind.CONFLICT
    transient = False

    month: str
