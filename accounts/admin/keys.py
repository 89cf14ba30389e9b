"""Idempotency keys: what became of a request that a partner asks about. No answers are shown."""

from http import HTTPStatus

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.frontdesk.idempotency import hash_spelled
from accounts.models import IdempotencyKey
from accounts.selectors.idempotency import keys_for_pages, keys_found
from audit.actors import Actor
from audit.adminkit import SEARCH_CHARACTERS_MAX, LookOnlyAdmin
from audit.adminparts import EMPTY, copyable, display, instant, link_to, tag
from audit.links import address_of


@admin.register(IdempotencyKey)
class IdempotencyKeyPage(LookOnlyAdmin[IdempotencyKey]):
    """One row a key on one route. Of a key only its hash is kept, so a pasted one is hashed."""

    list_display = ("request_line", "outcome", "made", "client", "partner", "used_at", "kept")
    search_fields = ("resource",)
    search_help_text = "The key itself, or the id of what it made: exactly as written"
    empty_sentence = (
        "Each request of a partner that moves money carries a key, and shows here with its answer."
    )
    fieldsets = (
        (None, {"fields": ("standing", "request_line", "outcome", "made", "client", "partner")}),
        ("References", {"fields": ("used_at", "kept", "key_digest", "key")}),
    )
    change_form_after_template = ""

    def scoped(self, queryset: QuerySet[IdempotencyKey], actor: Actor) -> QuerySet[IdempotencyKey]:
        """Return those of books the officer may see, without their answers."""
        del queryset
        return keys_for_pages(to=actor)

    def get_search_results(  # noqa: PLR0917 - Django's signature
        self, request: HttpRequest, queryset: QuerySet[IdempotencyKey], search_term: str
    ) -> tuple[QuerySet[IdempotencyKey], bool]:
        """Find by the hash of a pasted key, quoted or bare, or by what it made."""
        del request
        term = search_term.strip()[: 2 * SEARCH_CHARACTERS_MAX]
        if not term:
            return queryset, False
        return keys_found(queryset, text=term, key_hash=hash_spelled(term)), False

    @display(description="Where it stands")
    def standing(self, row: IdempotencyKey) -> str:
        """Say what the same request would get now."""
        if vars(row)["is_answer_kept"]:
            return "Answered. The same request again gets the same answer, byte for byte."
        return "Used. Its answer is not kept, and the key works no second time."

    @display(description="Request")
    def request_line(self, row: IdempotencyKey) -> str:
        """Show method and route."""
        return " ".join(row.route)

    @display(description="Outcome")
    def outcome(self, row: IdempotencyKey) -> SafeString:
        """Show what it was answered."""
        is_refused = row.status >= HTTPStatus.BAD_REQUEST
        word = f"Refused, {row.status}" if is_refused else f"Done, {row.status}"
        return tag(word, colour="warning" if is_refused else "success")

    @display(description="Made or changed")
    def made(self, row: IdempotencyKey) -> SafeString:
        """Lead to what it made or changed."""
        return link_to(address_of(row.made), text=row.made)

    @display(description="Client")
    def client(self, row: IdempotencyKey) -> str:
        """Show whose machine used it; none did where it came in a file."""
        return str(vars(row)["client_name"] or EMPTY)

    @display(description="Partner")
    def partner(self, row: IdempotencyKey) -> str:
        """Show whose client that is."""
        return str(vars(row)["partner_name"] or "")

    @display(description="When")
    def used_at(self, row: IdempotencyKey) -> str:
        """Show when it was answered."""
        return instant(row.created_at)

    @display(description="Answer kept", boolean=True)
    def kept(self, row: IdempotencyKey) -> bool:
        """Say whether the answer is still there to be shown again."""
        return bool(vars(row)["is_answer_kept"])

    @display(description="SHA-256 of the key")
    def key_digest(self, row: IdempotencyKey) -> SafeString:
        """Show what is kept of the key."""
        return copyable(bytes(row.key_hash).hex())

    @display(description="Row")
    def key(self, row: IdempotencyKey) -> SafeString:
        """Show the row's key."""
        return copyable(row.pk)
