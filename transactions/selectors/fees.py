"""Reading fee rules."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Max, QuerySet

from accounts.scopes import visible_books
from audit.actors import Actor
from audit.errors import NotFound
from transactions.models import FeeRule
from transactions.states import FeeState


def visible_fee_rules(*, to: Actor) -> QuerySet[FeeRule]:
    """Return the fee rules `to` may know exist, each with its partner."""
    return visible_books(FeeRule.objects.select_related("partner"), to=to)


def access_fee_rule(rule_id: UUID, *, actor: Actor, lock: bool = False) -> FeeRule:
    """Return one rule `actor` may see, or refuse as if it did not exist."""
    rules = visible_fee_rules(to=actor)
    if lock:
        rules = rules.select_for_update(no_key=True, of=("self",))
    rule = rules.filter(pk=rule_id).first()
    if rule is None:
        raise NotFound(ref=f"feerule:{rule_id}")
    return rule


def access_charged_rule(rule_id: UUID, *, actor: Actor) -> FeeRule:
    """Return one rule that is charged by or was; one that never was does not exist for a payer."""
    rule = access_fee_rule(rule_id, actor=actor)
    if rule.state not in {FeeState.IN_FORCE, FeeState.ENDED}:
        raise NotFound(ref=f"feerule:{rule_id}")
    return rule


def listed_fee_rules(*, to: Actor, before: UUID | None, limit: int) -> Sequence[FeeRule]:
    """Return the rules in force that `to` may see, the newest first, older than `before`."""
    rules = visible_fee_rules(to=to).filter(state=FeeState.IN_FORCE)
    if before is not None:
        rules = rules.filter(pk__lt=before)
    return list(rules.order_by("-id")[:limit])


def rule_in_force(like: FeeRule, *, lock: bool = False) -> FeeRule | None:
    """Return the rule that is charged by now, for the same partner, kind and currency."""
    rules = _alike(like).filter(state=FeeState.IN_FORCE)
    if lock:
        rules = rules.select_for_update(no_key=True, of=("self",))
    return rules.first()


def latest_version(like: FeeRule) -> int:
    """Return the highest version of such rules, 0 where there was none."""
    return int(_alike(like).aggregate(latest=Max("version"))["latest"] or 0)


def _alike(like: FeeRule) -> QuerySet[FeeRule]:
    return FeeRule.objects.filter(book_id=like.book_id, kind=like.kind, currency=like.currency)
