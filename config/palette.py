"""One box that finds anything by its id or exact reference, within what the officer may see."""

from typing import Final

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from audit.adminkit import LookOnlyAdmin

RESULTS_MAX: Final = 30
RESULTS_A_PAGE_MAX: Final = 5


def found(request: HttpRequest, term: str) -> list[SearchResult]:
    """Return rows that match `term` exactly, a few a page, as links.

    Each page searches its own scoped rows, so the palette opens nothing that the list would not.
    """
    from django.contrib.admin import site  # noqa: PLC0415 - exists once all apps are loaded

    results: list[SearchResult] = []
    for page in site._registry.values():  # noqa: SLF001 - Django offers no other list
        if isinstance(page, LookOnlyAdmin) and page.has_view_permission(request):
            rows, _ = page.get_search_results(request, page.get_queryset(request), term)
            results += [_result(row) for row in rows[:RESULTS_A_PAGE_MAX]]
    return results[:RESULTS_MAX]


def _result(row: Model) -> SearchResult:
    meta = row._meta  # noqa: SLF001 - Django's own interface
    link = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    kind = str(meta.verbose_name).capitalize()
    return SearchResult(title=str(row), description=kind, link=link, icon="arrow_outward")
