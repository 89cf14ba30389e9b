"""The people of the sign-in tests."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.core.cache import cache

from accounts.roles import Role
from tests.staff import Member, invite


@pytest.fixture
def ada(transactional_db: None, as_role: Callable[[str], AbstractContextManager[None]]) -> Member:
    """A compliance officer with an authenticator."""
    cache.clear()
    with as_role("migrator"):
        return invite(Role.COMPLIANCE_OFFICER)


@pytest.fixture
def eve(transactional_db: None, as_role: Callable[[str], AbstractContextManager[None]]) -> Member:
    """An auditor invited this morning, without an authenticator yet."""
    cache.clear()
    with as_role("migrator"):
        return invite(Role.AUDITOR, name="Eve Novak", enrolled=False)
