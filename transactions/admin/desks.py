"""What a page that asks for something needs of the list it hangs in."""

from typing import Any, Protocol

from django.http import HttpRequest

from audit.actors import Actor


class Desk(Protocol):
    """A page of the staff's admin, as the forms that hang in it see it."""

    admin_site: Any
    model: Any

    def officer(self, request: HttpRequest) -> Actor:
        """Return who is asking."""
        ...

    def message_user(  # noqa: PLR0917 - Django's signature
        self, request: HttpRequest, message: str, level: int
    ) -> None:
        """Say something on the next page."""
        ...
