"""What a watcher outside may ask."""

from django.http import JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from tasks.health import check_health


@never_cache
@require_GET
def healthz(request):
    """200 when everything runs, 503 when something does not; the same short JSON either way."""
    health = check_health(timezone.now())
    response = JsonResponse(
        {"ok": health.is_healthy, "checks": health.checks},
        status=200 if health.is_healthy else 503,
    )
    # The watcher asks every minute; a red answer is its news, not an error of this request.
    response._has_been_logged = True
    return response
