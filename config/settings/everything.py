"""All processes in one: for manage.py and the test suite. No process that serves runs this."""

from config import env
from config.settings import admin, api
from config.settings.worker import *

from config.settings.callbacks import *  # isort: skip
from config.settings.api import *  # isort: skip
from config.settings.admin import *  # isort: skip

ENV = env.read("console")
SECRET_KEY = ENV.secret_key
DATABASES = database(ENV.database_url, pool=False)
INSTALLED_APPS = list(dict.fromkeys([*admin.INSTALLED_APPS, *api.INSTALLED_APPS]))
