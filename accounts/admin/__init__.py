"""The pages of this app in the staff's admin."""

from accounts.admin.customers import CustomerPage
from accounts.admin.keys import IdempotencyKeyPage
from accounts.admin.partners import PartnerPage

__all__ = ["CustomerPage", "IdempotencyKeyPage", "PartnerPage"]
