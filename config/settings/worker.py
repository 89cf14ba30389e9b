"""Workers and beat. Hold: their login, the inbox's private key, providers' credentials."""

from config import env
from config.settings.base import *

ENV = env.read("worker")
SECRET_KEY = ENV.secret_key
ALLOWED_HOSTS: list[str] = []
# A pool does not survive the worker's fork; a connection made after it does, from task to task.
DATABASES = database(ENV.database_url, pool=False, keep_seconds=60)
DOORBELL_URL = ENV.redis_url
INBOX_PRIVATE_KEY = ENV.inbox_private_key
DERIVATION_KEY = ENV.derivation_key
VAULT_KEY = ENV.vault_key
STRIPE_API_URL = ENV.stripe_api_url
STRIPE_API_KEY = ENV.stripe_api_key
TESTBANK_URL = ENV.testbank_url
TESTBANK_TOKEN = ENV.testbank_token
OUTBOUND_LOOPBACK = ENV.outbound_loopback
FAILPOINTS = bool(ENV.outbound_loopback)  # a place that may call itself is a sandbox

INSTALLED_APPS = list(FLOOR_APPS)
AUTHENTICATION_BACKENDS = ["guardian.backends.ObjectPermissionBackend"]
