"""Django's command line. Beside a running sandbox nothing needs to be exported."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.sandbox")
    execute_from_command_line(sys.argv)
