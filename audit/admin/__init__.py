"""The pages of this app in the staff's admin."""

from audit.admin.entries import EntryPage

__all__ = ["EntryPage"]
