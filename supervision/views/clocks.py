"""Lateness by the desk it lay on: the office's own line first, then the bodies."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from supervision import permissions
from supervision.clocks import read_clocks
from supervision.views.base import local_today
from supervision.views.navigation import Link


@login_required
@require_safe
def clocks(request):
    """What waits now and the facts of a year (`?year=`), desk by desk."""
    user, today = request.user, local_today()
    if not permissions.sees_clocks(user):
        raise PermissionDenied
    asked = request.GET.get("year", "")
    # What no calendar holds is read as this year.
    is_year = asked.isascii() and asked.isdecimal() and len(asked) == 4 and int(asked) >= 2000
    year = int(asked) if is_year and int(asked) <= today.year else today.year
    found = read_clocks(user, today=today, year=year)
    context = {
        "today": today,
        "year": year,
        "clocks": found,
        "sees_all": permissions.sees_all_items(user),
        "year_chips": [
            Link(label=str(one), url=f"?year={one}", is_active=one == year) for one in found.years
        ],
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Lateness by desk"))],
    }
    return render(request, "desk/clocks.html", context)
