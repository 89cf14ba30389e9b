"""Portfolios: the containers that object-level permissions are granted on."""

from typing import ClassVar

from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from accounts.models.partners import Partner
from audit.history import Guarded


class Portfolio(Guarded):
    """A group of a partner's customers and accounts that one team looks after."""

    prefix: ClassVar[str] = "pfo"

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="portfolios")
    book_id = models.UUIDField(db_index=True)
    name = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="portfolio_name_once", fields=["partner", "name"]),
        ]

    def __str__(self) -> str:
        """Show the name."""
        return self.name


class PortfolioUserPerm(UserObjectPermissionBase):
    """A grant on one portfolio to one login."""

    content_object = models.ForeignKey(Portfolio, on_delete=models.PROTECT)


class PortfolioGroupPerm(GroupObjectPermissionBase):
    """A grant on one portfolio to one team."""

    content_object = models.ForeignKey(Portfolio, on_delete=models.PROTECT)
