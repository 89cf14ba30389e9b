"""The application that the web server runs; DJANGO_SETTINGS_MODULE says which process it is."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
