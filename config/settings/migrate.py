"""The migration job of a deployment: every table, the migrator's login, no other key."""

from config import env
from config.settings.base import *
from config.settings.signin import SIGNIN_APPS

ENV = env.read("migrate")
SECRET_KEY = ENV.secret_key
DATABASES = database(ENV.database_url, pool=False)
INSTALLED_APPS = [*SIGNIN_APPS, "allauth.idp.oidc", *FLOOR_APPS]
