"""In which currency the amounts of changed rows are, for whoever reads what changed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.apps import apps

from audit.moments import Difference, Moment

AMOUNT: Final = "_minor"
# Amounts of one row in two currencies.
APART: Final = {"sold_minor": "source__currency", "bought_minor": "destination__currency"}


def currencies_in(moments: Iterable[Moment]) -> Mapping[tuple[str, str], str]:
    """Return the currency of each changed amount, by row and field.

    What is about no one currency, a partner's threshold, has none. A currency never changes, so
    it is asked of the rows as they are: one question for each kind of amount.
    """
    changed: dict[tuple[str, str], set[str]] = defaultdict(set)
    for moment in moments:
        for each in moment.differences:
            for field in _amounts(each):
                changed[each.table, field].add(each.row)
    models = {model._meta.db_table: model for model in apps.get_models()}  # noqa: SLF001
    found: dict[tuple[str, str], str] = {}
    for (table, field), rows in changed.items():
        if path := _path(models.get(table), field=field):
            kept = models[table]._base_manager.filter(pk__in=rows)  # noqa: SLF001
            found |= {(str(key), field): code for key, code in kept.values_list("pk", path)}
    return found


def _amounts(difference: Difference) -> Iterable[str]:
    return (each.field for each in difference.changes if each.field.endswith(AMOUNT))


def _path(model: Any, *, field: str) -> str:
    """Return where a row's currency is written for one of its amounts; empty for nowhere."""
    names = {each.name for each in model._meta.concrete_fields} if model else set[str]()  # noqa: SLF001
    if "currency" in names:
        return "currency"
    if field in APART:
        return APART[field]
    return "account__currency" if "account" in names else ""
