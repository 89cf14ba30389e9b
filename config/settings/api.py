"""The partners' API. Holds: its login, the key of stored answers, the vault's key (payees)."""

from config import env
from config.settings.base import *

ENV = env.read("api")
SECRET_KEY = ENV.secret_key
ALLOWED_HOSTS = list(ENV.allowed_hosts)
DATABASES = database(ENV.database_url)
CACHES = shared_cache(ENV.redis_url)
DOORBELL_URL = ENV.redis_url
ANSWER_KEY = ENV.answer_key
VAULT_KEY = ENV.vault_key
WRITES_PER_SECOND = ENV.writes_per_second

ROOT_URLCONF = "config.urls.api"
INSTALLED_APPS = [
    "allauth",
    "allauth.account",
    "allauth.idp.oidc",
    "rest_framework",
    "drf_spectacular",
    "django_filters",
    *FLOOR_APPS,
]
MIDDLEWARE = [
    "config.middleware.CircumstancesMiddleware",
    "config.middleware.BodyLimitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
AUTHENTICATION_BACKENDS = ["guardian.backends.ObjectPermissionBackend"]
APPEND_SLASH = False

REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "config.api.answer",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.frontdesk.authentication.ClientCredentialsAuthentication"
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.frontdesk.authentication.IsKnown"],
    "DEFAULT_PARSER_CLASSES": ["accounts.frontdesk.parsing.ExactJsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "config.openapi.Schema",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Countersign partner API",
    "DESCRIPTION": "Transfers with idempotency keys, balances and events.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/v1",
    "ENUM_NAME_OVERRIDES": {},
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 3600
IDP_OIDC_ADAPTER = "accounts.frontdesk.oauth.PartnerOAuthAdapter"
