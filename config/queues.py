"""The work that waits for a person: one queue a kind, on the home page and in the sidebar."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.timesince import timesince

from accounts.models import Approval, Freeze
from accounts.selectors.approvals import obstructed_approvals, waiting_approvals
from accounts.selectors.freezes import unconfirmed_freezes
from integrations.selectors.overview import quarantined, unknown_outcomes
from transactions.money import EXPONENTS, Money

SHOWN_MAX: Final = 5
COUNTED_MAX: Final = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """One kind of waiting work. `read` returns its oldest rows, `since` when one began to wait."""

    title: str
    icon: str
    model: str
    state: str
    read: Callable[..., Iterable[Any]]
    since: Callable[[Any], datetime]
    say: Callable[[Any], str]
    empty: str

    @property
    def permission(self) -> str:
        """Return the permission that shows the queue."""
        app, _, model = self.model.partition(".")
        return f"{app}.view_{model}"

    @property
    def link(self) -> str:
        """Return the address of the whole queue; empty where no page is served."""
        try:
            page = reverse(f"admin:{self.model.replace('.', '_')}_changelist")
        except NoReverseMatch:
            return ""
        return f"{page}?{urlencode({'state__exact': self.state})}"


def _asked(approval: Approval) -> str:
    """Return how much is asked for where the payload says it, else what is."""
    payload = approval.payload
    if "amount_minor" in payload and payload.get("currency") in EXPONENTS:
        what = str(Money(payload["amount_minor"], payload["currency"]))
    else:
        what = approval.action.rpartition(".")[2].replace("_", " ").capitalize()
    return f"{what}, asked by {approval.maker_label}"


def _unconfirmed(freeze: Freeze) -> str:
    """Return which account is frozen on one person's word alone."""
    return f"{freeze.account}: {freeze.get_mode_display().lower()}, on one person's word"


QUEUES: Final = (
    Queue(
        title="Waiting for approval",
        icon="approval_delegation",
        model="accounts.approval",
        state="open",
        read=waiting_approvals,
        since=lambda row: row.requested_at,
        say=_asked,
        empty="Nothing waits for a second person. Payouts at or above a partner's threshold"
        " appear here.",
    ),
    Queue(
        title="Approved in vain",
        icon="block",
        model="accounts.approval",
        state="approved",
        read=obstructed_approvals,
        since=lambda row: row.decided_at,
        say=lambda row: f"{_asked(row)}: {row.obstacle}",
        empty="Everything approved was carried out. What could not be stays here with its reason.",
    ),
    Queue(
        title="Freezes nobody confirmed",
        icon="ac_unit",
        model="accounts.freeze",
        state="in_force",
        read=unconfirmed_freezes,
        since=lambda row: row.confirm_by,
        say=_unconfirmed,
        empty="Two people stand behind every freeze, or still have time. One that nobody confirms"
        " within a day stays in force and appears here.",
    ),
    Queue(
        title="Quarantine",
        icon="report",
        model="integrations.callback",
        state="quarantined",
        read=quarantined,
        since=lambda row: row.received_at,
        say=lambda row: f"{row}: {row.detail}" if row.detail else str(row),
        empty="Every callback was understood. One that is not stays here with its reason until"
        " somebody looks.",
    ),
    Queue(
        title="Unknown outcomes",
        icon="question_mark",
        model="transactions.transfer",
        state="unknown",
        read=unknown_outcomes,
        since=lambda row: row.claimed_at or row.requested_at,
        say=str,
        empty="The bank has answered for everything sent. It is asked by itself until it does.",
    ),
)


def card(queue: Queue) -> dict[str, Any]:
    """Return what the home page shows of a queue: count, the oldest rows, or what it is for."""
    rows = list(queue.read(limit=COUNTED_MAX + 1))
    now = timezone.now()
    return {
        "title": queue.title,
        "icon": queue.icon,
        "link": queue.link,
        "count": _spell(len(rows)),
        "oldest": timesince(queue.since(rows[0]), now, depth=1) if rows else "",
        "rows": [
            {
                "text": queue.say(row),
                "age": timesince(queue.since(row), now, depth=1),
                "link": _link(queue, row=row),
            }
            for row in rows[:SHOWN_MAX]
        ],
        "empty": queue.empty,
    }


def badge(queue: Queue, *, request: HttpRequest) -> str:
    """Return the sidebar's count of a queue, read once a request; empty for none."""
    counts: dict[str, str] = vars(request).setdefault("queue_counts", {})
    if queue.title not in counts:
        found = len(list(queue.read(limit=COUNTED_MAX + 1)))
        counts[queue.title] = _spell(found) if found else ""
    return counts[queue.title]


def _spell(count: int) -> str:
    return f"{COUNTED_MAX}+" if count > COUNTED_MAX else str(count)


def _link(queue: Queue, *, row: Any) -> str:
    if not queue.link:
        return ""
    return reverse(f"admin:{queue.model.replace('.', '_')}_change", args=[row.pk])
