"""The staff's lists go by key: no page counts, and none skips rows."""

from typing import Any, Final
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

from audit.adminparts import ask_names
from audit.typeids import parse_typeid

AFTER: Final = "after"


class KeysetPaginator(Paginator):  # type: ignore[type-arg]
    """Counts nothing; its template links to the next page by the last row's key."""

    template_name = "admin/keyset_pagination.html"


class KeysetChangeList(ChangeList):  # type: ignore[misc]
    """A list, newest first, whose pages begin after a key: no COUNT and no OFFSET at any depth."""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """Take our own parameter out, which is no filter of the model."""
        found: dict[str, Any] = super().get_filters_params(params)
        self.after = key_in((found.pop(AFTER, None) or [""])[-1])
        return found

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        """Order by key alone: keys are UUIDv7, so that is by age."""
        del request, queryset
        return ["-pk"]

    def get_results(self, request: HttpRequest) -> None:
        """Read one page and one row more, which says whether there is another page."""
        del request
        rows = self.queryset.filter(pk__lt=self.after) if self.after else self.queryset
        page = list(rows[: self.list_per_page + 1])
        self.has_more = len(page) > self.list_per_page
        self.result_list = page[: self.list_per_page]
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = bool(page)
        columns = [getattr(self.model_admin, name, None) for name in self.list_display]
        ask_names(self.result_list, columns=columns)
        self.paginator = KeysetPaginator(self.result_list, self.list_per_page)

    @property
    def next_page(self) -> str:
        """Return the query of the page behind this one."""
        return str(self.get_query_string({AFTER: str(self.result_list[-1].pk)}))

    @property
    def first_page(self) -> str:
        """Return the query of the newest page."""
        return str(self.get_query_string(remove=[AFTER]))


def key_in(text: str, *, prefix: str = "") -> UUID | None:
    """Return the key that `text` spells, as a UUID or as a public id of `prefix`; else None.

    A UUID without its dashes is none: trace ids are spelled so.
    """
    for read in (_dashed, lambda spelled: parse_typeid(prefix, spelled)):
        try:
            return read(text)
        except ValueError:
            continue
    return None


def _dashed(text: str) -> UUID:
    key = UUID(text)
    if str(key) != text.lower():
        raise ValueError(text)
    return key
