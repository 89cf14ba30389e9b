"""The pages that follow a cause: the trace of anything, one thing's timeline, and the search."""

from typing import Any, Final
from uuid import UUID

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.frontdesk.staff import officer
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin
from audit.links import link_for, name_of
from audit.moments import Moment
from config.history import in_words, told
from config.picture import Picture, drawn
from integrations.selectors.search import found_by
from integrations.selectors.traces import trace_of_term
from transactions.selectors.currencies import currencies_in

TERM_CHARACTERS_MAX: Final = 200


def trace(request: HttpRequest) -> HttpResponse:
    """Show what one cause led to, from any id of anything on it."""
    term = request.GET.get("id", "").strip()[:TERM_CHARACTERS_MAX]
    context: dict[str, Any] = {"title": "Trace", "term": term}
    if term:
        actor = officer(request)
        found = trace_of_term(term, to=actor)
        picture = drawn(found.moments)
        context |= {
            "trace": found,
            "picture": picture,
            "nodes": _nodes(picture, to=actor),
            "hits": hits(term, to=actor),
        }
    return _page(request, "admin/trace.html", context=context)


def find(request: HttpRequest) -> HttpResponse:
    """Show what a term names exactly, within what the officer may see."""
    term = request.GET.get("q", "").strip()[:TERM_CHARACTERS_MAX]
    found = hits(term, to=officer(request)) if term else []
    return _page(
        request, "admin/find.html", context={"title": "Find", "term": term, "hits": found}
    )


def timeline(request: HttpRequest, *, app: str, model: str, row_id: UUID) -> HttpResponse:
    """Show one thing's timeline, alone (`?fragment`) or as a page; 404 if out of scope."""
    page = _page_of(f"{app}.{model}")
    if page is None or not page.has_view_permission(request):
        raise Http404
    row = page.get_object(request, str(row_id))
    if row is None:
        raise Http404
    context = {"title": f"Timeline of {row}", "steps": told(row, to=officer(request))}
    if "fragment" in request.GET or request.headers.get("HX-Request"):
        return TemplateResponse(request, "admin/timeline.html", context)
    return _page(request, "admin/timeline_page.html", context=context)


def hits(term: str, *, to: Actor) -> list[dict[str, str]]:
    """Return what a term names, each with the address of its page."""
    return [
        {
            "kind": hit.kind,
            "title": hit.title,
            "name": name_of(hit.ref),
            "link": link_for(hit.ref, to=to),
        }
        for hit in found_by(term, to=to)
    ]


def _nodes(picture: Picture, *, to: Actor) -> list[dict[str, Any]]:
    """Return every box with where it leads: its own page, what it speaks of, or its line below."""
    currencies = currencies_in([node.moment for node in picture.nodes])
    return [
        {"node": node, "link": _link(node.moment, to=to) or f"#moment-{node.number}"}
        | in_words(node.moment, to=to, currencies=currencies)
        for node in picture.nodes
    ]


def _link(moment: Moment, *, to: Actor) -> str:
    return link_for(moment.ref, to=to) or link_for(moment.about, to=to)


def _page_of(label: str) -> LookOnlyAdmin[Any] | None:
    """Return the page that shows rows of a model."""
    for model, page in admin.site._registry.items():  # noqa: SLF001 - there is no other list
        meta = model._meta  # noqa: SLF001 - Django's own interface
        if meta.label_lower == label and isinstance(page, LookOnlyAdmin):
            return page
    return None


def _page(request: HttpRequest, template: str, *, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context})
