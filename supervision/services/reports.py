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
from supervision.rules.moves import Move, Reading, Way, moves
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
from supervision.services.edits import note_edits
from supervision.services.settings import return_checks

TEXT_FIELDS = ("progress_text", "problem_text", "next_text", "coordination_text")
FIELDS = (*TEXT_FIELDS, "cause", "self_percent", "change_reason")


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
    edited = [name for name in FIELDS if name in changes and getattr(report, name) != changes[name]]
    for name in edited:
        setattr(report, name, changes[name])
    report.filled_by = by
    report.saved_at = at
    if not report.progress_text.strip():
        report.is_marked_complete = False
    save(report)
    if figures:
        known = {figure.target_id: figure for figure in report.figures.all()}
        for target, (value, note) in figures.items():
            before = known.get(target.pk)
            if (before.value if before else None) != value:
                edited.append(f"value {target.uid}")
            if (before.note if before else "") != (note if value is not None else ""):
                edited.append(f"note {target.uid}")
            if value is None:
                report.figures.filter(target=target).delete()
            else:
                ReportFigure.objects.update_or_create(
                    report=report, target=target, defaults={"value": value, "note": note}
                )
    note_edits(report=report, cells=edited, by=by, at=at)
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


@transaction.atomic
def mark_report(
    *,
    report: ProgressReport,
    by: User,
    at: datetime,
    is_complete: bool,
    version: int | None = None,
) -> ProgressReport:
    """Say that a return is written, or is not after all; what is marked goes with one submit.

    Raises PermissionDenied, StaleRow, ActRefused while a text or a reason is missing.
    """
    report = lock(report, "period__assignment", version=version)
    require(permissions.can_write_report(report, by))
    if report.status not in ProgressReport.EDITABLE_STATES:
        raise ActRefused(
            _("This return is “%(state)s” and cannot be changed now.")
            % {"state": report.get_status_display()}
        )
    if report.is_marked_complete == is_complete:
        return report
    if is_complete:
        _check_complete(report)
    report.is_marked_complete = is_complete
    report.saved_at = at
    return save(report)


def readings_of(
    report: ProgressReport, last: ProgressReport | None, targets: Iterable[Target]
) -> list[Reading]:
    """The numbers of a return beside those of the last one, from figures already loaded."""
    if last is None:
        return []
    now = {figure.target_id: figure for figure in report.figures.all()}
    before = {figure.target_id: figure.value for figure in last.figures.all()}
    found = [
        Reading(
            _("Own estimate (percent)"), last.self_percent, report.self_percent, is_percent=True
        )
    ]
    for target in targets:
        figure = now.get(target.pk)
        if figure is not None:
            found.append(
                Reading(
                    target.name,
                    before.get(target.pk),
                    figure.value,
                    target.value,
                    target.unit,
                    figure.note,
                )
            )
    return found


def moves_in(readings: Iterable[Reading], checks: Mapping[str, int]) -> list[Move]:
    """The numbers that ask for a reason, by the office's thresholds."""
    return moves(readings, jump_percent=checks["jump_percent"], jump_points=checks["jump_points"])


def move_words(move: Move) -> str:
    """One number that moved, in a sentence."""
    values = {
        "name": move.reading.name,
        "last": plain_number(move.reading.last),
        "value": plain_number(move.reading.value),
        "unit": move.reading.unit,
    }
    if move.way is Way.FALL:
        return _("“%(name)s” fell from %(last)s to %(value)s%(unit)s") % values
    return _("“%(name)s” jumped from %(last)s to %(value)s%(unit)s") % values


def plain_number(value: Decimal | int | None) -> str:
    """Without the zeros the database adds; empty for none."""
    return "" if value is None else f"{Decimal(value).normalize():f}"


def _check_complete(report: ProgressReport) -> None:
    if not report.progress_text.strip():
        raise ActRefused(_("Write the progress of this period before you hand the return on."))
    if report.change_reason.strip():
        return
    assignment = report.period.assignment
    last = last_report(assignment, before=report.period)
    moved = moves_in(readings_of(report, last, targets_of(assignment)), return_checks())
    if moved:
        raise ActRefused(
            _("%(moves)s. Say why in one line before you hand the return on.")
            % {"moves": "；".join(move_words(move) for move in moved)}
        )


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
