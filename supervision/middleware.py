"""Headers on every answer (no inline script or style), and who stands in for whom."""

from django.contrib import messages
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from supervision.models import Delegation
from supervision.read_once import reading

STRICT = (
    "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# Wagtail's and Django's admin carry inline style and script of their own.
ADMIN = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline'; font-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'self'; frame-src 'self'; frame-ancestors 'self'"
)
PERMISSIONS = "camera=(), geolocation=(), microphone=()"


class SecurityHeadersMiddleware:
    """Content-Security-Policy by area, and `no-store` on everything behind the sign-in."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        is_admin = request.path.startswith(("/cms/", "/admin/"))
        response.headers.setdefault("Content-Security-Policy", ADMIN if is_admin else STRICT)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=()"
        )
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if is_admin:
            # The editor's preview is a frame of the same site.
            response.headers["X-Frame-Options"] = "SAMEORIGIN"
        if is_admin or request.path.startswith("/desk/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


STANDS_IN = "stands_in"
# What belongs to the person and not to the duty: nobody does it for another.
PERSONAL = frozenset(
    {
        "supervision:password",
        "supervision:deputies",
        "supervision:deputy_end",
        "supervision:stand_in",
        "supervision:calendar_feed",
        "supervision:handovers",
        "supervision:handover_act",
        "supervision:saved_views",
        "supervision:saved_view_act",
        "notifications:preferences",
    }
)


class StandInMiddleware:
    """While A stands in for B, the desk sees B, with A as `request.user.deputy`.

    Asked anew at each request: what B may no longer see, A does not see either, and the last day
    ends it. Only on the desk; the admins' pages know no deputies.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path.startswith("/desk/") and STANDS_IN in request.session:
            self._stand_in(request)
        return self.get_response(request)

    def _stand_in(self, request) -> None:
        delegation = (
            Delegation.objects.active_on(timezone.localdate())
            .filter(pk=request.session[STANDS_IN], deputy=request.user.pk, user__is_active=True)
            .select_related("user__organization")
            .first()
        )
        if delegation is None:
            del request.session[STANDS_IN]
            messages.warning(
                request, _("Standing in has ended; you act for yourself again from here on.")
            )
            return
        person = delegation.user
        person.deputy = request.user
        person.is_in_demonstration = getattr(request.user, "is_in_demonstration", None)
        request.user = person
        request.stands_in = True

    def process_view(self, request, view_func, view_args, view_kwargs):
        # Not asked of `request.user`: that would read the session on every public page.
        is_standing_in = getattr(request, "stands_in", False)
        if not is_standing_in or request.resolver_match.view_name not in PERSONAL:
            return None
        messages.warning(
            request,
            _("This belongs to the person alone. Stop standing in first, then it is your own."),
        )
        return redirect("supervision:home")


class ReadOnceMiddleware:
    """A page of the desk that only reads asks for the office's settings once."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method in ("GET", "HEAD") and request.path.startswith("/desk/"):
            with reading():
                return self.get_response(request)
        return self.get_response(request)
