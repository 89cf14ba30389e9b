"""From a reference in the log to the page that shows it: every served page enters itself here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.urls import NoReverseMatch, reverse

from audit.actors import Actor
from audit.typeids import parse_typeid, typeid


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One kind of thing that has a page: how it is named in the log, outside and in tables."""

    noun: str
    title: str
    table: str
    prefix: str
    view: str
    permission: str


PAGES: Final[dict[str, Page]] = {}


def register_link(page: Page) -> None:
    """Let references to `page.noun` lead to its page."""
    PAGES[page.noun] = page


def register_links(app: str, pages: Mapping[str, tuple[str, str]]) -> None:
    """Let references to an app's models lead to their pages; each with its title and prefix."""
    for noun, (title, prefix) in pages.items():
        register_link(
            Page(
                noun=noun,
                title=title,
                table=f"{app}_{noun}",
                prefix=prefix,
                view=f"admin:{app}_{noun}_change",
                permission=f"{app}.view_{noun}",
            )
        )


def link_for(ref: str, *, to: Actor) -> str:
    """Return the address of what `ref` (`noun:<id>`) names; empty where `to` may not open it."""
    noun, _, key = ref.partition(":")
    page = PAGES.get(noun)
    if page is None or not to.may(page.permission):
        return ""
    try:
        return reverse(page.view, args=[UUID(key)])
    except (NoReverseMatch, ValueError):
        return ""


def address_of(public_id: str) -> str:
    """Return the address of what a public id (`trf_…`) names; empty where no page shows it."""
    prefix = public_id.partition("_")[0]
    page = next((page for page in PAGES.values() if prefix and page.prefix == prefix), None)
    try:
        return reverse(page.view, args=[parse_typeid(prefix, public_id)]) if page else ""
    except (NoReverseMatch, ValueError):
        return ""


def reference_of(table: str, *, row: str) -> str:
    """Return the reference of a row of `table`; its own name where no page shows it."""
    noun = next((page.noun for page in PAGES.values() if page.table == table), "")
    return f"{noun or table.partition('_')[2]}:{row}"


def name_of(ref: str) -> str:
    """Return how people call what `ref` names: its kind and public id."""
    noun, _, key = ref.partition(":")
    page = PAGES.get(noun)
    if page is None:
        return ref
    try:
        return typeid(page.prefix, UUID(key)) if page.prefix else f"{page.title} {key}"
    except ValueError:
        return ref
