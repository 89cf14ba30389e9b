"""Every key and password of a sandbox, derived from its one secret, so that none is kept twice."""

import hmac
import os
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256

from nacl.public import PrivateKey


@dataclass(frozen=True, slots=True)
class Keys:
    """Derives by name: the same name always gives the same value, and no value gives another."""

    secret: bytes

    def raw(self, name: str) -> bytes:
        """Return 32 bytes for `name`."""
        return hmac.digest(self.secret, f"countersign {name}".encode(), sha256)

    def key(self, name: str) -> str:
        """Return a key as every process expects one: url-safe base64 of 32 bytes."""
        return urlsafe_b64encode(self.raw(name)).decode()

    def password(self, login: str) -> str:
        """Return a database login's password; it needs no quoting in an address."""
        return self.raw(f"password {login}").hex()

    def webhook_secret(self, endpoint: str) -> str:
        """Return a signing secret in the form that Stripe and Standard Webhooks share."""
        return "whsec_" + b64encode(self.raw(f"webhook {endpoint}")).decode()

    def inbox_pair(self) -> tuple[str, str]:
        """Return the inbox's public and private key."""
        private = PrivateKey(self.raw("inbox"))
        return (
            urlsafe_b64encode(bytes(private.public_key)).decode(),
            urlsafe_b64encode(bytes(private)).decode(),
        )


def stand_ins() -> dict[str, str]:
    """Return an environment that is well formed and leads nowhere."""
    keys = Keys(os.urandom(32))
    named = {"MFA_KEY", "VAULT_KEY", "ANSWER_KEY", "INBOX_PUBLIC_KEY", "INBOX_PRIVATE_KEY"}
    return {name: keys.key(name) for name in named | {"DERIVATION_KEY"}} | {
        "DATABASE_URL": "postgresql://nobody:nowhere@127.0.0.1:1/nothing",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": keys.raw("SECRET_KEY").hex(),
        "ALLOWED_HOSTS": "localhost",
        "CALLBACK_SECRETS": "{}",
        "STRIPE_API_URL": "http://127.0.0.1:1",
        "STRIPE_API_KEY": "sk_test_nothing",
        "TESTBANK_URL": "http://127.0.0.1:1",
        "TESTBANK_TOKEN": "nothing",
    }
