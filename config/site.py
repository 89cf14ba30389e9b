"""The staff's site: Unfold behind our own door, serving only pages that cannot write."""

import time
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.sites import UnfoldAdminSite

from accounts.frontdesk.second_factor import is_proven, proof_page
from accounts.frontdesk.staff import officer
from accounts.models import User
from accounts.selectors.staff import roles_held
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin
from config import trace
from config.palette import RESULTS_MAX, found

OUR_APPS = ("audit", "accounts", "transactions", "integrations")


class StaffSite(UnfoldAdminSite):  # type: ignore[misc]
    """Lets in staff who proved a second factor in this session."""

    enable_nav_sidebar = True
    index_title = "Home"
    empty_value_display = "—"

    def officer(self, request: HttpRequest) -> Actor:
        """Return who is at this desk."""
        return officer(request)

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Serve look-only pages. Packages' own forms would write behind the witness's back."""
        if admin_class is not None and issubclass(admin_class, LookOnlyAdmin):
            super().register(model_or_iterable, admin_class, **options)
        elif getattr(admin_class, "__module__", "").split(".")[0] in OUR_APPS:
            raise ImproperlyConfigured(f"{admin_class.__name__} must be a LookOnlyAdmin")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add the pages that belong to no table, each behind the same door."""
        ours = [
            path("trace/", self.admin_view(trace.trace), name="trace"),
            path("find/", self.admin_view(trace.find), name="find"),
            path(
                "timeline/<slug:app>/<slug:model>/<uuid:row_id>/",
                self.admin_view(trace.timeline),
                name="timeline",
            ),
        ]
        return [*ours, *super().get_urls()]

    def has_permission(self, request: HttpRequest) -> bool:
        """Ask for active staff and a proven second factor, on every page."""
        return bool(super().has_permission(request)) and is_proven(request)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add who is at this desk and in which roles, for the sidebar's foot."""
        context: dict[str, Any] = super().each_context(request)
        if context["has_permission"]:
            roles = sorted(roles_held(cast("User", request.user).pk))
            context["roles_held"] = ", ".join(role.label for role in roles) or "No role"
        return context

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send whoever stands outside to the step they lack; Django's own form never appears."""
        del extra_context
        onward = _onward(request)
        query = f"?{urlencode({'next': onward})}"
        if not request.user.is_authenticated:
            return HttpResponseRedirect(f"{resolve_url(settings.LOGIN_URL)}{query}")
        if not (request.user.is_active and request.user.is_staff):
            raise PermissionDenied
        if is_proven(request):
            return HttpResponseRedirect(onward)
        return HttpResponseRedirect(f"{proof_page(request)}{query}")

    def logout(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Leave, and land on the sign-in page."""
        from django.contrib.auth.views import LogoutView  # noqa: PLC0415 - needs loaded apps

        del extra_context
        return LogoutView.as_view(next_page=settings.LOGOUT_REDIRECT_URL)(request)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Change it where the change is written down."""
        del request, extra_context
        return HttpResponseRedirect(reverse("account_change_password"))

    def search(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Answer the palette from the database each time.

        Unfold keeps answers for five minutes under one key for two kinds of search, so
        what is no longer permitted would still be shown.
        """
        del extra_context
        started = time.monotonic()
        term = request.GET.get("s", "").strip()
        if not term:
            return HttpResponse()
        pages = self._search_apps(self.get_app_list(request), term.lower())
        results = [*found(request, term), *pages][:RESULTS_MAX]
        is_palette = "extended" in request.GET
        name = "command_results" if is_palette else "search_results"
        context = {
            "results": results,
            "page_obj": Paginator(results, RESULTS_MAX),
            "page_counter": 0,
            "execution_time": time.monotonic() - started,
            "command_show_history": False,
        }
        return TemplateResponse(
            request, f"unfold/helpers/{name}.html", context, headers={"HX-Trigger": "search"}
        )


def _onward(request: HttpRequest) -> str:
    """Return where the person was going, if that is a place of ours; else home."""
    wanted = request.GET.get("next") or request.get_full_path()
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    is_door = wanted.startswith((reverse("admin:login"), "/accounts/"))
    return wanted if is_ours and not is_door else reverse("admin:index")
