"""The shares of a body that owe a return for a period: what is known of each, what it needs."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

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


class Stage:
    """How far the return of one share is: what rows and their short forms have in common."""

    period_status: str
    share_status: str
    # None where nothing was written.
    report_status: str | None
    has_mark: bool

    @property
    def is_editable(self) -> bool:
        return (
            self.period_status == ReportPeriod.Status.OPEN
            and self.share_status in Assignment.IN_HAND_STATES
            and (self.report_status is None or self.report_status in ProgressReport.EDITABLE_STATES)
        )

    @property
    def is_idle(self) -> bool:
        """Nothing was written and nothing can be: the office skipped it, or it is not in hand."""
        is_skipped = self.period_status == ReportPeriod.Status.SKIPPED
        return is_skipped or (self.report_status is None and not self.is_editable)

    def urgency(self, *, is_head: bool) -> int:
        """Where it stands on the page: what waits for this person first, the idle last."""
        if self.is_idle:
            return 3
        if self.is_under_sign_off:
            return 0 if is_head else 2
        if self.is_editable:
            return 0 if self.report_status == Status.RETURNED else 1
        return 2

    @property
    def is_under_sign_off(self) -> bool:
        return self.report_status == Status.UNDER_SIGN_OFF

    @property
    def is_marked(self) -> bool:
        return self.is_editable and self.has_mark


@dataclass(frozen=True)
class Brief(Stage):
    """The short form of a share's return: enough to count, to sort and to compare texts."""

    pk: int
    uid: UUID
    due_date: date
    section_uid: UUID | None
    title: str
    period_status: str
    share_status: str
    report_status: str | None
    has_mark: bool
    text: str


@dataclass
class Row(Stage):
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
    def period_status(self) -> str:
        return self.period.status

    @property
    def share_status(self) -> str:
        return self.assignment.status

    @property
    def report_status(self) -> str | None:
        return self.report.status if self.report is not None else None

    @property
    def has_mark(self) -> bool:
        return self.report is not None and self.report.is_marked_complete

    @property
    def assignment(self) -> Assignment:
        return self.period.assignment

    @property
    def key(self) -> str:
        return f"r{self.period.pk}"

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

    def look(self, checks: dict[str, int], like: Brief | None) -> None:
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
                    "The progress is nearly word for word that of “%(item)s” in this period. Say "
                    "what belongs to this item."
                )
                % {"item": like.title}
            )
        if self.is_editable and not report.change_reason.strip():
            readings = services.readings_of(report, self.last, [each for each, _v in self.targets])
            self.moves = [services.move_words(move) for move in services.moves_in(readings, checks)]


def _periods(user: User, label: str):
    """The period of every share of the body that has it, in the order of the items."""
    return (
        own_periods(user)
        .filter(label=label)
        .exclude(assignment__status=Assignment.Status.CANCELLED)
        .order_by("assignment__item__position", "assignment__item__pk", "assignment__pk")
    )


def briefs_of(user: User, label: str) -> list[Brief]:
    """Every share of the body that has this period, in the order of the items. One statement."""
    return [
        Brief(*values[:-2], has_mark=bool(values[-2]), text=values[-1] or "")
        for values in _periods(user, label).values_list(
            "pk",
            "uid",
            "due_date",
            "assignment__section__uid",
            "assignment__item__title",
            "status",
            "assignment__status",
            "report__status",
            "report__is_marked_complete",
            "report__progress_text",
        )
    ]


def rows_of(user: User, label: str, briefs: Iterable[Brief], shown: Collection[int]) -> list[Row]:
    """The shown ones among the body's returns of a period, by their periods, in that order.

    `briefs` are all of the period: a text is compared with those on other pages as well.
    """
    earlier = ProgressReport.objects.filter(
        period__assignment=OuterRef("assignment"), period__start_date__lt=OuterRef("start_date")
    ).order_by("-period__start_date")
    periods = list(
        _periods(user, label)
        .filter(pk__in=shown)
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
    )
    places = {pk: place for place, pk in enumerate(shown)}
    periods.sort(key=lambda period: places[period.pk])
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
    look_at(rows, briefs)
    return rows


def look_at(rows: list[Row], briefs: Iterable[Brief]) -> None:
    """Point out what deserves a second look, over the whole period."""
    checks = return_checks()
    written = {brief.pk: brief for brief in briefs if brief.report_status is not None}
    alike = like_others(
        {pk: brief.text for pk, brief in written.items()},
        from_percent=checks["alike_percent"],
        of=[row.period.pk for row in rows],
    )
    for row in rows:
        row.look(checks, written.get(alike.get(row.period.pk)))


def of_section(briefs: list[Brief], wanted: str) -> list[Brief]:
    """The returns of one section of the body, by its identifier; `none` for those of no section."""
    if not wanted:
        return briefs
    if wanted == "none":
        return [brief for brief in briefs if brief.section_uid is None]
    return [brief for brief in briefs if str(brief.section_uid) == wanted]


def progress_of(briefs: Collection[Brief]) -> dict[str, int]:
    """How many of a period's returns are filed, waiting, marked complete, and owed."""
    filed = (Status.SUBMITTED, Status.APPROVED)
    return {
        "filed": sum(brief.report_status in filed for brief in briefs),
        "waiting": sum(brief.is_under_sign_off for brief in briefs),
        "marked": sum(brief.is_marked for brief in briefs),
        "owed": sum(
            brief.period_status == ReportPeriod.Status.OPEN and not brief.is_idle
            for brief in briefs
        ),
    }
