"""Reading staff: who somebody is, and what they may do at this moment."""

from uuid import UUID

from accounts.models import RoleGrant, User
from accounts.roles import Role, grants_of
from audit.errors import NotFound


def roles_held(user_id: UUID) -> frozenset[Role]:
    """Return the roles of a login; none for a login that is not active staff."""
    held = RoleGrant.objects.filter(user_id=user_id, user__is_active=True, user__is_staff=True)
    return frozenset(Role(role) for role in held.values_list("role", flat=True))


def grants_held(user_id: UUID) -> frozenset[str]:
    """Return everything a login may do right now."""
    return grants_of(roles_held(user_id))


def staff_by_email(email: str) -> User | None:
    """Return the staff login of an address in any case, active or not; None if there is none."""
    return User.objects.filter(email__iexact=email.strip(), is_staff=True).first()


def access_staff(user_id: UUID) -> User:
    """Return a staff login, locked until the transaction ends, or refuse."""
    staff = User.objects.select_for_update(no_key=True, of=("self",)).filter(is_staff=True)
    user = staff.filter(pk=user_id).first()
    if user is None:
        raise NotFound(ref=f"user:{user_id}")
    return user
