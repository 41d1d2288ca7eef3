"""The calendar of deadlines: the feed itself, and the page on which its address is made."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from supervision.models import CalendarToken
from supervision.rules.ical import calendar_text
from supervision.services.feeds import deadlines_of, make_token, owner_of, revoke_token
from supervision.views.base import local_today, perform


@require_safe
def calendar_ics(request, token):
    """The deadlines of the token's owner, without a session; 404 for any other token."""
    user = owner_of(token)
    if user is None:
        raise Http404
    text = calendar_text(
        _("Supervision deadlines"),
        deadlines_of(user, today=local_today()),
        at=timezone.now(),
        zone=settings.TIME_ZONE,
    )
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="deadlines.ics"'
    response["Referrer-Policy"] = "no-referrer"
    return response


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def calendar_feed(request):
    """Make the address of one's calendar, see it once, revoke it."""
    address = ""
    if request.method == "POST":
        now = timezone.now()
        if request.POST.get("act") == "revoke":
            perform(
                request,
                lambda: revoke_token(user=request.user, at=now),
                done=_("The address no longer works."),
            )
            return redirect("supervision:calendar_feed")
        token = perform(
            request,
            lambda: make_token(user=request.user, at=now),
            done=_("The address was made. Copy it now: it is shown this once."),
        )
        if token:
            path = reverse("supervision:calendar_ics", args=[token])
            address = request.build_absolute_uri(path)
    row = CalendarToken.objects.filter(user=request.user, revoked_at=None).first()
    return render(request, "desk/account/calendar.html", {"row": row, "address": address})
