"""What the database says of the returns of a period."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from supervision.models import (
    Assignment,
    Organization,
    ProgressReport,
    ReportPeriod,
    ReturnEdit,
    Target,
)
from supervision.spreadsheets.cells import clean_text
from supervision.spreadsheets.returns.columns import (
    FIELDS,
    PREFILLED,
)


@dataclass
class State:
    """One return as it stands: what its cells would show now."""

    period: ReportPeriod
    report: ProgressReport | None
    values: dict[str, str]
    figures: dict[str, tuple[str, str]]
    last_values: dict[str, Decimal]
    targets: list[Target]
    edits: dict[str, ReturnEdit] = field(default_factory=dict)
    is_elsewhere: bool = False  # the share of a section the person does not work for

    @property
    def assignment(self) -> Assignment:
        return self.period.assignment

    def value_of(self, column: str, goal: str) -> str:
        """What a cell would show now, in its plain form."""
        if not goal:
            return self.values[column]
        value, note = self.figures.get(goal, ("", ""))
        return value if column == "value" else note

    @property
    def version(self) -> str:
        return "" if self.report is None else str(self.report.version)

    @property
    def refusal(self) -> str:
        """Why nothing can be written into it now; empty when it can."""
        if self.is_elsewhere:
            return _("This return belongs to another section of your body.")
        if self.period.status == ReportPeriod.Status.SKIPPED:
            return _("No return is owed for this period: the office skipped it.")
        if self.report and self.report.status not in ProgressReport.EDITABLE_STATES:
            return _("This return is already “%(state)s”.") % {
                "state": self.report.get_status_display()
            }
        if self.assignment.status not in Assignment.IN_HAND_STATES:
            return _("The task is “%(state)s” and takes no return.") % {
                "state": self.assignment.get_status_display()
            }
        return ""


def read_states(
    organization: Organization, label: str, *, section_id: int | None = None
) -> dict[str, State]:
    """The returns of one period of a body by the identifier of their row, in document order.

    With `section_id` the returns of other sections take nothing. The number of queries does not
    depend on the number of rows.
    """
    earlier = ProgressReport.objects.filter(
        period__assignment=OuterRef("assignment"), period__start_date__lt=OuterRef("start_date")
    ).order_by("-period__start_date")
    periods = list(
        ReportPeriod.objects.filter(
            assignment__organization=organization, assignment__transferred_to=None, label=label
        )
        .exclude(assignment__status=Assignment.Status.CANCELLED)
        .select_related("assignment__item")
        .annotate(last_pk=Subquery(earlier.values("pk")[:1]))
        .order_by("assignment__item__document_id", "assignment__item__position", "pk")
    )
    reports = ProgressReport.objects.filter(period__in=periods).prefetch_related("figures", "edits")
    present = {report.period_id: report for report in reports}
    last = ProgressReport.objects.filter(
        pk__in=[period.last_pk for period in periods if period.last_pk]
    ).prefetch_related("figures")
    before = {report.pk: report for report in last}
    targets: dict[int, list[Target]] = {}
    for target in Target.objects.filter(
        clause__in=[period.assignment.item.clause_id for period in periods]
    ).order_by("position"):
        targets.setdefault(target.clause_id, []).append(target)
    states = {}
    for period in periods:
        state = _state(
            period,
            present.get(period.pk),
            before.get(period.last_pk),
            targets.get(period.assignment.item.clause_id, []),
        )
        state.is_elsewhere = section_id not in (None, period.assignment.section_id)
        states[str(period.uid)] = state
    return states


def _state(period, report, last, targets) -> State:
    """A saved return, or the last one carried forward as the screen does."""
    values = dict.fromkeys(FIELDS, "")
    source, names = (report, FIELDS) if report is not None else (last, PREFILLED)
    if source is not None:
        values |= {name: plain_text(getattr(source, name)) for name in names}
    uids = {target.pk: str(target.uid) for target in targets}
    figures = dict.fromkeys(uids.values(), ("", ""))
    for figure in source.figures.all() if source is not None else ():
        if figure.target_id in uids:
            note = plain_text(figure.note) if report is not None else ""
            figures[uids[figure.target_id]] = (plain_number(figure.value), note)
    last_values = {
        uids[figure.target_id]: figure.value
        for figure in (last.figures.all() if last is not None else ())
        if figure.target_id in uids
    }
    edits = {edit.cell: edit for edit in report.edits.all()} if report is not None else {}
    return State(period, report, values, figures, last_values, targets, edits)


def plain_number(value: Decimal) -> str:
    """Without the zeros the database adds, never with an exponent."""
    text = f"{Decimal(value).normalize():f}"
    return "0" if text == "-0" else text


def plain_text(value: Any) -> str:
    """A text as a workbook gives it back: one kind of line end, nothing around it."""
    if value is None:
        return ""
    text = re.sub(r"_x000[dD]_\n?|\r\n?", "\n", str(value))
    return clean_text(text).strip()
