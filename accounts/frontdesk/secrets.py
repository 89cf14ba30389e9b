"""The hash of API clients' secrets: random, so one SHA-256 is enough and costs no CPU."""

import hmac
from hashlib import sha256
from typing import Any

from django.contrib.auth.hashers import BasePasswordHasher


class ClientSecretHasher(BasePasswordHasher):
    """`client$<sha256 hex>`, for secrets of 256 random bits only; people use argon2."""

    algorithm = "client"

    def salt(self) -> str:
        """Return nothing: a random secret needs no salt."""
        return ""

    def encode(self, password: str, salt: str) -> str:
        """Return the stored form of a secret."""
        del salt
        return f"{self.algorithm}${sha256(password.encode()).hexdigest()}"

    def verify(self, password: str, encoded: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self.encode(password, ""), encoded)

    def safe_summary(self, encoded: str) -> dict[Any, Any]:
        """Say only which algorithm it is."""
        return {"algorithm": encoded.partition("$")[0]}

    def must_update(self, encoded: str) -> bool:
        """Never rewrite: there is nothing to strengthen."""
        del encoded
        return False

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Do nothing: there is no work factor to even out."""
