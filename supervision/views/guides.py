"""One printable page for each duty: what to press, in the order of a working day."""

from functools import cache
from pathlib import Path

import yaml
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from supervision.views.navigation import Link

GUIDES_FILE = Path(__file__).parents[1] / "data" / "guides.yaml"


@cache
def read_guides() -> dict[str, dict]:
    """The guides by duty: title, intro, picture, steps, help."""
    return yaml.safe_load(GUIDES_FILE.read_text(encoding="utf-8"))


def guide_of(user) -> str:
    """Whose guide somebody reads first."""
    if user.is_office:
        return "officer"
    return "liaison" if user.is_body else "leader"


@login_required
@require_safe
def guides(request):
    return redirect("supervision:guide", duty=guide_of(request.user))


@login_required
@require_safe
def guide(request, duty: str):
    """One guide; links lead to the others."""
    known = read_guides()
    if duty not in known:
        raise Http404
    context = {
        "duty": duty,
        "guide": known[duty],
        "others": [(code, other["title"]) for code, other in known.items() if code != duty],
        "picture": f"supervision/guides/{known[duty]['picture']}.png",
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Guides")), Link(known[duty]["title"])],
    }
    return render(request, "desk/guides/guide.html", context)
