"""进展情况报表（月报）: one row a share and numeric goal, as filed for one period."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import pgettext, pgettext_lazy

from supervision.models import (
    Assignment,
    Outcome,
    ProgressReport,
    Responsibility,
    Target,
)
from supervision.overview import FILED, light_up
from supervision.spreadsheets.column_sets.scope import Scope, batches_of, day
from supervision.spreadsheets.print_sheet import NUMBER, Column, Row

MONTHLY = (
    Column(NUMBER, pgettext_lazy("sheet", "No."), 4, "centre"),
    Column("task", pgettext_lazy("sheet", "Task"), 15, is_merged=True),
    Column("goal", pgettext_lazy("sheet", "Goal / unit"), 12),
    Column("lead", pgettext_lazy("sheet", "Lead body"), 9, "top", is_merged=True),
    Column("body", pgettext_lazy("sheet", "Responsible body"), 9),
    Column("due", pgettext_lazy("sheet", "To be done by"), 11, "centre"),
    Column("progress", pgettext_lazy("sheet", "Progress of this month"), 24, "text", is_long=True),
    Column("value", pgettext_lazy("sheet", "Cumulative value"), 8, "number"),
    Column("rate", pgettext_lazy("sheet", "Completion rate"), 8, "percent"),
    Column("scheduled", pgettext_lazy("sheet", "Scheduled progress"), 8, "percent"),
    Column("gap", pgettext_lazy("sheet", "Against the schedule"), 8, "percent"),
    Column("state", pgettext_lazy("sheet", "State"), 8, "centre"),
    Column("problems", pgettext_lazy("sheet", "Problems"), 14, "text", is_long=True),
    Column("next", pgettext_lazy("sheet", "Next measures"), 14, "text", is_long=True),
    Column("coordination", pgettext_lazy("sheet", "Matters to coordinate"), 12, "text", True),
    Column("person", pgettext_lazy("sheet", "Person in charge"), 8, "centre"),
    Column("filled_by", pgettext_lazy("sheet", "Filled in by"), 8, "centre"),
    Column("signed_by", pgettext_lazy("sheet", "Signed off by"), 8, "centre"),
    Column("phone", pgettext_lazy("sheet", "Telephone"), 11, "centre"),
    Column("filed", pgettext_lazy("sheet", "Filed on"), 11, "centre"),
)
# Percentage points that still count as being on schedule.
ON_TRACK_POINTS = 5


def monthly_rows(scope: Scope) -> Iterator[Row]:
    """The shares that owed a return for the period; those without one are there, empty."""
    rows = scope.in_order(
        scope.lit_shares()
        .filter(periods__label=scope.period)
        .exclude(outcome=Outcome.CANCELLED)
        .select_related("item__document", "organization")
    )
    leads: dict[int, str] = {}
    for batch in batches_of(rows):
        shares = light_up(
            Assignment.objects.filter(pk__in=[r.pk for r in batch]), today=scope.today
        )
        lamps = {share.pk: share.lamp for share in shares}
        items = {share.item_id for share in batch} - set(leads)
        named = Assignment.objects.filter(
            item__in=items, role=Responsibility.LEAD, transferred_to=None
        ).select_related("organization")
        leads |= {share.item_id: str(share.organization) for share in named}
        reports = {
            report.period.assignment_id: report
            for report in ProgressReport.objects.filter(
                period__assignment__in=batch, period__label=scope.period, status__in=FILED
            )
            .select_related("period", "filled_by", "signed_by")
            .prefetch_related("figures")
        }
        targets: dict[int, list[Target]] = {}
        for target in Target.objects.filter(
            clause__in={share.item.clause_id for share in batch}
        ).order_by("position"):
            targets.setdefault(target.clause_id, []).append(target)
        for share in batch:
            yield from _rows_of(
                scope,
                share,
                lamps[share.pk],
                reports.get(share.pk),
                targets.get(share.item.clause_id, []),
                leads.get(share.item_id, ""),
            )


def _rows_of(scope, share, lamp, report, targets, lead) -> Iterator[Row]:
    values = _common(share, lamp, report, lead)
    band = scope.band_of(share)
    figures = {figure.target_id: figure for figure in report.figures.all()} if report else {}
    shown = [target for target in targets if target.pk in figures] or targets[:1] or [None]
    for number, target in enumerate(shown):
        figure = figures.get(target.pk) if target is not None else None
        # The words stand once; further goals add their figures only.
        kept = values if number == 0 else {k: values[k] for k in ("task", "lead", "body", "due")}
        yield Row(kept | _figures(target, figure), band)


def _common(share: Assignment, lamp, report: ProgressReport | None, lead: str) -> dict[str, Any]:
    actual, scheduled = lamp.actual_percent, lamp.scheduled_percent
    gap = None if actual is None or scheduled is None else actual - scheduled
    filler = report.filled_by if report else None
    return {
        "task": share.item.title,
        "lead": lead,
        "body": str(share.organization),
        "due": day(share.due_date) or pgettext("sheet", "ongoing"),
        "progress": report.progress_text if report else pgettext("sheet", "No return filed"),
        "rate": _share(actual),
        "scheduled": _share(scheduled),
        "gap": _share(gap),
        "state": state_word(share, gap),
        "problems": report.problem_text if report else "",
        "next": report.next_text if report else "",
        "coordination": report.coordination_text if report else "",
        "person": share.handler_name,
        "filled_by": str(filler or ""),
        "signed_by": str(report.signed_by or "") if report else "",
        "phone": filler.office_phone if filler else "",
        "filed": day(timezone.localdate(report.submitted_at))
        if report and report.submitted_at
        else "",
    }


def _figures(target: Target | None, figure) -> dict[str, Any]:
    if target is None:
        return {}
    goal = "" if target.value is None else f"{target.value.normalize():f}"
    found: dict[str, Any] = {
        "goal": "\n".join(part for part in (target.name, f"{goal} {target.unit}".strip()) if part)
    }
    if figure is not None:
        found["value"] = float(figure.value)
        if target.value and target.comparison in (
            Target.Comparison.AT_LEAST,
            Target.Comparison.REACH,
        ):
            found["rate"] = float(figure.value / target.value)
    return found


def state_word(share: Assignment, gap: Decimal | None) -> str:
    """The internal word of domain.md, section 9."""
    if share.outcome in (Outcome.ON_TIME, Outcome.LATE):
        is_early = share.due_date and share.completed_date and share.completed_date < share.due_date
        if share.outcome == Outcome.LATE:
            return pgettext("sheet", "Completed late")
        return pgettext("sheet", "Completed early") if is_early else pgettext("sheet", "Completed")
    if gap is None:
        return pgettext("sheet", "Other")
    if gap > ON_TRACK_POINTS:
        return pgettext("sheet", "Ahead")
    if gap < -ON_TRACK_POINTS:
        return pgettext("sheet", "Behind schedule")
    return pgettext("sheet", "On track")


def _share(percent: Decimal | None) -> float | None:
    return None if percent is None else round(float(percent) / 100, 4)
