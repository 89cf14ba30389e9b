"""The pages of this app in the staff's admin."""
