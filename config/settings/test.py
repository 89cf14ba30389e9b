"""For the test suite: all apps, on the servers of `python -m config.sandbox test`."""

import json
import os

from config.sandbox.keys import stand_ins

# Each of several workers that share the suite has servers of its own: see config.sandbox.testing.
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ.update(json.loads(os.environ.pop("HELD_BY_WORKER", "{}")).get(worker, {}))
# The type checker and `--help` read this file where no server runs; a test run has brought it all.
for name, value in stand_ins().items():
    os.environ.setdefault(name, value)

from config.settings.everything import *  # noqa: E402

ALLOWED_HOSTS = [*ALLOWED_HOSTS, "testserver"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
FAILPOINTS = True
# Fast where a password only has to be one; the stored forms of the others still read.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
