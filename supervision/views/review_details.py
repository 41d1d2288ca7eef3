"""What the reader of a matter needs to see before deciding on it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet

from supervision.desk import plain
from supervision.models import (
    Assignment,
    ExtensionRequest,
    Milestone,
    ProgressReport,
    ReportFigure,
)
from supervision.overview import light_up
from supervision.rules.differences import Piece, differences, is_same_text
from supervision.rules.progress import Comparison, completion_rate
from supervision.rules.reasons import level_name
from supervision.services.reports import TEXT_FIELDS
from supervision.together import figures, read_together
from supervision.waiting import Queue, Waiting


@dataclass(frozen=True)
class TextBeside:
    """One text of a return beside that of the last accepted one. `pieces` mark what changed."""

    label: Any
    now: str
    before: str
    pieces: list[Piece]
    is_same: bool


@dataclass(frozen=True)
class FigureBeside:
    """One figure against its goal and against the last accepted return.

    `rate` in percent of the goal; `change` since the last return, None without one.
    """

    figure: ReportFigure
    now: str
    before: str
    goal: str
    rate: Decimal | None
    change: Decimal | None

    @property
    def change_text(self) -> str:
        """The change with its sign, empty when nothing can be compared."""
        if self.change is None:
            return ""
        return f"+{plain(self.change)}" if self.change > 0 else plain(self.change)

    @property
    def is_fallen(self) -> bool:
        return self.change is not None and self.change < 0


def detail_of(opened: Waiting, *, today: date) -> dict:
    """What belongs beside a waiting matter, by its queue."""
    if opened.queue == Queue.REPORTS:
        return _report_detail(opened.row, today)
    readers = {
        Queue.CLOSINGS: _closing_detail,
        Queue.CHECKS: _closing_detail,
        Queue.MILESTONES: _milestone_detail,
        Queue.PLANS: _plan_detail,
        Queue.EXTENSIONS: _extension_detail,
        Queue.ESCALATIONS: _escalation_detail,
    }
    reader = readers.get(opened.queue)
    return reader(opened.row) if reader else {}


def last_accepted(report: ProgressReport) -> QuerySet[ProgressReport]:
    """The latest accepted return of an earlier period, if there is one."""
    period = report.period
    return (
        ProgressReport.objects.filter(
            period__assignment=period.assignment_id,
            period__start_date__lt=period.start_date,
            status=ProgressReport.Status.APPROVED,
        )
        .select_related("period")
        .order_by("-period__start_date")[:1]
    )


def _report_detail(report: ProgressReport, today: date) -> dict:
    """This return beside the last accepted one, text by text and figure by figure."""
    is_beside = Q(report=report) | Q(report__in=last_accepted(report).values("pk"))
    read = read_together(
        last=last_accepted(report),
        figures=ReportFigure.objects.filter(is_beside)
        .select_related("target")
        .order_by("target__position", "pk"),
        attachments=report.attachments.all(),
        versions=figures(report.versions.all(), count=Count("pk")),
    )
    last = read["last"][0] if read["last"] else None
    texts = [_text_beside(report, last, name) for name in TEXT_FIELDS]
    now: dict[int, ReportFigure] = {}
    before: dict[int, ReportFigure] = {}
    for figure in read["figures"]:
        (now if figure.report_id == report.pk else before)[figure.target_id] = figure
    share = light_up(Assignment.objects.filter(pk=report.period.assignment_id), today=today)[0]
    return {
        "last": last,
        "texts": [text for text in texts if text.now or text.before],
        "is_unchanged": bool(last and is_same_text(last.progress_text, report.progress_text)),
        "figures": [_figure_beside(figure, before.get(pk)) for pk, figure in now.items()],
        "left_out": [figure for pk, figure in before.items() if pk not in now],
        "lamp": share.lamp,
        "last_percent": _percent_of(last),
        "attachments": read["attachments"],
        "times_filed": read["versions"][0][0],
    }


def _text_beside(report: ProgressReport, last: ProgressReport | None, name: str) -> TextBeside:
    now, before = getattr(report, name), getattr(last, name) if last else ""
    return TextBeside(
        label=ProgressReport._meta.get_field(name).verbose_name,
        now=now,
        before=before,
        pieces=differences(before, now) if last else [],
        is_same=bool(now) and is_same_text(before, now),
    )


def _figure_beside(figure: ReportFigure, before: ReportFigure | None) -> FigureBeside:
    target = figure.target
    is_rated = bool(target.value) and target.comparison in set(Comparison)
    return FigureBeside(
        figure=figure,
        now=plain(figure.value),
        before=plain(before.value) if before else "",
        goal=plain(target.value),
        rate=completion_rate(figure.value, target.value, Comparison(target.comparison))
        if is_rated
        else None,
        change=figure.value - before.value if before else None,
    )


def _percent_of(report: ProgressReport | None) -> int | None:
    """What the last return was taken for: verified by the office, else its own estimate."""
    if report is None:
        return None
    verified = report.verified_percent
    return report.self_percent if verified is None else verified


def _closing_detail(share: Assignment) -> dict:
    rows = list(share.milestones.exclude(status=Milestone.Status.CANCELLED))
    return {
        "milestones": rows,
        "open_count": sum(row.status in Milestone.UNFINISHED_STATES for row in rows),
        "attachments": list(share.attachments.all()),
    }


def _milestone_detail(milestone: Milestone) -> dict:
    return {"attachments": list(milestone.attachments.all())}


def _plan_detail(share: Assignment) -> dict:
    return {"steps": list(share.milestones.order_by("planned_date", "position", "pk"))}


def _extension_detail(extension: ExtensionRequest) -> dict:
    earlier = extension.assignment.extensions.exclude(pk=extension.pk)
    return {
        "earlier": list(earlier.order_by("pk")),
        "slips": list(extension.assignment.date_changes.filter(milestone=None)),
    }


def _escalation_detail(share: Assignment) -> dict:
    data = share.proposed.data
    return {
        "level": data.get("level"),
        "level_name": data.get("level_name") or level_name(data.get("code", ""), ""),
        "past": list(
            share.events.filter(kind__in=["reminded", "escalated"]).order_by("happened_at")
        ),
    }
