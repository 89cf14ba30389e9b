"""The providers' door."""

from django.urls import path

from config import api
from config.health import live, ready
from integrations.api.callbacks import take_callback

handler400 = api.bad_request
handler403 = api.forbidden
handler404 = api.missing
handler500 = api.broken

urlpatterns = [
    path("callbacks/<slug:provider>/<slug:endpoint>", take_callback),
    path("health/live", live),
    path("health/ready", ready),
]
