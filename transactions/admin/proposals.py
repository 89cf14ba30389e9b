"""Manual journals: what finance proposed, and whether it is in the books."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.enums import ActionVariant

from accounts.frontdesk.staff import step_up
from audit.actors import Actor
from audit.adminkit import LookOnlyAdmin, allowed
from audit.adminparts import acted, action, display, page_of, public_id, table, tag
from transactions.admin.effects import show_effects
from transactions.admin.journal_sheet import write_journal
from transactions.admin.standings import APPROVAL_COLOURS
from transactions.models import JournalProposal
from transactions.money import Money
from transactions.selectors.ledger import journal_of_origin
from transactions.selectors.proposals import (
    NOT_DONE,
    effects,
    lines_of,
    moves_of,
    visible_proposals,
)


@admin.register(JournalProposal)
class JournalProposalPage(LookOnlyAdmin[JournalProposal]):
    """One row a journal that somebody proposed."""

    list_display = ("reason", "book", "state_label", "proposed_at", "proposer", "shown_id")
    list_filter = ("approval__state",)
    search_fields = ("evidence",)
    search_help_text = "Id, or where the evidence is kept: exactly as written"
    empty_sentence = (
        "Propose a correction of the books with “New manual journal”. A second person approves"
        " exactly its lines before anything moves."
    )
    actions_list = ("new_journal",)
    fieldsets = (
        (None, {"fields": ("standing", "state_label", "book", "reason", "evidence")}),
        ("Lines", {"fields": ("shown_lines", "shown_effects")}),
        ("References", {"fields": ("shown_id", "proposer", "proposed_at", "asked", "journal")}),
    )
    shown_id = public_id
    proposer = acted(of="proposed_by", title="Proposed by")
    has_propose_permission = allowed("transactions.propose_manual_journal")

    def scoped(
        self, queryset: QuerySet[JournalProposal], actor: Actor
    ) -> QuerySet[JournalProposal]:
        """Return those of books the officer may see."""
        del queryset
        return visible_proposals(to=actor)

    @display(description="Where it stands")
    def standing(self, row: JournalProposal) -> str:
        """Say what comes next."""
        if row.approval.state in NOT_DONE:
            return (
                "Proposed. Nothing moves until a second person has approved exactly these lines."
            )
        if row.approval.state == "used":
            return "Approved and posted. The lines are in the books; another journal undoes them."
        return "Given up. It was never posted, and stays on record."

    @display(description="State")
    def state_label(self, row: JournalProposal) -> SafeString:
        """Show how far its approval is."""
        state = row.approval.state
        return tag(row.approval.get_state_display(), colour=APPROVAL_COLOURS.get(state, ""))

    @display(description="Lines")
    def shown_lines(self, row: JournalProposal) -> SafeString:
        """Show the lines as they were submitted."""
        rows = [
            (
                page_of("transactions.ledgeraccount", line.account_id, text=line.account),
                Money(line.amount_minor, line.account.currency),
            )
            for line in lines_of(row)
        ]
        return table(["Account", "Amount"], rows=rows)

    @display(description="What would happen now")
    def shown_effects(self, row: JournalProposal) -> SafeString | str:
        """Show before and after, for what is not posted yet."""
        if row.approval.state not in NOT_DONE:
            return "Nothing: it is decided."
        accounts = {line.account_id: line.account for line in lines_of(row)}
        return show_effects(effects(moves_of(row), accounts=accounts))

    @display(description="Approval")
    def asked(self, row: JournalProposal) -> SafeString:
        """Lead to the request for a second person."""
        return page_of("accounts.approval", row.approval_id, text=row.approval.public_id)

    @display(description="Journal")
    def journal(self, row: JournalProposal) -> SafeString:
        """Lead to the journal, once it is posted."""
        return page_of(
            "transactions.journal", journal_of_origin(f"manual:{row.pk}"), text="In the books"
        )

    @action(
        description="New manual journal",
        url_path="new",
        permissions=["propose"],
        icon="add",
        variant=ActionVariant.PRIMARY,
    )
    @step_up
    def new_journal(self, request: HttpRequest) -> HttpResponse:
        """Propose a journal; a second person approves it."""
        return write_journal(self, request)
