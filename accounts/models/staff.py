"""People who work here, the logins they use, and the roles they hold."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.roles import Role
from audit.history import Guarded, Witnessed, versions


class Person(Guarded):
    """One human being. Two logins of one person count as one pair of eyes."""

    prefix: ClassVar[str] = "per"

    name = models.CharField(max_length=120)

    def __str__(self) -> str:
        """Show the name."""
        return self.name


class UserManager(BaseUserManager["User"]):
    """Finds logins; creating one is a command."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the login with this e-mail, in any case."""
        return self.get(email__iexact=username)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Save a login, in a caller that witnesses it."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(Witnessed, AbstractBaseUser, PermissionsMixin):
    """One login. Staff hold roles; an API client's service user can never sign in."""

    prefix: ClassVar[str] = "usr"
    unspoken: ClassVar[frozenset[str]] = frozenset({"password", "last_login"})

    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="logins")
    email = models.EmailField(max_length=254, unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    history = versions(excluded_fields=["password", "last_login", "groups", "user_permissions"])
    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            models.CheckConstraint(name="user_never_superuser", condition=Q(is_superuser=False)),
            models.CheckConstraint(
                name="user_staff_is_a_person",
                condition=Q(is_staff=False) | Q(person__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        """Show the e-mail address."""
        return self.email


class RoleGrant(Guarded):
    """One role held by one login, and who gave it."""

    prefix: ClassVar[str] = "rol"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="role_grants")
    role = models.CharField(max_length=30, choices=[(role.value, role.label) for role in Role])
    granted_by = models.CharField(max_length=120)
    granted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="role_grant_once", fields=["user", "role"]),
            models.CheckConstraint(
                name="role_grant_known", condition=Q(role__in=[role.value for role in Role])
            ),
        ]

    def __str__(self) -> str:
        """Read as login and role."""
        return f"{self.user_id} is {self.role}"
