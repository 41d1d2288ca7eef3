"""Help between bodies: the page of one request, for both bodies and the office."""

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from supervision.models import Assignment, HelpRequest
from supervision.services.settings import working_calendar
from supervision.views.acts import Offer, run_act
from supervision.views.assignment_acts import FAMILIES
from supervision.views.base import local_today, next_page
from supervision.views.body import due_words


def _found(request, uid) -> HelpRequest:
    rows = HelpRequest.objects.visible_to(request.user).select_related(
        "assignment__item", "assignment__organization", "organization", "asked_by", "answered_by"
    )
    return get_object_or_404(rows, uid=uid)


@login_required
@require_safe
def help_request(request, uid):
    """What one body asks of another, and the answer."""
    return _page(request, _found(request, uid))


@login_required
@require_POST
def help_act(request, uid, act):
    row = _found(request, uid)
    if act not in FAMILIES["help"]:
        raise Http404
    return run_act(
        request,
        FAMILIES["help"][act],
        row,
        shown=lambda form: _page(request, row, bound=(act, form)),
        finished=lambda: redirect(next_page(request) or row.get_absolute_url()),
    )


def _page(request, row: HelpRequest, bound=None):
    user, today = request.user, local_today()
    offers = []
    for code, act in FAMILIES["help"].items():
        is_bound = bound is not None and bound[0] == code
        if not is_bound and not act.is_offered(row, user):
            continue
        form = bound[1] if is_bound else act.form(row=row, user=user, auto_id=f"id_{code}_%s")
        action = reverse("supervision:help_act", args=[row.uid, code])
        offers.append(Offer(code, act, form, action, is_open=is_bound))
    light, words = due_words(row.due_date, today, working_calendar())
    sees_share = Assignment.objects.visible_to(user).filter(pk=row.assignment_id).exists()
    context = {
        "help": row,
        "item": row.assignment.item,
        "offers": offers,
        "is_open": row.status == HelpRequest.Status.ASKED,
        "code": light,
        "words": words,
        "share_url": row.assignment.get_absolute_url() if sees_share else "",
        "title": _("%(asker)s asks %(asked)s for help")
        % {"asker": row.assignment.organization, "asked": row.organization},
    }
    return render(request, "desk/assignments/help.html", context)
