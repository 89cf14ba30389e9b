"""The pages of this app in the staff's admin."""

from integrations.admin.callbacks import CallbackPage
from integrations.admin.dispatches import DispatchPage

__all__ = ["CallbackPage", "DispatchPage"]
