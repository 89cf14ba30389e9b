"""What every page that asks for something has in common: a form, one command, and no double."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.contrib import messages
from django.db.models import Model
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from audit.actors import Actor
from audit.errors import Invalid, Refusal


class Desk(Protocol):
    """A page of the staff's admin, as the forms that hang in it see it."""

    admin_site: Any
    model: type[Model]

    def officer(self, request: HttpRequest) -> Actor:
        """Return who is asking."""
        ...

    def message_user(  # noqa: PLR0917 - Django's signature
        self, request: HttpRequest, message: str, level: int
    ) -> None:
        """Say something on the next page."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Something to ask for: what the page says, its form, and the command that a valid one calls.

    `ask` returns the key of what came of it and what to say; asked twice, of the first. What came
    of it is shown on the page itself, or on the one named `leads_to`, e.g. `accounts_approval`.
    """

    title: str
    what_it_does: str
    button: str
    form: Form
    ask: Callable[[], tuple[UUID, str]]
    leads_to: str = ""


def ask_with_form(page: Desk, request: HttpRequest, *, wanted: Request) -> HttpResponse:
    """Show the form; when it comes back, ask once and lead to what came of it."""
    refused = ""
    if request.method == "POST" and wanted.form.is_valid():
        try:
            key, said = wanted.ask()
        except Invalid as wrong:
            _say_beside(wanted.form, wrong=wrong)
        except Refusal as refusal:
            refused = refusal.title
        else:
            page.message_user(request, said, messages.SUCCESS)
            shown = f"admin:{wanted.leads_to}_change"
            there = reverse(shown, args=[key]) if wanted.leads_to else address(page, key)
            return HttpResponseRedirect(there)
    context = {
        **page.admin_site.each_context(request),
        "opts": page.model._meta,  # noqa: SLF001 - Django's own interface
        "title": wanted.title,
        "what_it_does": wanted.what_it_does,
        "button": wanted.button,
        "form": wanted.form,
        "refused": refused,
        "back": address(page),
    }
    return TemplateResponse(request, "admin/ask.html", context)


def address(page: Desk, key: UUID | None = None) -> str:
    """Return where a row of the page is shown, or the page's list."""
    meta = page.model._meta  # noqa: SLF001 - Django's own interface
    name = f"admin:{meta.app_label}_{meta.model_name}"
    return reverse(f"{name}_change", args=[key]) if key else reverse(f"{name}_changelist")


def _say_beside(form: Form, *, wrong: Invalid) -> None:
    """Say beside each field what the command found wrong with it, and the rest above them."""
    for name, said in wrong.fields.items():
        beside = name if name in form.fields else None
        form.add_error(beside, f"{said[:1].upper()}{said[1:]}.")
