"""The application that granian serves for a peer; PEER_URLS says which."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
