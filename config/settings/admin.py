"""The staff's admin. Holds: its login, the key of seeds and sessions, the vault's key (payees)."""

from config import env
from config.settings.base import *
from config.settings.signin import *
from config.settings.unfold import *

ENV = env.read("admin")
SECRET_KEY = ENV.secret_key
ALLOWED_HOSTS = list(ENV.allowed_hosts)
DATABASES = database(ENV.database_url)
CACHES = shared_cache(ENV.redis_url)
DOORBELL_URL = ENV.redis_url
MFA_KEY = ENV.mfa_key
VAULT_KEY = ENV.vault_key

ROOT_URLCONF = "config.urls.admin"
INSTALLED_APPS = [*SIGNIN_APPS, *FLOOR_APPS]

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = secured(ALLOWED_HOSTS)
if SESSION_COOKIE_SECURE:
    # The proxy in front ends TLS; it must set this header itself and drop a visitor's.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
