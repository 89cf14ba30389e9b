"""Every no this app can say."""

from dataclasses import dataclass

from audit.errors import Refusal, RefusalKind


@dataclass(eq=False, kw_only=True)
class NotQuarantined(Refusal):
    """Only a quarantined callback can be replayed."""

    code = "not_quarantined"
    kind = RefusalKind.CONFLICT
    transient = False

    ref: str


@dataclass(eq=False, kw_only=True)
class NotGenuine(Refusal):
    """The signature does not prove who sent this."""

    code = "not_genuine"
    kind = RefusalKind.UNAUTHENTICATED
    transient = False


@dataclass(eq=False, kw_only=True)
class InboxClosed(Refusal):
    """The callback could not be stored just now: send it again."""

    code = "inbox_closed"
    kind = RefusalKind.UNAVAILABLE
    transient = True
