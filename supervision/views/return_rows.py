"""The shares of a body that owe a return for a period: what is known of each, what it needs."""

from dataclasses import dataclass, field

from django.db.models import OuterRef, Prefetch, Subquery, prefetch_related_objects
from django.utils.translation import gettext as _

from supervision.forms import body as forms
from supervision.models import (
    Assignment,
    Attachment,
    ProgressReport,
    ReportPeriod,
    Target,
    User,
)
from supervision.rules.likeness import like_others, likeness
from supervision.services import reports as services
from supervision.services.settings import return_checks
from supervision.together import read_together
from supervision.views.assignments import (
    ActLink,
    files_of,
)

Status = ProgressReport.Status
PREFILLED = ("self_percent", "problem_text", "next_text", "cause")


def own_periods(user: User):
    """The periods of the shares of the user's own body that are or were owed."""
    return ReportPeriod.objects.filter(
        assignment__in=Assignment.objects.visible_to(user).filter(
            organization_id=user.organization_id
        )
    )


@dataclass
class Row:
    """One share on the page of a period."""

    period: ReportPeriod
    report: ProgressReport | None
    last: ProgressReport | None
    last_approved_text: str
    targets: list[tuple[Target, object]]
    form: forms.ReturnForm | None = None
    theirs: dict | None = None
    files: list = field(default_factory=list)
    links: list[ActLink] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    moves: list[str] = field(default_factory=list)

    @property
    def assignment(self) -> Assignment:
        return self.period.assignment

    @property
    def key(self) -> str:
        return f"r{self.period.pk}"

    @property
    def is_editable(self) -> bool:
        return (
            self.period.status == ReportPeriod.Status.OPEN
            and self.assignment.status in Assignment.IN_HAND_STATES
            and (self.report is None or self.report.status in ProgressReport.EDITABLE_STATES)
        )

    @property
    def is_idle(self) -> bool:
        """Nothing was written and nothing can be: the office skipped it, or it is not in hand."""
        is_skipped = self.period.status == ReportPeriod.Status.SKIPPED
        return is_skipped or (self.report is None and not self.is_editable)

    def urgency(self, *, is_head: bool) -> int:
        """Where the row stands on the page: what waits for this person first, the idle last."""
        if self.is_idle:
            return 3
        if self.is_under_sign_off:
            return 0 if is_head else 2
        if self.is_editable:
            return 0 if self.report and self.report.status == Status.RETURNED else 1
        return 2

    @property
    def initial(self) -> dict:
        """What the form begins with: the saved return, or the last one carried forward."""
        if self.report is not None:
            return forms.initial_of(self.report)
        if self.last is None:
            return {}
        carried = {name: getattr(self.last, name) for name in PREFILLED}
        for figure in self.last.figures.all():
            carried[f"figure_{figure.target_id}_value"] = figure.value
        return carried

    def new_form(self, data=None, files=None) -> forms.ReturnForm:
        return forms.ReturnForm(
            data, files, prefix=self.key, initial=self.initial, figures=self.targets
        )

    @property
    def is_under_sign_off(self) -> bool:
        return self.report is not None and self.report.status == Status.UNDER_SIGN_OFF

    @property
    def is_marked(self) -> bool:
        return self.is_editable and self.report is not None and self.report.is_marked_complete

    def look(self, checks: dict[str, int], like: "Row | None") -> None:
        """What is worth a second look: a copied text, numbers that move without a reason."""
        report = self.report
        if report is None:
            return
        before = self.last_approved_text or (self.last.progress_text if self.last else "")
        if likeness(report.progress_text, before) >= checks["alike_percent"]:
            self.warnings.append(
                _(
                    "The progress is nearly word for word that of the last return. Say what is "
                    "new in this period."
                )
            )
        if like is not None:
            self.warnings.append(
                _(
                    "The progress is nearly word for word that of “%(item)s” on this page. Say "
                    "what belongs to this item."
                )
                % {"item": like.assignment.item.title}
            )
        if self.is_editable and not report.change_reason.strip():
            readings = services.readings_of(report, self.last, [each for each, _v in self.targets])
            self.moves = [services.move_words(move) for move in services.moves_in(readings, checks)]


def rows_of(user: User, label: str) -> list[Row]:
    """Every share of the body that has this period, in the order of the items."""
    earlier = ProgressReport.objects.filter(
        period__assignment=OuterRef("assignment"), period__start_date__lt=OuterRef("start_date")
    ).order_by("-period__start_date")
    periods = list(
        own_periods(user)
        .filter(label=label)
        .exclude(assignment__status=Assignment.Status.CANCELLED)
        .select_related(
            "assignment__item__clause", "assignment__organization", "assignment__section"
        )
        .prefetch_related("assignment__milestones")
        .annotate(
            last_pk=Subquery(earlier.values("pk")[:1]),
            last_approved_text=Subquery(
                earlier.filter(status=Status.APPROVED).values("progress_text")[:1]
            ),
        )
        .order_by("assignment__item__position", "assignment__item__pk", "assignment__pk")
    )
    present = {
        report.period_id: report
        for report in ProgressReport.objects.filter(period__in=periods)
        .select_related("reviewed_by", "filled_by")
        .prefetch_related(
            Prefetch(
                "attachments",
                Attachment.objects.select_related("uploaded_by", "report__period", "milestone"),
            ),
        )
    }
    clauses = [period.assignment.item.clause_id for period in periods]
    beside = read_together(
        last=ProgressReport.objects.filter(
            pk__in=[period.last_pk for period in periods if period.last_pk]
        ),
        targets=Target.objects.filter(clause_id__in=[pk for pk in clauses if pk]).order_by(
            "position"
        ),
    )
    last = {report.pk: report for report in beside["last"]}
    prefetch_related_objects([*present.values(), *last.values()], "figures")
    targets: dict[int, list[Target]] = {}
    for target in beside["targets"]:
        targets.setdefault(target.clause_id, []).append(target)
    rows = []
    for period in periods:
        report = present.get(period.pk)
        if report is not None:
            report.period = period
        before = last.get(period.last_pk)
        values = (
            {figure.target_id: figure.value for figure in before.figures.all()} if before else {}
        )
        row = Row(
            period,
            report,
            before,
            period.last_approved_text or "",
            [
                (target, values.get(target.pk))
                for target in targets.get(period.assignment.item.clause_id, [])
            ],
            files=files_of(report.attachments.all()) if report else [],
        )
        if row.is_editable:
            row.form = row.new_form()
        rows.append(row)
    look_at(rows)
    return rows


def look_at(rows: list[Row]) -> None:
    """Point out what deserves a second look, over the whole page."""
    checks = return_checks()
    by_key = {row.period.pk: row for row in rows}
    alike = like_others(
        {row.period.pk: row.report.progress_text for row in rows if row.report is not None},
        from_percent=checks["alike_percent"],
    )
    for row in rows:
        row.look(checks, by_key.get(alike.get(row.period.pk)))


def of_section(rows: list[Row], wanted: str) -> list[Row]:
    """The rows of one section of the body, by its identifier; `none` for those of no section."""
    if not wanted:
        return rows
    if wanted == "none":
        return [row for row in rows if row.assignment.section_id is None]
    return [
        row for row in rows if row.assignment.section and str(row.assignment.section.uid) == wanted
    ]


def progress_of(rows: list[Row]) -> dict[str, int]:
    """How many of a page's returns are filed, waiting, marked complete, and owed."""
    filed = (Status.SUBMITTED, Status.APPROVED)
    return {
        "filed": sum(1 for row in rows if row.report and row.report.status in filed),
        "waiting": sum(1 for row in rows if row.is_under_sign_off),
        "marked": sum(1 for row in rows if row.is_marked),
        "owed": sum(
            1 for row in rows if row.period.status == ReportPeriod.Status.OPEN and not row.is_idle
        ),
    }
