"""For manage.py beside a running sandbox: all apps, as the migrator, nothing to export."""

from config import env

env.enter_sandbox("console")  # before the settings below read it

from config.settings.everything import *  # noqa: E402
