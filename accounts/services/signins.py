"""Commands that write down what happens at the front door. They change no row of ours.

The packages that check passwords and codes tell us by signals; `accounts.receivers`
turns each into one of these.
"""

from accounts.models import User
from audit.actors import Actor
from audit.commands import command
from audit.services.recording import record


@command
def note_sign_in(*, actor: Actor, user: User, methods: list[str]) -> None:
    """Write down that somebody came in, and what they proved themselves with."""
    record("staff.signed_in", actor=actor, target=user, facts={"methods": methods})


@command
def note_sign_out(*, actor: Actor, user: User) -> None:
    """Write down that somebody left."""
    record("staff.signed_out", actor=actor, target=user)


@command
def note_step_up(*, actor: Actor, user: User, method: str) -> None:
    """Write down that somebody proved themselves again before a grave act."""
    record("staff.stepped_up", actor=actor, target=user, facts={"method": method})


@command
def note_failed_sign_in(*, actor: Actor, user: User, step: str, is_last: bool) -> None:
    """Write down a wrong password or code for a known login.

    `is_last` says that more of this minute will not be written down.
    """
    facts: dict[str, object] = {"step": step}
    if is_last:
        facts["more"] = "further failures within this minute are not written down one by one"
    record("staff.sign_in_failed", actor=actor, target=user, facts=facts)


@command
def note_lock_out(*, actor: Actor, user: User, minutes: int) -> None:
    """Write down that a login is locked for the address that failed too often."""
    record("staff.locked_out", actor=actor, target=user, facts={"minutes": minutes})


@command
def note_authenticator(*, actor: Actor, user: User, change: str, kind: str) -> None:
    """Write down that a second factor was added, removed or made anew."""
    record(f"authenticator.{change}", actor=actor, target=user, facts={"type": kind})


@command
def note_password_change(*, actor: Actor, user: User) -> None:
    """Write down that somebody chose a new password."""
    record("staff.password_changed", actor=actor, target=user)
