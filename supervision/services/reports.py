"""Acts on returns: open, write, release, review, skip."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import (
    Assignment,
    Event,
    EventKind,
    ProgressReport,
    ReportFigure,
    ReportPeriod,
    ReportVersion,
    Target,
    User,
)
from supervision.services.acts import (
    ActRefused,
    check_transition,
    local_date,
    lock,
    need_text,
    record_event,
    require,
    save,
)

TEXT_FIELDS = ("progress_text", "problem_text", "next_text", "coordination_text")
FIELDS = (*TEXT_FIELDS, "cause", "self_percent")


def targets_of(assignment: Assignment):
    """The numeric goals a return of this share carries figures for."""
    if assignment.item.clause_id is None:
        return Target.objects.none()
    return Target.objects.filter(clause_id=assignment.item.clause_id).order_by("position")


def last_report(assignment: Assignment, *, before: ReportPeriod) -> ProgressReport | None:
    """The latest return of an earlier period, whatever its state."""
    return (
        ProgressReport.objects.filter(
            period__assignment=assignment, period__start_date__lt=before.start_date
        )
        .order_by("-period__start_date")
        .prefetch_related("figures")
        .first()
    )


@transaction.atomic
def open_report(*, period: ReportPeriod, by: User, at: datetime) -> ProgressReport:
    """The return of a period, begun from the last one so that nothing known is typed again.

    Opening twice gives the same row. Raises PermissionDenied, ActRefused when nothing is owed.
    """
    period = lock(period, "assignment")
    report = ProgressReport.objects.filter(period=period).first()
    if report is not None:
        require(permissions.can_write_report(report, by))
        return report
    assignment = period.assignment
    report = ProgressReport(period=period, created_at=at, filled_by=by)
    require(permissions.can_write_report(report, by))
    if period.status == ReportPeriod.Status.SKIPPED:
        raise ActRefused(_("No return is owed for this period: it was skipped by the office."))
    if assignment.status not in (Assignment.Status.IN_PROGRESS, Assignment.Status.RETURNED):
        raise ActRefused(_("A return can be filed once the work is signed for and in hand."))
    last = last_report(assignment, before=period)
    if last is not None:
        report.self_percent = last.self_percent
        report.problem_text = last.problem_text
        report.next_text = last.next_text
        report.cause = last.cause
    report.save()
    if last is not None:
        ReportFigure.objects.bulk_create(
            [
                ReportFigure(report=report, target_id=figure.target_id, value=figure.value)
                for figure in last.figures.all()
            ]
        )
    return report


@transaction.atomic
def save_report(
    *,
    report: ProgressReport,
    by: User,
    at: datetime,
    version: int | None = None,
    figures: Mapping[Target, tuple[Decimal | None, str]] | None = None,
    **changes,
) -> ProgressReport:
    """Store what was typed. `figures`: target to (cumulative value or None, note).

    Raises PermissionDenied, StaleRow, ActRefused when the text is out of the writer's hands.
    """
    report = lock(report, "period__assignment", version=version)
    require(permissions.can_write_report(report, by))
    if report.status not in ProgressReport.EDITABLE_STATES:
        raise ActRefused(
            _("This return is “%(state)s” and cannot be changed now.")
            % {"state": report.get_status_display()}
        )
    for name in FIELDS:
        if name in changes:
            setattr(report, name, changes[name])
    report.filled_by = by
    save(report)
    if figures is not None:
        for target, (value, note) in figures.items():
            if value is None:
                report.figures.filter(target=target).delete()
            else:
                ReportFigure.objects.update_or_create(
                    report=report, target=target, defaults={"value": value, "note": note}
                )
    return report


def _move(report: ProgressReport, kind, by, at, change, *, reason="", data=None) -> ProgressReport:
    before = report.status
    change()
    save(report)
    record_event(
        kind,
        assignment=report.period.assignment,
        period=report.period,
        by=by,
        at=at,
        from_state=before,
        to_state=report.status,
        reason=reason,
        data={"period": report.period.label} | (data or {}),
    )
    return report


def _check_complete(report: ProgressReport) -> None:
    if not report.progress_text.strip():
        raise ActRefused(_("Write the progress of this period before you hand the return on."))


@transaction.atomic
def ask_sign_off(
    *, report: ProgressReport, by: User, at: datetime, version: int | None = None
) -> ProgressReport:
    """Hand the return to the head of the body."""
    report = lock(report, "period__assignment", version=version)
    check_transition(report.ask_sign_off, by)
    _check_complete(report)
    return _move(
        report, EventKind.SIGN_OFF_ASKED, by, at, lambda: report.ask_sign_off(by=by, at=at)
    )


@transaction.atomic
def refuse_sign_off(
    *, report: ProgressReport, by: User, at: datetime, reason: str, version: int | None = None
) -> ProgressReport:
    """The head hands the return back to its writer."""
    report = lock(report, "period__assignment", version=version)
    check_transition(report.refuse_sign_off, by)
    need_text(reason)
    return _move(report, EventKind.SIGN_OFF_REFUSED, by, at, report.refuse_sign_off, reason=reason)


@transaction.atomic
def submit_report(
    *, report: ProgressReport, by: User, at: datetime, version: int | None = None
) -> ProgressReport:
    """Release the return in the body's name; the text handed in is kept as a version.

    A head may release a text straight from the writer's desk. Raises TransitionNotAllowed,
    PermissionDenied, StaleRow, ActRefused without a text.
    """
    report = lock(report, "period__assignment", version=version)
    if report.status in ProgressReport.EDITABLE_STATES:
        require(permissions.can_sign_report(report, by))
        report.ask_sign_off(by=report.filled_by or by, at=at)
    check_transition(report.submit, by)
    _check_complete(report)
    period = report.period
    _move(report, EventKind.REPORT_SUBMITTED, by, at, lambda: report.submit(by=by, at=at))
    number = report.versions.count() + 1
    ReportVersion.objects.create(
        report=report,
        number=number,
        content={name: getattr(report, name) for name in FIELDS}
        | {
            "figures": {
                figure.target.code: str(figure.value)
                for figure in report.figures.select_related("target")
            }
        },
        signed_by_name=str(by),
        submitted_at=at,
    )
    if number == 1 and local_date(at) > period.due_date:
        record_event(
            EventKind.PERIOD_MADE_UP,
            assignment=period.assignment,
            period=period,
            by=by,
            at=at,
            data={"period": period.label, "due_date": period.due_date.isoformat()},
        )
    return report


def submit_reports(*, reports: Iterable[ProgressReport], by: User, at: datetime) -> list:
    """Release a page of returns: the single act for each. Returns refusals as (report, message)."""
    refused = []
    for report in reports:
        try:
            submit_report(report=report, by=by, at=at)
        except ActRefused as error:
            refused.append((report, error.message))
    return refused


@transaction.atomic
def send_back_report(
    *,
    report: ProgressReport,
    by: User,
    at: datetime,
    reason: str,
    reason_class: str = "",
    version: int | None = None,
) -> ProgressReport:
    """Return with a reason and its class (`SendBackReason`); the text handed in stays a version."""
    report = lock(report, "period__assignment", version=version)
    check_transition(report.send_back, by)
    need_text(reason)
    return _move(
        report,
        EventKind.REPORT_SENT_BACK,
        by,
        at,
        lambda: report.send_back(by=by, at=at, opinion=reason, reason_class=reason_class),
        reason=reason,
        data={"reason_class": reason_class} if reason_class else None,
    )


@transaction.atomic
def approve_report(
    *,
    report: ProgressReport,
    by: User,
    at: datetime,
    verified_percent: int | None = None,
    opinion: str = "",
    version: int | None = None,
) -> ProgressReport:
    """Accept the return, optionally with a percentage verified by the office (0 to 100)."""
    report = lock(report, "period__assignment", version=version)
    check_transition(report.approve, by)
    if verified_percent is not None and not 0 <= verified_percent <= 100:
        raise ActRefused(_("A percentage lies between 0 and 100."))
    return _move(
        report,
        EventKind.REPORT_APPROVED,
        by,
        at,
        lambda: report.approve(by=by, at=at, verified_percent=verified_percent, opinion=opinion),
        reason=opinion,
        data={"self_percent": report.self_percent, "verified_percent": verified_percent},
    )


@transaction.atomic
def skip_period(*, period: ReportPeriod, by: User, at: datetime, reason: str) -> ReportPeriod:
    """No return this period; it stays visible as skipped, with the reason."""
    period = lock(period, "assignment")
    check_transition(period.skip, by)
    need_text(reason)
    period.skip(reason=reason)
    save(period)
    _record_period(EventKind.PERIOD_SKIPPED, period, by, at, reason)
    return period


@transaction.atomic
def unskip_period(*, period: ReportPeriod, by: User, at: datetime) -> ReportPeriod:
    """The return is owed after all."""
    period = lock(period, "assignment")
    check_transition(period.unskip, by)
    period.unskip()
    save(period)
    _record_period(EventKind.PERIOD_UNSKIPPED, period, by, at, "")
    return period


def _record_period(kind, period: ReportPeriod, by: User, at: datetime, reason: str) -> Event:
    return record_event(
        kind,
        assignment=period.assignment,
        period=period,
        by=by,
        at=at,
        reason=reason,
        data={"period": period.label},
    )
