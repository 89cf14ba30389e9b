"""Callbacks: what providers told us, and what became of it."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin, Step, allowed
from audit.adminparts import action, copyable, display, labelled, public_id, sentence, trace
from audit.doorbell import ring
from integrations.models import Callback
from integrations.selectors.callbacks import visible_callbacks
from integrations.services.inbox import replay_callback
from integrations.states import CallbackState

WORK_OFF: Final = "integrations.drain_inbox"
COLOURS: Final[dict[str, str]] = {
    CallbackState.RECEIVED: "info",
    CallbackState.PROCESSED: "success",
    CallbackState.QUARANTINED: "danger",
}
STANDINGS: Final[dict[str, str]] = {
    CallbackState.RECEIVED: "Stored and waiting to be worked off, usually within seconds.",
    CallbackState.PROCESSED: "Understood and carried out. Another copy of it changes nothing.",
    CallbackState.IGNORED: "Genuine, of a kind we do not act on. Nothing happens next.",
    CallbackState.QUARANTINED: "Genuine but not understood, so nothing was done. A person must"
    " read why, and may have it tried again.",
}


@admin.register(Callback)
class CallbackPage(LookOnlyAdmin[Callback]):
    """One row a callback."""

    list_display = ("event", "state_label", "detail", "deliveries", "received_at", "event_ref")
    list_filter = ("state",)
    search_fields = ("event_id", "trace_id")
    search_help_text = "Id, the provider's event id, or trace: exactly as written"
    actions_detail = ("replay",)
    fieldsets = (
        (None, {"fields": ("standing", "event", "state_label", "detail")}),
        ("How far it got", {"fields": ("received_at", "processed_at", "attempts", "deliveries")}),
        (
            "References",
            {"fields": ("shown_id", "event_ref", "endpoint", "fingerprint", "shown_trace")},
        ),
    )
    shown_id = public_id
    shown_trace = trace
    standing = sentence(STANDINGS)
    state_label = labelled(COLOURS)

    def scoped(self, queryset: QuerySet[Callback], actor: Actor) -> QuerySet[Callback]:
        """Return those the officer may see, without their sealed bodies."""
        del queryset
        return visible_callbacks(to=actor).defer("body")

    @display(description="Event")
    def event(self, row: Callback) -> str:
        """Show who said what."""
        return str(row)

    @display(description="Provider's event id")
    def event_ref(self, row: Callback) -> SafeString:
        """Show what the provider calls it."""
        return copyable(row.event_id)

    @display(description="SHA-256 of the body")
    def fingerprint(self, row: Callback) -> SafeString:
        """Show the body's hash; the body itself stays sealed."""
        return copyable(row.body_sha256)

    has_replay_permission = allowed("integrations.replay_callback")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer to try again what is quarantined."""
        row = self.get_object(request, str(object_id))
        if row is None or row.state != CallbackState.QUARANTINED:
            return []
        offered: list[Any] = super().get_actions_detail(request, object_id)
        return offered

    @action(description="Try again", url_path="replay", permissions=["replay"], icon="replay")
    def replay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put it back in line."""

        def step(row: Callback, actor: Actor) -> Step:
            def act(reason: str) -> None:
                replay_callback(actor=actor, callback_id=row.pk, reason=reason)
                ring(WORK_OFF)

            return Step(
                title="Try this callback again",
                facts={
                    "Event": str(row),
                    "Why it is here": row.detail,
                    "What it does": "It is worked off once more, as if it had just arrived.",
                },
                button="Try again",
                act=act,
            )

        return self.confirm_on(request, object_id=object_id, step=step)
