"""The providers' door. Holds: its login, callback secrets, the inbox key's public half."""

from config import env
from config.settings.base import *

ENV = env.read("callbacks")
SECRET_KEY = ENV.secret_key
ALLOWED_HOSTS = list(ENV.allowed_hosts)
# A thread a connection: the insert itself tells whether it was cut meanwhile (services/inbox).
DATABASES = database(ENV.database_url, pool=False, keep_seconds=None, is_checked=False)
DOORBELL_URL = ENV.redis_url
CALLBACK_SECRETS = ENV.callback_secrets
INBOX_PUBLIC_KEY = ENV.inbox_public_key

ROOT_URLCONF = "config.urls.callbacks"
INSTALLED_APPS = list(FLOOR_APPS)
MIDDLEWARE = [
    "config.middleware.CircumstancesMiddleware",
    "config.middleware.BodyLimitMiddleware",
    "django.middleware.security.SecurityMiddleware",
]
AUTHENTICATION_BACKENDS = ["guardian.backends.ObjectPermissionBackend"]
APPEND_SLASH = False
