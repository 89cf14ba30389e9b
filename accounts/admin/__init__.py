"""The pages of this app in the staff's admin."""

from accounts.admin.customers import CustomerPage
from accounts.admin.keys import IdempotencyKeyPage

__all__ = ["CustomerPage", "IdempotencyKeyPage"]
