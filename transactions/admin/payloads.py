"""What a checker is shown: an approval's payload line by line, and what stood in its way."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Approval
from audit.adminparts import EMPTY, copyable, instant, page_of, spoken, table
from audit.selectors.entries import names_of
from audit.typeids import parse_typeid
from transactions.admin.amounts import unbroken
from transactions.admin.effects import show_effects
from transactions.money import EXPONENTS, Money
from transactions.selectors.proposals import NOT_DONE, effects_of

FIRST: Final = (
    "amount_minor",
    "bps",
    "cap_minor",
    "example",
    "flat_minor",
    "lines",
    "minimum_minor",
    "paid_until_now",
    "payee_iban",
    "payee_name",
    "payee_note",
    "rate",
    "reference",
    "replaces",
    "totals",
    "transfers",
    "payouts",
    "carried_out",
)
CALLED: Final = {
    "remains_minor": "Remains before",
    "flat_minor": "Flat part",
    "bps": "Basis points",
    "totals": "Sums",
}
IDS: Final = (
    "transfer",
    "source_account",
    "payee_token",
    "proposal",
    "allocation",
    "item",
    "account_key",
    "fee_rule",
    "conversion",
    "account",
    "freeze",
    "portfolio_key",
    "rows_sha256",
    "file_sha256",
)


def shown_lines(row: Approval) -> dict[str, object]:
    """Return the payload's lines; money as people write it, nothing left out."""
    lines: dict[str, object] = {}
    # The database keeps keys in an order of its own: what matters is read first.
    for name in sorted(row.payload, key=lambda name: (name not in FIRST, name)):
        said = CALLED.get(name, spoken(name.removesuffix("_minor")))
        lines[said] = _shown(name, payload=row.payload)
        if name == "lines" and row.state in NOT_DONE:
            lines["As the books stand now"] = show_effects(effects_of(row.payload[name]))
    return lines


def _shown(name: str, *, payload: dict[str, Any]) -> object:
    """Return one value of a payload as people read it."""
    value = payload[name]
    if value in (None, ""):
        return EMPTY
    if isinstance(value, int) and _is_money(name, payload=payload):
        return Money(value, payload["currency"])
    if name == "file":
        key = parse_typeid("baf", value)
        return page_of("transactions.batchfile", key, text="What would happen now")
    if name in SPELLED:
        return SPELLED[name](value)
    return copyable(value) if name in IDS else value


def _is_money(name: str, *, payload: dict[str, Any]) -> bool:
    return name.endswith("_minor") and payload.get("currency") in EXPONENTS


def sums_of(row: Approval) -> str:
    """Return what a request asks for in all, by currency; empty where it names no sums."""
    return _sums(row.payload.get("totals", {}))


def _sums(totals: dict[str, int]) -> str:
    return ", ".join(str(Money(minor, code)) for code, minor in sorted(totals.items()))


def told(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what a refusal said, line by line; of what changed, how it was and is."""
    lines = [(spoken(name), str(value)) for name, value in facts.items() if name != "changed"]
    return lines + [
        (spoken(name), f"was shown as {shown}, is {now}")
        for name, (shown, now) in facts.get("changed", {}).items()
    ]


def _moves(lines: list[dict[str, Any]]) -> SafeString:
    """Return the lines of a journal as a table."""
    rows = [
        (line["account"], unbroken(Money(line["amount_minor"], line["currency"])))
        for line in lines
    ]
    return table(["Account", "Amount"], rows=rows)


def _person(ref: str) -> SafeString:
    """Return what somebody is called, with the reference that was signed beside it."""
    return format_html("{} {}", names_of([ref])[ref], copyable(ref))


def _when(spelled: str) -> str:
    """Return an instant that was signed to the microsecond as people read it."""
    return instant(datetime.fromisoformat(spelled))


def _customer(key: str) -> SafeString:
    return page_of("accounts.customer", key, text=key)


SPELLED: Final[dict[str, Callable[[Any], object]]] = {
    "customer_key": _customer,
    "lines": _moves,
    "totals": _sums,
    "payees_changed": _when,
    "placed_by": _person,
    "requested_by": _person,
}
