"""One script a question; `make bench` runs them on a server that keeps its word (fsync on)."""

import django

django.setup()
