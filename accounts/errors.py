"""Every no this app can say."""

from dataclasses import dataclass, field

from audit.canonical import Json
from audit.errors import Refusal, RefusalKind


@dataclass(eq=False, kw_only=True)
class OwnRequest(Refusal):
    """Nobody decides what they asked for themselves: another person must."""

    code = "own_request"
    kind = RefusalKind.CONFLICT
    transient = False

    ref: str


@dataclass(eq=False, kw_only=True)
class AlreadyDecided(Refusal):
    """This request has been decided or withdrawn, by you or by somebody else."""

    code = "already_decided"
    kind = RefusalKind.CONFLICT
    transient = False

    ref: str
    state: str


@dataclass(eq=False, kw_only=True)
class AlreadyAsked(Refusal):
    """The same was asked for already, and waits for a second person."""

    code = "already_asked"
    kind = RefusalKind.CONFLICT
    transient = False

    ref: str


@dataclass(eq=False, kw_only=True)
class StaleApproval(Refusal):
    """What was shown has changed since: look again before deciding."""

    code = "stale_approval"
    kind = RefusalKind.CONFLICT
    transient = False

    ref: str
    # Each line that is not as it was shown, as [shown, now].
    changed: dict[str, list[Json]] = field(default_factory=dict)


@dataclass(eq=False, kw_only=True)
class AlreadyFrozen(Refusal):
    """The account is frozen already in this way, under the same reference."""

    code = "already_frozen"
    kind = RefusalKind.CONFLICT
    transient = False

    account: str


@dataclass(eq=False, kw_only=True)
class FreezeOver(Refusal):
    """This freeze has been lifted or has ended, or is not yet what is asked of it."""

    code = "freeze_over"
    kind = RefusalKind.CONFLICT
    transient = False

    ref: str
    state: str


@dataclass(eq=False, kw_only=True)
class NameTaken(Refusal):
    """Another one of the same name exists."""

    code = "name_taken"
    kind = RefusalKind.CONFLICT
    transient = False

    name: str


@dataclass(eq=False, kw_only=True)
class ConflictingRoles(Refusal):
    """Nobody may hold these roles together."""

    code = "conflicting_roles"
    kind = RefusalKind.CONFLICT
    transient = False

    roles: list[str]


@dataclass(eq=False, kw_only=True)
class EmailTaken(Refusal):
    """Somebody signs in with this e-mail address already."""

    code = "email_taken"
    kind = RefusalKind.CONFLICT
    transient = False

    email: str


@dataclass(eq=False, kw_only=True)
class AlreadyEnrolled(Refusal):
    """This login has an authenticator; it must be removed before another is enrolled."""

    code = "already_enrolled"
    kind = RefusalKind.CONFLICT
    transient = False

    ref: str


@dataclass(eq=False, kw_only=True)
class KeyInFlight(Refusal):
    """A request with this key is being worked on right now; ask again in a moment."""

    code = "key_in_flight"
    kind = RefusalKind.CONFLICT
    transient = True

    retry_after_seconds: int = 1


@dataclass(eq=False, kw_only=True)
class KeyReused(Refusal):
    """This key was used for a different request; a new request needs a new key."""

    code = "key_reused"
    kind = RefusalKind.MISMATCH
    transient = False


@dataclass(eq=False, kw_only=True)
class AlreadyProcessed(Refusal):
    """This key has done its work and its answer is not kept; see the resource."""

    code = "already_processed"
    kind = RefusalKind.CONFLICT
    transient = False

    resource: str
