"""What a checker is shown: an approval's payload line by line, and what stood in its way."""

from typing import Any, Final

from django.utils.safestring import SafeString

from accounts.models import Approval
from audit.adminparts import EMPTY, copyable, spoken, table
from transactions.admin.amounts import unbroken
from transactions.admin.effects import show_effects
from transactions.money import EXPONENTS, Money
from transactions.selectors.proposals import NOT_DONE, effects_of

FIRST: Final = (
    "amount_minor",
    "lines",
    "paid_until_now",
    "payee_iban",
    "payee_name",
    "payee_note",
    "reference",
)
SUMS: Final = {"remains_minor": "Remains before"}
IDS: Final = (
    "transfer",
    "source_account",
    "payee_token",
    "requested_by",
    "proposal",
    "allocation",
    "item",
    "account_key",
    "account",
    "freeze",
    "placed_by",
)


def shown_lines(row: Approval) -> dict[str, object]:
    """Return the payload's lines; money as people write it, nothing left out."""
    lines: dict[str, object] = {}
    # The database keeps keys in an order of its own: what matters is read first.
    for name in sorted(row.payload, key=lambda name: (name not in FIRST, name)):
        value = row.payload[name]
        if name == "lines":
            lines["Lines"] = _moves(value)
            if row.state in NOT_DONE:
                lines["As the books stand now"] = show_effects(effects_of(value))
        elif isinstance(value, int) and _is_money(name, payload=row.payload):
            said = SUMS.get(name, spoken(name.removesuffix("_minor")))
            lines[said] = Money(value, row.payload["currency"])
        elif name in IDS:
            lines[spoken(name)] = copyable(value)
        else:
            lines[spoken(name)] = EMPTY if value in (None, "") else value
    return lines


def _is_money(name: str, *, payload: dict[str, Any]) -> bool:
    return name.endswith("_minor") and payload.get("currency") in EXPONENTS


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
