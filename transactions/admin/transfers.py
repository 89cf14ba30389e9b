"""Transfers: where the money is, and what may be done about it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.enums import ActionVariant

from accounts.frontdesk.staff import step_up
from accounts.selectors.approvals import pending_requests_about
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin, Step, allowed
from audit.adminparts import (
    acted,
    action,
    amount,
    copyable,
    display,
    instant,
    labelled,
    page_of,
    public_id,
    sentence,
    tag,
    trace,
)
from transactions.admin.journals import journals_table
from transactions.admin.payouts import ask_for_payout
from transactions.admin.reversals import asked_back, reversal_step, way_back
from transactions.admin.sides import account, charged_by, fee, payee
from transactions.admin.standings import TRANSFER_COLOURS, TRANSFERS
from transactions.models import Transfer
from transactions.selectors.batches import batch_of_transfer
from transactions.selectors.pages import journals_about, transfers_for_pages
from transactions.services.transfers import (
    cancel_transfer,
    escalate_transfer,
    flag_transfer,
    note_on_transfer,
)
from transactions.states import MOVES, TransferState

SEEN_BY_CHECKERS = "accounts.view_approval"
OVERSEEN = ("second_person", "charged_by", "in_batch")


@admin.register(Transfer)
class TransferPage(LookOnlyAdmin[Transfer]):
    """Where is my money: one row a transfer, newest first."""

    list_display = ("amount", "state_label", "account", "payee", "reference", "asked", "shown_id")
    list_filter = ("state", "kind", "is_flagged")
    search_fields = ("reference", "provider_ref", "trace_id", "origin")
    search_help_text = "Id, reference, the bank's reference, or trace: exactly as written"
    actions_list = ("new_payout",)
    actions_detail = ("note", "flag", "escalate", "reverse", "cancel")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "standing",
                    "amount",
                    "fee",
                    "state_label",
                    "account",
                    "payee",
                    "reference",
                )
            },
        ),
        (
            "How far it got",
            {
                "fields": (
                    "asked",
                    "execute_at",
                    "claimed_at",
                    "settled_at",
                    "failure_code",
                    "flagged",
                )
            },
        ),
        ("In the books, there and back", {"fields": ("journals", "reversed", "asked_back")}),
        (
            "References",
            {
                "fields": (
                    "shown_id",
                    "kind",
                    "provider",
                    "bank_reference",
                    "second_person",
                    "charged_by",
                    "in_batch",
                    "asker",
                    "shown_trace",
                )
            },
        ),
    )
    account, payee, fee, charged_by = account, payee, fee, charged_by
    amount = amount
    shown_id = public_id
    asker = acted(of="requested_by", title="Requested by")
    shown_trace = trace
    standing = sentence(TRANSFERS)
    state_label = labelled(TRANSFER_COLOURS)

    def scoped(self, queryset: QuerySet[Transfer], actor: Actor) -> QuerySet[Transfer]:
        """Return those of accounts the officer may see."""
        del queryset
        return transfers_for_pages(to=actor)

    def get_object(  # noqa: PLR0917 - Django's signature
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Transfer | None:
        """Read its journals and open requests too, as whoever is looking may see them."""
        row: Transfer | None = super().get_object(request, object_id, from_field)
        if row is not None:
            actor = self.officer(request)
            vars(row)["journals"] = journals_about(row.audit_ref, to=actor)
            vars(row)["asked_back"] = pending_requests_about(row.audit_ref, to=actor)
        return row

    def get_fieldsets(self, request: HttpRequest, obj: Transfer | None = None) -> Any:
        """Leave approval and batch out for those who may not open them."""
        del obj
        if self.officer(request).may(SEEN_BY_CHECKERS):
            return self.fieldsets
        return [
            (name, {"fields": [one for one in group["fields"] if one not in OVERSEEN]})
            for name, group in self.fieldsets
        ]

    @display(description="Asked for")
    def asked(self, row: Transfer) -> str:
        """Show when it happened."""
        return instant(row.occurred_at)

    @display(description="Flagged")
    def flagged(self, row: Transfer) -> SafeString | str:
        """Say whether somebody should look at it."""
        return tag("Somebody should look", colour="danger") if row.is_flagged else "No"

    @display(description="The bank's reference")
    def bank_reference(self, row: Transfer) -> SafeString:
        """Show what the bank calls it."""
        return copyable(row.provider_ref)

    @display(description="Approval")
    def second_person(self, row: Transfer) -> SafeString:
        """Lead to the approval."""
        name = row.approval.public_id if row.approval else ""
        return page_of("accounts.approval", row.approval_id, text=name)

    @display(description="Journals")
    def journals(self, row: Transfer) -> SafeString:
        """Show the journal that moved it, and beside it those that took it back."""
        return journals_table(vars(row)["journals"])

    @display(description="Went back")
    def reversed(self, row: Transfer) -> SafeString | str:
        """Show how much of it was reversed, and how much stays."""
        return way_back(row)

    @display(description="Asked to go back")
    def asked_back(self, row: Transfer) -> SafeString:
        """Show the reversals that were asked for and are not carried out yet."""
        return asked_back(vars(row)["asked_back"])

    @display(description="Batch")
    def in_batch(self, row: Transfer) -> SafeString:
        """Lead to the batch it was asked for in."""
        batch = batch_of_transfer(row.pk)
        return page_of("transactions.transferbatch", batch.pk if batch else None, text=batch)

    # -- what may be done ----------------------------------------------------------------------

    has_request_permission = allowed("transactions.request_transfer")
    has_note_permission = allowed("transactions.note_on_transfer")
    has_flag_permission = allowed("transactions.flag_transfer")
    has_escalate_permission = allowed("transactions.escalate_transfer")
    has_reverse_permission = allowed("transactions.request_reversal")
    has_cancel_permission = allowed("transactions.cancel_transfer")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer to cancel what can still be cancelled, and to reverse what can still go back."""
        offered: list[Any] = super().get_actions_detail(request, object_id)
        row = self.get_object(request, str(object_id))
        if row is None:
            return []
        fits = {
            "cancel": TransferState.CANCELLED in MOVES[TransferState(row.state)],
            "reverse": row.reversible_minor > 0,
        }
        return [one for one in offered if fits.get(one.path, True)]

    @action(
        description="New payout",
        url_path="new-payout",
        permissions=["request"],
        icon="add",
        variant=ActionVariant.PRIMARY,
    )
    @step_up
    def new_payout(self, request: HttpRequest) -> HttpResponse:
        """Ask for a payout; a second person approves it."""
        return ask_for_payout(self, request)

    @action(description="Add a note", url_path="note", permissions=["note"], icon="edit_note")
    def note(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Leave a note on the timeline."""
        return self.confirm_on(
            request,
            object_id=object_id,
            step=lambda row, actor: Step(
                title="Add a note",
                facts=self._facts(row) | {"What it does": "Stays on the timeline for good."},
                button="Add the note",
                act=lambda text: note_on_transfer(actor=actor, transfer_id=row.pk, text=text),
            ),
        )

    @action(description="Flag", url_path="flag", permissions=["flag"], icon="flag")
    def flag(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Mark it as one that somebody should look at."""
        return self.confirm_on(
            request,
            object_id=object_id,
            step=lambda row, actor: Step(
                title="Flag this transfer",
                facts=self._facts(row) | {"What it does": "Marks it; stops no money."},
                button="Flag it",
                act=lambda why: flag_transfer(actor=actor, transfer_id=row.pk, reason=why),
            ),
        )

    @action(
        description="Escalate", url_path="escalate", permissions=["escalate"], icon="priority_high"
    )
    def escalate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Hand it to compliance."""
        return self.confirm_on(
            request,
            object_id=object_id,
            step=lambda row, actor: Step(
                title="Escalate to compliance",
                facts=self._facts(row) | {"What it does": "Flags it for compliance to look at."},
                button="Escalate",
                act=lambda why: escalate_transfer(actor=actor, transfer_id=row.pk, reason=why),
            ),
        )

    @action(description="Reverse", url_path="reverse", permissions=["reverse"], icon="undo")
    @step_up
    def reverse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask a second person to let it go back."""
        return self.confirm_on(
            request,
            object_id=object_id,
            step=lambda row, actor: reversal_step(request, row=row, actor=actor),
        )

    @action(
        description="Cancel payout",
        url_path="cancel",
        permissions=["cancel"],
        icon="cancel",
        variant=ActionVariant.DANGER,
    )
    @step_up
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Call off a payout that has not been sent."""
        return self.confirm_on(
            request,
            object_id=object_id,
            step=lambda row, actor: Step(
                title="Cancel this payout",
                facts=self._facts(row)
                | {"What it does": "It is not sent, and the reserved money is released."},
                button="Cancel the payout",
                act=lambda _: cancel_transfer(actor=actor, transfer_id=row.pk),
                wants_reason=False,
            ),
        )

    def _facts(self, row: Transfer) -> dict[str, object]:
        return {
            "Amount": row.money,
            "To": payee(self, row),
            "Where it stands": self.standing(row),
        }
