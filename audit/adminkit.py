"""The staff's pages that every app builds on: looking is free, changing goes through a command.

Who is looking is asked of the site the page hangs in (`config.site.StaffSite`), so
this floor needs to know nobody above it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from unfold.admin import ModelAdmin

from audit.actors import Actor
from audit.adminparts import amiss_with
from audit.errors import Refusal
from audit.keysets import KeysetChangeList, key_in

M = TypeVar("M", bound=Model)

ROWS_A_PAGE: Final = 50
ROWS_AN_ACTION_MAX: Final = 100
SEARCH_CHARACTERS_MAX: Final = 200
REASON_CHARACTERS_MAX: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A grave act about to happen: what to show first, and the command to call with the reason.

    `form` asks for more than the reason: bound to what was posted, it must be valid before `act`.
    `done` is what is said beside the row afterwards.
    """

    title: str
    facts: Mapping[str, object]
    button: str
    act: Callable[[str], object]
    wants_reason: bool = True
    form: Form | None = None
    done: str = "done."


class Reception(Protocol):
    """What a page needs of the site it hangs in: who is asking."""

    def officer(self, request: HttpRequest) -> Actor:
        """Return who is at this desk."""
        ...

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what every page's template needs."""
        ...


class LookOnlyAdmin(ModelAdmin, Generic[M]):  # type: ignore[misc]
    """Shows rows and never writes one. Actions call commands, which do.

    May be seen with `<app>.view_<model>`; `scoped` narrows the rows to those the
    officer may know exist, for the list, the detail, search and actions alike.
    """

    admin_site: Reception
    actions: Any = ()
    list_per_page = ROWS_A_PAGE
    list_fullwidth = True
    list_filter_submit = False
    show_full_result_count = False
    show_facets = False
    sortable_by: ClassVar[tuple[str, ...]] = ()
    search_fields: tuple[str, ...] = ()
    actions_selection_counter = False
    change_form_after_template = "admin/timeline_slot.html"
    # How rows come to be on this page, for a list that has none.
    empty_sentence = "Nothing of this kind has happened where you may look."

    def officer(self, request: HttpRequest) -> Actor:
        """Return who is looking."""
        return self.admin_site.officer(request)

    def scoped(self, queryset: QuerySet[M], actor: Actor) -> QuerySet[M]:
        """Return the rows `actor` may know exist: nothing until a page says which."""
        del actor
        return queryset.none()

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        """Return the rows in scope of whoever is looking."""
        return self.scoped(super().get_queryset(request), self.officer(request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Call the list by what it lists."""
        title = capfirst(str(self.model._meta.verbose_name_plural))  # noqa: SLF001 - Django's own interface
        response: HttpResponse = super().changelist_view(
            request, {"title": title, **(extra_context or {})}
        )
        return response

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        """List by key."""
        del request, kwargs
        return KeysetChangeList

    def get_search_results(  # noqa: PLR0917 - Django's signature
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        """Find by public id, by key, or by exactly what a search field says."""
        term = search_term.strip()[:SEARCH_CHARACTERS_MAX]
        if not term:
            return queryset, False
        key = key_in(term, prefix=getattr(self.model, "prefix", ""))
        if key is not None:
            return queryset.filter(pk=key), False
        if not self.search_fields:
            return queryset.none(), False
        found, is_doubled = super().get_search_results(request, queryset, f'"{term}"')
        return found, is_doubled

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Search exactly: a substring search walks the whole table."""
        del request
        return tuple(f"={name.lstrip('=^@')}" for name in self.search_fields) or ("=pk",)

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Ask the officer's roles."""
        del obj
        meta = self.model._meta  # noqa: SLF001 - Django's own interface
        return self.officer(request).may(f"{meta.app_label}.view_{meta.model_name}")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the page in menus to those who may open it."""
        return self.has_view_permission(request)

    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        """Nothing is added by hand."""
        return False

    def has_change_permission(self, *_: Any, **__: Any) -> bool:
        """Nothing is edited in place."""
        return False

    def has_delete_permission(self, *_: Any, **__: Any) -> bool:
        """Nothing is deleted, ever."""
        return False

    def _get_obj_does_not_exist_redirect(self, *_: Any, **__: Any) -> HttpResponse:
        """Answer 404 for what is not there or out of scope: the two look alike."""
        raise Http404

    def row_or_404(self, request: HttpRequest, object_id: object) -> M:
        """Return the row an action is about, if whoever asks may see it."""
        row: M | None = None
        if self.has_view_permission(request):
            row = self.get_object(request, str(object_id))
        if row is None:
            raise Http404
        return row

    def confirm_on(
        self, request: HttpRequest, *, object_id: str, step: Callable[[M, Actor], Step]
    ) -> HttpResponse:
        """Confirm what `step` makes of the row and of whoever acts: the shape of every action."""
        row = self.row_or_404(request, object_id)
        return self.confirm(request, row=row, step=step(row, self.officer(request)))

    def confirm(self, request: HttpRequest, *, row: M, step: Step) -> HttpResponse:
        """Show what is about to happen; do it when the form comes back, then return to the row.

        An action in the page's head is a link, and a link from anywhere must change nothing.
        """
        meta = self.model._meta  # noqa: SLF001 - Django's own interface
        back = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
        reason = request.POST.get("reason", "").strip()[:REASON_CHARACTERS_MAX]
        is_sent = request.method == "POST"
        amiss = amiss_with(reason) if is_sent and step.wants_reason else ""
        is_wrong = is_sent and step.form is not None and not step.form.is_valid()
        if is_sent and not (amiss or is_wrong):
            self.report(request, row=row, act=partial(step.act, reason), done=step.done)
            return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "opts": meta,
            "title": step.title,
            "row": row,
            "step": step,
            "amiss": amiss,
            "reason_characters_max": REASON_CHARACTERS_MAX,
            "back": back,
        }
        return TemplateResponse(request, "admin/confirm.html", context)

    def run_on_each(
        self, request: HttpRequest, *, rows: QuerySet[M], act: Callable[[M], object]
    ) -> None:
        """Call `act`, a command, on every selected row and report each row's own outcome."""
        chosen = list(rows[: ROWS_AN_ACTION_MAX + 1])
        if len(chosen) > ROWS_AN_ACTION_MAX:
            said = f"Nothing was done: choose at most {ROWS_AN_ACTION_MAX} rows at once."
            self.message_user(request, said, messages.ERROR)
            return
        for row in chosen:
            self.report(request, row=row, act=partial(act, row))

    def report(
        self,
        request: HttpRequest,
        *,
        row: object,
        act: Callable[[], object],
        done: str = "done.",
    ) -> bool:
        """Call `act` and say beside the row what came of it; True where it was done."""
        try:
            act()
        except Refusal as refusal:
            self.message_user(request, f"{row}: {refusal.title}", messages.ERROR)
            return False
        self.message_user(request, f"{row}: {done}", messages.SUCCESS)
        return True


def allowed(permission: str) -> Callable[..., bool]:
    """Return a page's `has_…_permission` that asks the officer's roles for `permission`."""

    def ask(  # noqa: PLR0917 - Django's signature
        self: LookOnlyAdmin[Any], request: HttpRequest, object_id: object = None
    ) -> bool:
        del object_id
        return self.officer(request).may(permission)

    return ask
