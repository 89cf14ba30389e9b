"""Who is acting: the first keyword of every command. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from audit.errors import Fault


class ActorKind(StrEnum):
    """The four kinds of party that can change anything here."""

    STAFF = "staff"
    PARTNER = "partner"
    PROVIDER = "provider"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A named party and the credential it used: a value, never a row.

    The log outlives users, keys and partners, so an actor is written down in
    full and points at nothing. `grants` is fixed when the credential is
    checked; a command never looks permissions up again.
    """

    kind: ActorKind
    id: str
    label: str
    credential: str
    grants: frozenset[str]
    partner_id: UUID | None = None
    book_id: UUID | None = None
    person_id: UUID | None = None

    @property
    def ref(self) -> str:
        """Return `kind:id`, the spelling used in the log."""
        return f"{self.kind}:{self.id}"

    @property
    def tenant(self) -> UUID:
        """Return the partner this actor speaks for; a Fault if it speaks for none."""
        if self.partner_id is None:
            raise Fault(f"{self.ref} belongs to no partner")
        return self.partner_id

    @property
    def book(self) -> UUID:
        """Return the book this actor speaks for; a Fault if it speaks for none."""
        if self.book_id is None:
            raise Fault(f"{self.ref} has no book")
        return self.book_id

    @property
    def party(self) -> str:
        """Return who stands behind this actor: the person where there is one, else itself.

        Four eyes compares parties, so two accounts of one person are one party.
        """
        return f"person:{self.person_id}" if self.person_id else self.ref

    def may(self, permission: str) -> bool:
        """Say whether this actor holds `permission`, e.g. `transactions.settle_transfer`."""
        return permission in self.grants

    def holding(self, *permissions: str) -> "Actor":
        """Return this actor with `permissions` added, for a door that grants by scope."""
        return replace(self, grants=self.grants | set(permissions))
