"""One return with its versions, and what can be done with it."""

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from supervision import permissions
from supervision.forms import body as forms
from supervision.history import entries, with_related
from supervision.models import (
    Assignment,
    Attachment,
    ProgressReport,
)
from supervision.services import reports as services
from supervision.views.acts import Act, Offer, in_state, run_act, versioned
from supervision.views.assignments import (
    files_of,
    return_url,
    seen_from_outside,
)

Status = ProgressReport.Status


def _verify(*, row, by, at, form):
    return services.approve_report(
        report=row, by=by, at=at, version=form.cleaned_data["version"], **form.values
    )


ACTS: dict[str, Act] = {
    "release": Act(
        gettext_lazy("Sign off and file"),
        versioned(services.submit_report, "report"),
        permissions.can_sign_report,
        lambda row: row.status == Status.UNDER_SIGN_OFF,
        gettext_lazy("The return was filed in the name of your body."),
        tone="primary",
    ),
    "refuse": Act(
        gettext_lazy("Hand back to the writer"),
        versioned(services.refuse_sign_off, "report"),
        permissions.can_sign_report,
        in_state("refuse_sign_off"),
        gettext_lazy("The return was handed back to its writer."),
        forms.ReasonForm,
    ),
    "ask": Act(
        gettext_lazy("Hand to the head"),
        versioned(services.ask_sign_off, "report"),
        permissions.can_write_report,
        in_state("ask_sign_off"),
        gettext_lazy("The return was handed to the head of your body."),
    ),
    "approve": Act(
        gettext_lazy("Accept the return"),
        _verify,
        permissions.can_review_report,
        in_state("approve"),
        gettext_lazy("The return was accepted."),
        forms.VerifyForm,
        tone="primary",
        intro=gettext_lazy("Leave the percentage empty if you have not verified it yourself."),
    ),
    "send_back": Act(
        gettext_lazy("Send the return back"),
        versioned(services.send_back_report, "report"),
        permissions.can_review_report,
        in_state("send_back"),
        gettext_lazy("The return was sent back."),
        forms.SendBackForm,
        intro=gettext_lazy("Your reason is shown to the body; what it handed in stays on record."),
    ),
}


def _report(request, uid) -> ProgressReport:
    rows = ProgressReport.objects.visible_to(request.user).select_related(
        "period__assignment__item__clause",
        "period__assignment__organization",
        "filled_by",
        "signed_by",
        "reviewed_by",
    )
    return get_object_or_404(rows, uid=uid)


@login_required
@require_POST
def report_act(request, uid, act):
    row = _report(request, uid)
    if act not in ACTS:
        raise Http404
    return run_act(
        request,
        ACTS[act],
        row,
        shown=lambda form: _report_page(request, uid, bound=(act, form)),
        finished=lambda: redirect(row),
    )


@login_required
@require_safe
def report(request, uid):
    """One return: what it says, what it said before, who said what about it."""
    return _report_page(request, uid)


def _report_page(request, uid, bound=None):
    user = request.user
    row = _report(request, uid)
    assignment = row.period.assignment
    is_own = permissions.is_own_body(assignment, user)
    offers = []
    for code, act in ACTS.items():
        is_bound = bound is not None and bound[0] == code
        if not is_bound and not act.is_offered(row, user):
            continue
        form = bound[1] if is_bound else act.form(row=row, user=user, auto_id=f"id_{code}_%s")
        action = reverse("supervision:report_act", args=[row.uid, code])
        offers.append(Offer(code, act, form, action, is_open=is_bound))
    history = row.period.events.visible_to(user).order_by("-happened_at", "-pk")
    if not is_own:
        history = seen_from_outside(history)
    targets = {target.code: target for target in services.targets_of(assignment)}
    # Sent back, it is in the body's hands again: others go on reading what was handed in.
    is_reworked = not is_own and row.status == Status.RETURNED
    context = {
        "report": row,
        "is_reworked": is_reworked,
        "period": row.period,
        "assignment": assignment,
        "item": assignment.item,
        "offers": offers,
        "edit_url": return_url(row.period)
        if is_own
        and row.status in ProgressReport.EDITABLE_STATES
        and assignment.status in Assignment.IN_HAND_STATES
        else "",
        "figures": [
            {"row": figure, "rate": forms.completion_rate(figure.value, figure.target)}
            for figure in row.figures.select_related("target").order_by("target__position")
        ]
        if not is_reworked
        else [],
        "versions": [
            {
                "row": version,
                "figures": [
                    (targets[code].name if code in targets else code, value)
                    for code, value in version.content.get("figures", {}).items()
                ],
            }
            for version in row.versions.order_by("-number")
        ],
        "files": files_of(
            Attachment.objects.visible_to(user)
            .filter(report=row)
            .select_related("uploaded_by", "report__period", "milestone")
        ),
        "entries": entries(with_related(history)),
    }
    return render(request, "desk/reports/report.html", context)
