"""The sidebar: what people come to do, in the order of their day, and only what they may open."""

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from accounts.frontdesk.staff import officer
from config.queues import QUEUES, badge


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One entry of the sidebar; `model` names its page and so the permission to see it.

    `address` names a page that lists no model's rows.
    """

    title: str
    icon: str
    model: str
    address: str = ""

    @property
    def permission(self) -> str:
        """Return the permission that opens the page."""
        app, _, model = self.model.partition(".")
        return f"{app}.view_{model}"

    @property
    def link(self) -> str:
        """Return the page's address; empty where no page is served."""
        try:
            return reverse(f"admin:{self.address or self._list}")
        except NoReverseMatch:
            return ""

    @property
    def _list(self) -> str:
        return f"{self.model.replace('.', '_')}_changelist"


GROUPS: Final[tuple[tuple[str, tuple[Page, ...]], ...]] = (
    (
        "Money",
        (
            Page(title="Transfers", icon="swap_horiz", model="transactions.transfer"),
            Page(title="Holds", icon="lock_clock", model="transactions.hold"),
            Page(title="Payees", icon="contacts", model="transactions.registeredpayee"),
            Page(title="Batches", icon="stacks", model="transactions.transferbatch"),
            Page(title="Payments in", icon="south_west", model="transactions.payment"),
            Page(title="Disputes", icon="gavel", model="transactions.dispute"),
            Page(title="Journals", icon="menu_book", model="transactions.journal"),
            Page(
                title="Manual journals", icon="edit_document", model="transactions.journalproposal"
            ),
            Page(title="Suspense", icon="help_center", model="transactions.suspenseposting"),
            Page(title="Books' accounts", icon="account_tree", model="transactions.ledgeraccount"),
            Page(
                title="Trial balance",
                icon="balance",
                model="transactions.trialbalance",
                address="trial_balance",
            ),
            Page(
                title="Month-end",
                icon="event_available",
                model="transactions.monthend",
                address="month_end",
            ),
        ),
    ),
    (
        "Customers",
        (
            Page(title="Accounts", icon="account_balance_wallet", model="accounts.account"),
            Page(title="Customers", icon="group", model="accounts.customer"),
            Page(title="Freezes", icon="ac_unit", model="accounts.freeze"),
            Page(title="Limits", icon="speed", model="transactions.limit"),
            Page(title="Partners", icon="handshake", model="accounts.partner"),
        ),
    ),
    (
        "On record",
        (
            Page(title="Audit log", icon="history", model="audit.entry"),
            Page(title="Approvals", icon="approval", model="accounts.approval"),
            Page(title="Idempotency keys", icon="key", model="accounts.idempotencykey"),
            Page(title="Callbacks", icon="call_received", model="integrations.callback"),
            Page(title="Calls to providers", icon="call_made", model="integrations.dispatch"),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return Unfold's navigation for whoever is looking: home, their queues, their pages."""
    home = {"title": "Home", "icon": "home", "link": reverse("admin:index")}
    trace = {"title": "Trace", "icon": "conversion_path", "link": reverse("admin:trace")}
    today = [home, trace, *_queues(request)]
    groups = [{"title": "Today", "separator": False, "items": today}]
    here = _here(request)
    for title, pages in GROUPS:
        items = [_item(page, here=here) for page in pages if _is_open(page, request=request)]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def _queues(request: HttpRequest) -> list[dict[str, Any]]:
    items = []
    for queue in QUEUES:
        if queue.link and officer(request).may(queue.permission):
            item: dict[str, Any] = {"title": queue.title, "icon": queue.icon, "link": queue.link}
            if count := badge(queue, request=request):
                item |= {"badge": count, "badge_variant": "danger"}
            # Without this, Unfold lights up every entry that leads to the same list.
            item["active"] = request.get_full_path() == queue.link
            items.append(item)
    return items


def _here(request: HttpRequest) -> str:
    """Return the entry that the page being shown belongs to: the one whose address says most."""
    links = (page.link for _, pages in GROUPS for page in pages)
    return max((link for link in links if link and request.path.startswith(link)), default="")


def _item(page: Page, *, here: str) -> dict[str, Any]:
    active = page.link == here
    return {"title": page.title, "icon": page.icon, "link": page.link, "active": active}


def _is_open(page: Page, *, request: HttpRequest) -> bool:
    return bool(page.link) and officer(request).may(page.permission)
