"""The staff's pages in general: look only, in scope, by key, never counting."""

from typing import Any

import pytest
from django.contrib.admin import site
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from unfold.admin import ModelAdmin

from audit.actors import Actor, ActorKind
from audit.adminkit import ROWS_A_PAGE, LookOnlyAdmin, Step
from audit.errors import NotPermitted
from audit.models import Entry
from config.site import StaffSite

pytestmark = pytest.mark.django_db(transaction=True)


def staff(*grants: str) -> Actor:
    return Actor(
        kind=ActorKind.STAFF, id="1", label="x", credential="none", grants=frozenset(grants)
    )


class Desk(StaffSite):
    """The site, with somebody sitting at it."""

    sitting = staff("audit.view_entry")

    def officer(self, request: HttpRequest) -> Actor:
        """Return the same one each time."""
        del request
        return self.sitting


class EntryPage(LookOnlyAdmin[Entry]):
    """All entries."""

    list_display = ("action", "target_ref")
    search_fields = ("target_ref", "trace_id")

    def scoped(self, queryset: QuerySet[Entry], actor: Actor) -> QuerySet[Entry]:
        """Hide nothing."""
        del actor
        return queryset


class NobodysPage(LookOnlyAdmin[Entry]):
    """Says nothing about its scope."""


def listed(page: LookOnlyAdmin[Any], **query: str) -> Any:
    return page.get_changelist_instance(asking(**query))


def asking(**query: str) -> HttpRequest:
    request = RequestFactory().get("/admin/audit/entry/", query)
    request.user = object()  # type: ignore[assignment]
    return request


def write_entries(count: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT audit_record(jsonb_agg(jsonb_build_object('body', jsonb_build_object("
            "'trace', 't', 'command', 'c', 'action', 'a', 'outcome', 'done', 'facts', '{}'::jsonb,"
            "'actor', jsonb_build_object('ref', 'system:r', 'label', 'l'),"
            "'target', 'thing:' || i, 'touches', '[]'::jsonb)::text)))"
            " FROM generate_series(1, %s) AS i",
            [count],
        )


def test_pages_follow_each_other_by_key_without_counting() -> None:
    write_entries(ROWS_A_PAGE + 7)
    page = EntryPage(Entry, Desk())

    with CaptureQueriesContext(connection) as asked:
        first = listed(page)
        second = listed(page, after=str(first.result_list[-1].pk))

    seen = [row.pk for row in (*first.result_list, *second.result_list)]
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == ROWS_A_PAGE + 7 == len(set(seen))
    assert (first.has_more, second.has_more) == (True, False)
    said = " ".join(query["sql"] for query in asked).upper()
    assert "COUNT(" not in said
    assert "OFFSET" not in said


@pytest.mark.parametrize("after", ["", "x", "1' OR 1=1", "0" * 500])
def test_a_bad_cursor_shows_the_newest_page(after: str) -> None:
    write_entries(3)
    assert len(listed(EntryPage(Entry, Desk()), after=after).result_list) == 3


def test_a_search_finds_exactly() -> None:
    write_entries(12)
    page = EntryPage(Entry, Desk())

    assert [row.target_ref for row in listed(page, q="thing:1").result_list] == ["thing:1"]
    key = str(Entry.objects.get(target_ref="thing:4").pk)
    assert [row.target_ref for row in listed(page, q=key).result_list] == ["thing:4"]
    assert listed(page, q="thing").result_list == []
    assert listed(page, q="' \" \\ %").result_list == []


def test_a_page_that_names_no_scope_shows_nothing() -> None:
    write_entries(2)
    assert listed(NobodysPage(Entry, Desk())).result_list == []


def test_nobody_writes_and_the_role_opens_the_page() -> None:
    page, request = EntryPage(Entry, Desk()), asking()

    assert page.has_view_permission(request)
    assert not page.has_add_permission(request)
    assert not page.has_change_permission(request)
    assert not page.has_delete_permission(request)
    Desk.sitting, before = staff(), Desk.sitting
    try:
        assert not page.has_view_permission(request)
    finally:
        Desk.sitting = before


def test_each_row_says_what_came_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    write_entries(2)
    page, said = EntryPage(Entry, Desk()), []
    monkeypatch.setattr(page, "message_user", lambda _r, text, level: said.append((level, text)))

    def act(row: Entry) -> None:
        if row.target_ref == "thing:1":
            raise NotPermitted(permission="x")

    page.run_on_each(asking(), rows=Entry.objects.order_by("target_ref"), act=act)

    assert [level for level, _ in said] == [40, 25]
    assert said[0][1].endswith("You are known, and not allowed to do this.")


def test_an_action_on_everything_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    write_entries(101)
    page, said = EntryPage(Entry, Desk()), []
    done: list[Entry] = []
    monkeypatch.setattr(page, "message_user", lambda _r, text, _l: said.append(text))

    page.run_on_each(asking(), rows=Entry.objects.all(), act=done.append)

    assert not done
    assert said == ["Nothing was done: choose at most 100 rows at once."]


def test_a_link_changes_nothing_and_the_form_wants_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_entries(1)
    page, row = EntryPage(Entry, Desk()), Entry.objects.get()
    done: list[str] = []
    step = Step(title="Poke", facts={"Who": "x"}, button="Poke", act=done.append)
    monkeypatch.setattr(page, "message_user", lambda *_: None)
    monkeypatch.setattr("audit.adminkit.reverse", lambda *_, **__: "/back/")
    monkeypatch.setattr(page.admin_site, "each_context", lambda _: {})

    assert page.confirm(asking(), row=row, step=step).status_code == 200
    for text in ("", "   ", "be\u2066cause"):
        form = RequestFactory().post("/", {"reason": text})
        assert page.confirm(form, row=row, step=step).status_code == 200
    assert not done
    form = RequestFactory().post("/", {"reason": " because "})
    assert page.confirm(form, row=row, step=step).headers["Location"] == "/back/"
    assert done == ["because"]


def test_our_pages_are_look_only_and_packages_bring_none() -> None:
    desk = Desk(name="other")
    written = type("WritingPage", (ModelAdmin,), {"__module__": "accounts.admin.people"})
    stranger = type("StrangersPage", (ModelAdmin,), {"__module__": "allauth.mfa.admin"})

    desk.register(Entry, stranger)
    assert not desk.is_registered(Entry)
    with pytest.raises(ImproperlyConfigured):
        desk.register(Entry, written)


def test_every_page_of_the_real_site_is_look_only() -> None:
    assert isinstance(site, StaffSite)
    assert all(isinstance(page, LookOnlyAdmin) for page in site._registry.values())
