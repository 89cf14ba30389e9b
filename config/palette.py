"""One box that finds anything by its id or exact reference, within what the officer may see."""

from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from accounts.frontdesk.staff import officer
from audit.links import link_for, name_of
from integrations.selectors.search import Hit, found_by

RESULTS_MAX: Final = 30


def found(request: HttpRequest, term: str) -> list[SearchResult]:
    """Return what `term` names exactly as links, and first of all its trace.

    The search is scoped to the officer, so the palette opens nothing that a list would not.
    """
    actor = officer(request)
    hits = found_by(term, to=actor)
    if not hits:
        return []
    trace = SearchResult(
        title=f"Trace of {term}",
        description="Everything that one cause led to",
        link=_trace(term),
        icon="conversion_path",
    )
    return [trace, *(_result(hit, link=link_for(hit.ref, to=actor)) for hit in hits)][:RESULTS_MAX]


def _result(hit: Hit, *, link: str) -> SearchResult:
    name = name_of(hit.ref)
    return SearchResult(
        title=hit.title,
        description=f"{hit.kind} {name}",
        link=link or _trace(name),
        icon="arrow_outward",
    )


def _trace(term: str, /) -> str:
    return f"{reverse('admin:trace')}?{urlencode({'id': term})}"
