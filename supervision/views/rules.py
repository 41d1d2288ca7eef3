"""The office's own rules: what holds, and changing it after a preview."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from supervision import permissions
from supervision.forms.rules import (
    WARNING_LIGHTS,
    LimitsForm,
    SchemeForm,
    StartForm,
    StepFormSet,
)
from supervision.models import LightSchemeRow, SupervisionItem, TimeLimit
from supervision.rules.lights import SHIP_SCHEME, scheme_problems
from supervision.rules.reasons import describe
from supervision.services import office_rules as services
from supervision.services.settings import read_start_levels, scheme_from
from supervision.views.base import local_today, perform
from supervision.views.navigation import Link

COLOUR_WORDS = dict(WARNING_LIGHTS)
PREVIEWED = "supervision.previewed"


def _crumbs(*links: Link) -> list[Link]:
    return [
        Link(_("Home"), "/desk/"),
        Link(_("Rules and settings"), reverse("supervision:settings")),
        *links,
    ]


def _see(user) -> None:
    if not permissions.sees_rules(user):
        raise PermissionDenied


def _mark(request, stamp: str) -> str:
    """A signed note that just these values were previewed by just this person."""
    posted = sorted(
        (name, request.POST.getlist(name))
        for name in request.POST
        if name not in {"csrfmiddlewaretoken", "act", "previewed"}
    )
    return signing.dumps([request.user.pk, stamp, posted], salt=PREVIEWED)


def _is_previewed(request, stamp: str) -> bool:
    """Whether what is posted now is what was previewed against the rules as they still are."""
    note = request.POST.get("previewed", "")
    try:
        seen = signing.loads(note, salt=PREVIEWED, max_age=3600)
        now = signing.loads(_mark(request, stamp), salt=PREVIEWED)
    except signing.BadSignature:
        return False
    return seen == now


@login_required
@require_safe
def settings(request):
    """What the office may set for itself."""
    _see(request.user)
    context = {
        "can_change": permissions.can_change_rules(request.user),
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Rules and settings"))],
        "steps": [row for row in services.stored_steps() if row.is_active],
        "limits": TimeLimit.objects.count(),
        "schemes": LightSchemeRow.objects.count(),
        "sees_letters": permissions.sees_letter_templates(request.user),
    }
    return render(request, "desk/settings/settings.html", context)


# The ladder


def _step_values(row) -> dict:
    return {name: getattr(row, name) for name in (*services.STEP_FIELDS, "code")}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def ladder(request):
    """The ladder: show it, try a change, put it into use."""
    _see(request.user)
    can_change = permissions.can_change_rules(request.user)
    stamp = services.ladder_stamp()
    rows = services.stored_steps()
    preview, problems, previewed = None, [], ""
    initial = [_step_values(row) for row in rows]
    if request.method == "POST":
        if not can_change:
            raise PermissionDenied
        formset = StepFormSet(request.POST, initial=initial)
        starts = StartForm(request.POST, prefix="start")
        # Both are asked, so that every problem shows at once.
        if all([formset.is_valid(), starts.is_valid()]):
            steps, start_levels = formset.steps(), starts.start_levels()
            problems = services.check_ladder(steps)
            if not problems and request.POST.get("act") == "apply":
                if not _is_previewed(request, stamp):
                    messages.error(
                        request,
                        _("Look at what the change would do first; it was tried again for you."),
                    )
                elif perform(
                    request,
                    lambda: services.change_ladder(
                        steps=steps,
                        start_levels=start_levels,
                        by=request.user,
                        at=timezone.now(),
                        stamp=stamp,
                    ),
                    done=_("The new ladder counts from today."),
                ):
                    return redirect("supervision:ladder")
            if not problems:
                preview = services.preview_ladder(steps, start_levels, today=local_today())
                previewed = _mark(request, stamp)
    else:
        formset = StepFormSet(initial=initial)
        found = read_start_levels()
        starts = StartForm(
            prefix="start",
            initial={value: found.get(value, 1) for value in SupervisionItem.Urgency.values},
        )
    for form, row in zip(formset.forms, rows, strict=False):
        form.step = row
    context = {
        "crumbs": _crumbs(Link(_("Ladder"))),
        "can_change": can_change,
        "rows": rows,
        "formset": formset,
        "starts": starts,
        "problems": problems,
        "preview": preview,
        "previewed": previewed,
        "reached": sum(row.reached for row in preview or []),
        "passed_over": sum(row.passed_over for row in preview or []),
    }
    return render(request, "desk/settings/ladder.html", context)


# The limits


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def limits(request):
    """How long everything may take; a change holds for what begins from now on."""
    _see(request.user)
    can_change = permissions.can_change_rules(request.user)
    rows = list(TimeLimit.objects.order_by("code", "urgency"))
    form = LimitsForm(rows, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if not can_change:
            raise PermissionDenied
        if form.is_valid() and perform(
            request,
            lambda: services.change_limits(
                values=form.values(), by=request.user, at=timezone.now()
            ),
            done=_("The limits were changed. Days that already run stay as they are."),
        ):
            return redirect("supervision:limits")
    context = {"crumbs": _crumbs(Link(_("Limits"))), "can_change": can_change, "form": form}
    return render(request, "desk/settings/limits.html", context)


# The lights


@login_required
@require_safe
def lights(request):
    """The schemes of lights, the usual one first."""
    _see(request.user)
    rows = list(LightSchemeRow.objects.order_by("-is_default", "name", "pk"))
    for row in rows:
        row.scheme = scheme_from(row.params)
        row.overdue = [
            (day, light.value, COLOUR_WORDS[light.value]) for day, light in row.scheme.overdue_steps
        ]
        row.gaps = [(step, COLOUR_WORDS[step.light.value]) for step in row.scheme.gap_steps]
    context = {
        "crumbs": _crumbs(Link(_("Lights"))),
        "can_change": permissions.can_change_rules(request.user),
        "rows": rows,
    }
    return render(request, "desk/settings/lights.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def light_scheme(request, code):
    """One scheme: show it, try a change, put it into use. “new” makes another one."""
    _see(request.user)
    can_change = permissions.can_change_rules(request.user)
    row = LightSchemeRow.objects.filter(code=code).first()
    if row is None and (code != "new" or not can_change):
        raise Http404
    stamp = services.scheme_stamp(row)
    preview, problems, previewed = None, [], ""
    if request.method == "POST":
        if not can_change:
            raise PermissionDenied
        form = SchemeForm(request.POST)
        if form.is_valid():
            scheme = form.scheme()
            is_default = form.cleaned_data["is_default"]
            problems = [describe(problem) for problem in scheme_problems(scheme)]
            if not problems and request.POST.get("act") == "apply":
                if not _is_previewed(request, stamp):
                    messages.error(
                        request,
                        _("Look at what the change would do first; it was tried again for you."),
                    )
                elif perform(
                    request,
                    lambda: services.change_scheme(
                        row=row,
                        code=row.code if row else _free_code(),
                        name=form.cleaned_data["name"],
                        scheme=scheme,
                        is_default=is_default,
                        by=request.user,
                        at=timezone.now(),
                        stamp=stamp,
                    ),
                    done=_("The scheme of lights counts from now on."),
                ):
                    return redirect("supervision:lights")
            if not problems:
                preview = services.preview_scheme(
                    scheme, row=row, is_default=is_default, today=local_today()
                )
                previewed = _mark(request, stamp)
    else:
        scheme = scheme_from(row.params) if row else SHIP_SCHEME
        form = SchemeForm(initial=SchemeForm.initial_of(row, scheme))
    context = {
        "crumbs": _crumbs(
            Link(_("Lights"), reverse("supervision:lights")),
            Link(row.name if row else _("New scheme")),
        ),
        "can_change": can_change,
        "row": row,
        "form": form,
        "problems": problems,
        "preview": preview,
        "previewed": previewed,
    }
    return render(request, "desk/settings/light_scheme.html", context)


def _free_code() -> str:
    taken = set(LightSchemeRow.objects.values_list("code", flat=True))
    number = len(taken) + 1
    while f"scheme-{number}" in taken:
        number += 1
    return f"scheme-{number}"
