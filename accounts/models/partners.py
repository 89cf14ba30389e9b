"""Partners, the API clients that speak for them, and the events we owe them."""

from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from accounts.models.staff import User
from accounts.states import PayeePolicy
from audit.history import Guarded
from audit.typeids import typeid, uuid7


class Partner(Guarded):
    """A company whose money we keep books for. Its book's id is `book_id`, one a partner.

    A payout at or above `approval_threshold_minor` waits for a second person.
    `payee_policy` says what the payee register means for its payouts; new bank
    details in it cool for `payee_cooling_hours` before they are paid.
    """

    prefix: ClassVar[str] = "par"

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=40, unique=True)
    book_id = models.UUIDField(unique=True, default=uuid7)
    is_active = models.BooleanField(default=True)
    approval_threshold_minor = models.BigIntegerField(default=0)
    payee_policy = models.CharField(
        max_length=10,
        choices=PayeePolicy.choices,
        default=PayeePolicy.ANY,
        db_default=PayeePolicy.ANY,
    )
    payee_cooling_hours = models.SmallIntegerField(default=24, db_default=24)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="partner_threshold_not_negative", condition=Q(approval_threshold_minor__gte=0)
            ),
            models.CheckConstraint(
                name="partner_payee_policy_known",
                condition=Q(payee_policy__in=PayeePolicy.values),
            ),
            models.CheckConstraint(
                name="partner_cooling_not_negative", condition=Q(payee_cooling_hours__gte=0)
            ),
        ]

    def __str__(self) -> str:
        """Show the name."""
        return self.name


class ApiClient(Guarded):
    """One machine of a partner: an OAuth client, and the service user it acts as.

    `client_id` names a client of the OAuth provider; rotation is a second client, whose `account`
    is the first. The two are one account: what one asked under a key, the other may ask again.
    """

    prefix: ClassVar[str] = "cli"

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="api_clients")
    service_user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="api_client")
    account = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="successors"
    )
    client_id = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=80)
    is_active = models.BooleanField(default=True)
    networks = models.JSONField(default=list, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="client_account_another",
                condition=Q(account__isnull=True) | ~Q(account=F("id")),
            ),
            models.UniqueConstraint(name="client_of_partner", fields=["id", "partner"]),
        ]

    @property
    def account_key(self) -> UUID:
        """Return what stays when secrets rotate: the key of the account's first client."""
        return self.account_id or self.pk

    def __str__(self) -> str:
        """Show the name."""
        return self.name


class Letter(models.Model):
    """One event a partner is owed, left in the transaction of what it tells.

    Read in the order (xact, id) up to the horizon: a later commit never hides
    behind an earlier id.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    book_id = models.UUIDField()
    type = models.CharField(max_length=60)
    payload = models.JSONField()
    trace_id = models.CharField(max_length=32)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    xact = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(name="letter_by_book", fields=["book_id", "xact", "id"])]

    @property
    def public_id(self) -> str:
        """Return the TypeID shown outside."""
        return typeid("evt", self.id)
