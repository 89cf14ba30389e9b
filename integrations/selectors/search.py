"""One search over everything that has an id or an exact reference, within what one may see."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from accounts.scopes import visible_accounts, visible_customers
from accounts.selectors.approvals import visible_approvals
from accounts.selectors.freezes import visible_freezes
from accounts.selectors.pages import visible_partners
from audit.actors import Actor
from audit.typeids import parse_typeid
from integrations.selectors.callbacks import visible_callbacks
from integrations.states import PROVIDERS_KNOWN
from transactions.selectors.batches import visible_batches
from transactions.selectors.conversions import visible_conversions
from transactions.selectors.fees import visible_fee_rules
from transactions.selectors.files import visible_batch_files
from transactions.selectors.holds import visible_holds
from transactions.selectors.ledger import visible_journals
from transactions.selectors.limits import visible_limits
from transactions.selectors.payees import visible_payees
from transactions.selectors.payments import visible_disputes, visible_payments, visible_payouts
from transactions.selectors.proposals import visible_proposals
from transactions.selectors.transfers import visible_transfers

TERM_CHARACTERS_MAX: Final = 200
HITS_MAX: Final = 30
HITS_A_KIND_MAX: Final = 5
# What has no name but its id.
BY_ID: Final[tuple[tuple[str, str, Callable[..., QuerySet[Any]]], ...]] = (
    ("bat", "transactions.view_transferbatch", visible_batches),
    ("baf", "transactions.view_batchfile", visible_batch_files),
    ("fxc", "transactions.view_conversion", visible_conversions),
    ("mjl", "transactions.view_journalproposal", visible_proposals),
    ("pye", "transactions.view_registeredpayee", visible_payees),
    ("fee", "transactions.view_feerule", visible_fee_rules),
    ("lim", "transactions.view_limit", visible_limits),
    ("apr", "accounts.view_approval", visible_approvals),
    ("frz", "accounts.view_freeze", visible_freezes),
    ("par", "accounts.view_partner", visible_partners),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One thing that a term names exactly."""

    ref: str
    kind: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """One kind of thing: which of it may be seen, and the permission that opens its page."""

    prefix: str
    permission: str
    rows: QuerySet[Any]
    named: tuple[dict[str, Any], ...] = ()


def found_by(term: str, *, to: Actor) -> list[Hit]:
    """Return what `term` names by id or exact reference, at most `HITS_MAX`, all in scope."""
    text = term.strip()[:TERM_CHARACTERS_MAX]
    if not text or "\0" in text:  # PostgreSQL takes no NUL, and nothing is called so
        return []
    hits: dict[str, Hit] = {}
    for realm in _realms(text, to=to):
        if to.may(realm.permission):
            for row in _named(realm, text=text):
                hits.setdefault(row.audit_ref, _hit(row))
    return list(hits.values())[:HITS_MAX]


def _realms(text: str, *, to: Actor) -> Iterator[Realm]:
    """Return each kind with the exact names that it is looked up by, each an index."""
    yield from _money(text, to=to)
    for prefix, permission, visible in BY_ID:
        yield Realm(prefix=prefix, permission=permission, rows=visible(to=to))
    yield Realm(
        prefix="cbk",
        permission="integrations.view_callback",
        rows=visible_callbacks(to=to).defer("body"),
        named=({"event_id": text},),
    )
    yield Realm(
        prefix="acc",
        permission="accounts.view_account",
        rows=visible_accounts(to=to),
        named=({"alias": text},),
    )
    yield Realm(
        prefix="cus",
        permission="accounts.view_customer",
        rows=visible_customers(to=to).select_related("name"),
    )


def _money(text: str, *, to: Actor) -> Iterator[Realm]:
    """Return the kinds that money goes through."""
    theirs = {"provider__in": PROVIDERS_KNOWN, "reference": text}
    origins = [f"{slug}:{text}" for slug in PROVIDERS_KNOWN]
    yield Realm(
        prefix="trf",
        permission="transactions.view_transfer",
        rows=visible_transfers(to=to),
        named=({"reference": text}, {"provider_ref": text}),
    )
    yield Realm(
        prefix="hld",
        permission="transactions.view_hold",
        rows=visible_holds(to=to),
        named=({"reference": text},),
    )
    yield Realm(
        prefix="pay",
        permission="transactions.view_payment",
        rows=visible_payments(to=to),
        named=(theirs, {"provider__in": PROVIDERS_KNOWN, "intent_ref": text}),
    )
    # A dispute is read with its payment: who sees payments sees what was said against them.
    yield Realm(
        prefix="dsp",
        permission="transactions.view_payment",
        rows=visible_disputes(to=to),
        named=(theirs,),
    )
    yield Realm(
        prefix="ppo",
        permission="transactions.view_journal",
        rows=visible_payouts(to=to),
        named=(theirs,),
    )
    yield Realm(
        prefix="jrn",
        permission="transactions.view_journal",
        rows=visible_journals(to=to),
        named=({"origin__in": [text, *origins]},),
    )


def _named(realm: Realm, *, text: str) -> Iterable[Any]:
    key = key_in(text, prefix=realm.prefix)
    if key is not None:
        yield from realm.rows.filter(pk=key)
    for names in realm.named:
        yield from realm.rows.filter(**names).order_by("-pk")[:HITS_A_KIND_MAX]


def key_in(text: str, *, prefix: str) -> UUID | None:
    """Return the key that `text` spells, as a UUID or as a public id of `prefix`; else None."""
    try:
        return UUID(text)
    except ValueError:
        pass
    try:
        return parse_typeid(prefix, text)
    except ValueError:
        return None


def _hit(row: Any) -> Hit:
    kind = str(row._meta.verbose_name).capitalize()  # noqa: SLF001 - Django's own interface
    reference = getattr(row, "reference", "")
    said = str(row)
    title = reference if " object (" in said else said  # a model without words of its own
    return Hit(ref=row.audit_ref, kind=kind, title=title or row.audit_ref)
