"""Every table of this app, re-exported for Django and for other apps."""

from accounts.models.accounts import Account, Freeze
from accounts.models.approvals import Approval, Decision
from accounts.models.customers import Customer, VaultRecord
from accounts.models.idempotency import IdempotencyKey
from accounts.models.partners import ApiClient, Letter, Partner
from accounts.models.portfolios import Portfolio, PortfolioGroupPerm, PortfolioUserPerm
from accounts.models.staff import Person, RoleGrant, User

__all__ = [
    "Account",
    "ApiClient",
    "Approval",
    "Customer",
    "Decision",
    "Freeze",
    "IdempotencyKey",
    "Letter",
    "Partner",
    "Person",
    "Portfolio",
    "PortfolioGroupPerm",
    "PortfolioUserPerm",
    "RoleGrant",
    "User",
    "VaultRecord",
]
