"""What is true in every process. Keys, database login and URLs are each process's own."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

BASE_DIR = Path(__file__).resolve().parents[2]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
SITE_NAME = "Countersign"

# Commands own their transactions; nothing else may open one round a request.
ATOMIC_REQUESTS = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
STATEMENT_TIMEOUT_MS = 5_000
LOCK_TIMEOUT_MS = 3_000
POOL_CONNECTIONS_MAX = 8
# How long a caller waits for a connection before it hears 503, and how long the pool goes on
# trying by itself: with its own five minutes it would pause longer and longer, and sleep through
# the database's return. After that the next caller makes it try.
POOL_SECONDS_MAX = 2

SIMPLE_HISTORY_ENABLED = False  # versions are written by a row trigger: see audit/sql/0001_log
FAILPOINTS = False
OUTBOUND_LOOPBACK: tuple[str, ...] = ()
ANONYMOUS_USER_NAME = None  # guardian must not create a user behind the witness's back
GUARDIAN_RAISE_403 = False
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "accounts.frontdesk.secrets.ClientSecretHasher",
]

# What every process knows of: our four apps and what their tables lean on.
FLOOR_APPS = [
    "config.apps.ConfigConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "guardian",
    "simple_history",
    "audit",
    "accounts",
    "transactions",
    "integrations",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
STATIC_URL = "static/"

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "config.logging.JsonFormatter"}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stdout"], "level": "INFO"},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "ERROR"},
        "httpx": {"level": "WARNING"},
    },
}


def database(
    url: str, *, pool: bool = True, keep_seconds: int | None = 0, is_checked: bool = True
) -> dict[str, dict[str, Any]]:
    """Return DATABASES for a postgresql:// address, with time limits and a small pool.

    Without a pool a thread keeps its connection for `keep_seconds`, None for ever. Unless
    `is_checked`, nobody asks whether it still stands before it is used again.
    """
    at = urlsplit(url)
    options: dict[str, Any] = {
        "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS}"
        " -c idle_in_transaction_session_timeout=30000",
    }
    if pool:
        options["pool"] = {
            "min_size": 1,
            "max_size": POOL_CONNECTIONS_MAX,
            "timeout": POOL_SECONDS_MAX,
            "reconnect_timeout": POOL_SECONDS_MAX,
        }
    else:  # the pool's patience, without one: a server that vanished must not hold a thread
        options["connect_timeout"] = POOL_SECONDS_MAX
        options["tcp_user_timeout"] = POOL_SECONDS_MAX * 1_000
    return {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": at.path.lstrip("/"),
            "USER": unquote(at.username or ""),
            "PASSWORD": unquote(at.password or ""),
            "HOST": at.hostname or "",
            "PORT": str(at.port or 5432),
            "CONN_MAX_AGE": keep_seconds,
            "CONN_HEALTH_CHECKS": is_checked,
            "OPTIONS": options,
        }
    }


def shared_cache(url: str) -> dict[str, dict[str, Any]]:
    """Return CACHES on Redis: rate limits and used codes must be shared by all processes."""
    return {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}}
