"""Whether a web process is alive, and whether it can do its work. No detail for strangers."""

from django.conf import settings
from django.core.cache import cache
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import Redis
from redis.exceptions import RedisError

REDIS_SECONDS_MAX = 2


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as the process answers at all."""
    del request
    return JsonResponse({"status": "live"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when database and Redis answer, 503 with the name of the one that does not."""
    del request
    checks = {"database": _database_answers(), "redis": _redis_answers()}
    is_ready = all(checks.values())
    body = {"status": "ready" if is_ready else "not ready", **checks}
    return JsonResponse(body, status=200 if is_ready else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def _redis_answers() -> bool:
    """Ask the shared cache where there is one, else the doorbell; True where neither is used."""
    try:
        if "redis" in settings.CACHES["default"]["BACKEND"]:
            cache.get("health")
        elif url := getattr(settings, "DOORBELL_URL", ""):
            with Redis.from_url(url, socket_timeout=REDIS_SECONDS_MAX) as bell:
                bell.ping()
    except RedisError:
        return False
    return True
