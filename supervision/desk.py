"""Reading for the desk's pages: items as this user may see them, figures, sentences."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Max, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from supervision.charts import Segment
from supervision.models import (
    Assignment,
    ProgressReport,
    ReportFigure,
    Responsibility,
    SupervisionItem,
    User,
)
from supervision.overview import FILED, LIGHT_ORDER, Lamp, count_lights, light_up_items
from supervision.rules.lights import Light

LIGHT_WORDS = {
    Light.RED: _("Red: overdue or far behind"),
    Light.ORANGE: _("Orange: nearly red"),
    Light.YELLOW: _("Yellow: due soon or behind"),
    Light.BLUE: _("Blue: a reminder"),
    Light.GREEN: _("Green: on course"),
    Light.GREY: _("Grey: not counted yet or no report"),
    Light.SUSPENDED: _("Suspended"),
    Light.DONE: _("Done on time"),
    Light.DONE_LATE: _("Done late"),
}
# Orange is a local scheme's colour; components know eight codes, so it is drawn as yellow.
SHOWN_AS: dict[str, str] = {}

# Two or three characters for a cell; red for being behind is not called overdue.
SHORT_WORDS = {
    "overdue": _("Overdue (short)"),
    "behind": _("Behind (short)"),
    "milestone_missed": _("Milestone missed (short)"),
    "months_missed": _("Milestone missed (short)"),
    "due_in": _("Due soon (short)"),
    "due_today": _("Due today"),
    "stale": _("No report (short)"),
    "never_reported": _("No report (short)"),
    "not_dispatched": _("Not dispatched (short)"),
    "completed": _("Completed (short)"),
    "completed_late": _("Completed late (short)"),
    "handed_in": _("Handed in (short)"),
    "suspended": _("Suspended (short)"),
    "cancelled": _("Cancelled (short)"),
    "shares_overdue": _("Others overdue (short)"),
    "shares_behind": _("Others behind (short)"),
    "shares_open": _("Others at work (short)"),
}


def short_word(lamp: Lamp) -> str:
    """The reason of a light in a word, for cells and badges."""
    if lamp.code in (Light.GREEN, Light.BLUE):
        word = _("On course (short)") if lamp.code == Light.GREEN else _("Reminder (short)")
        return str(word)
    return str(SHORT_WORDS.get(lamp.verdict.reason.code, ""))


@dataclass(frozen=True)
class LightCount:
    """How many rows show one light; `drawn_as` is a code the components know."""

    code: str
    label: str
    count: int
    total: int
    url: str = ""

    @property
    def drawn_as(self) -> str:
        return SHOWN_AS.get(self.code, self.code)


def light_counts(rows: Iterable, *, url: str = "") -> list[LightCount]:
    """Counts of every light with the total as denominator; orange only where it occurs."""
    return counted_lights(count_lights(rows), url=url)


def counted_lights(counts: Mapping[str, int], *, url: str = "") -> list[LightCount]:
    """The same from counts by light."""
    total = sum(counts.values())
    return [
        LightCount(
            code=light.value,
            label=str(LIGHT_WORDS[light]),
            count=counts.get(light.value, 0),
            total=total,
            url=f"{url}{light.value}" if url else "",
        )
        for light in LIGHT_ORDER
        if counts.get(light.value) or light != Light.ORANGE
    ]


def segments(counts: Iterable[LightCount]) -> list[Segment]:
    """The counts as parts of a bar."""
    return [Segment(one.label, one.count, one.drawn_as) for one in counts]


def lit_items(
    items: Iterable[SupervisionItem], *, user: User, today: date
) -> list[SupervisionItem]:
    """The items with `lamp`, `shares` (those the user may see) and `lead`.

    A body that is not the lead is shown the light of its own share: it may not look at others'.
    """
    rows = light_up_items(items, today=today, assignments=Assignment.objects.visible_to(user))
    return seen_by(rows, user)


def seen_by(items: list[SupervisionItem], user: User) -> list[SupervisionItem]:
    """Lit items with `lead`, and to a body that is not the lead the light of its own share."""
    for item in items:
        live = [share for share in item.shares if share.status != Assignment.Status.CANCELLED]
        item.lead = next((s for s in live if s.role == Responsibility.LEAD), None)
        item.own = None
        if user.is_body and not user.is_office:
            mine = [s for s in item.shares if s.organization_id == user.organization_id]
            item.own = next((s for s in mine if s in live), mine[0] if mine else None)
            if item.own is not None:
                item.lamp = item.own.lamp
        item.short_word = short_word(item.lamp)
    return items


def worst_first(items: Iterable[SupervisionItem]) -> list[SupervisionItem]:
    """Most severe light first, then the earliest due date."""
    return sorted(
        items,
        key=lambda item: (-item.lamp.severity, item.due_date or date.max, item.position, item.pk),
    )


def latest_figures(item: SupervisionItem, user: User) -> QuerySet[ReportFigure]:
    """The latest filed figure of each goal, from the lead's returns."""
    figures = ReportFigure.objects.filter(
        report__status__in=FILED,
        report__period__assignment__item=item,
        report__period__assignment__role=Responsibility.LEAD,
        report__period__assignment__in=Assignment.objects.visible_to(user),
    ).order_by("-report__period__start_date", "-pk")
    latest = figures.filter(target=OuterRef("target")).values("pk")[:1]
    return figures.filter(pk=Subquery(latest)).select_related("report__period")


def last_returns(shares: Iterable[Assignment]) -> QuerySet[ProgressReport]:
    """The latest filed return of each share."""
    filed = ProgressReport.objects.filter(status__in=FILED).order_by("-period__start_date", "-pk")
    latest = filed.filter(period__assignment=OuterRef("period__assignment")).values("pk")[:1]
    return filed.filter(
        period__assignment__in=[share.pk for share in shares], pk=Subquery(latest)
    ).select_related("period")


@dataclass(frozen=True)
class PeriodTable:
    """Filed returns of an item: its shares below each other, the last periods side by side."""

    labels: list[str]
    rows: list[tuple[Assignment, list[ProgressReport | None]]]


def returns_lately(shares: Sequence[Assignment], *, periods: int = 4) -> QuerySet[ProgressReport]:
    """What these shares filed for their last `periods` report periods."""
    filed = ProgressReport.objects.filter(
        status__in=FILED, period__assignment__in=[share.pk for share in shares]
    )
    latest = (
        filed.order_by()
        .values("period__label")
        .annotate(start=Max("period__start_date"))
        .order_by("-start", "-period__label")
        .values("period__label")[:periods]
    )
    return filed.filter(period__label__in=latest).select_related("period").order_by("pk")


def period_table(
    shares: Sequence[Assignment], reports: Iterable[ProgressReport]
) -> PeriodTable | None:
    """The periods of these returns side by side, oldest first; None when nothing was filed.

    A share that reports in another cycle leaves its cells empty.
    """
    starts: dict[str, date] = {}
    found = {}
    for report in reports:
        period = report.period
        found[period.assignment_id, period.label] = report
        starts[period.label] = max(starts.get(period.label, date.min), period.start_date)
    labels = sorted(starts, key=lambda label: (starts[label], label))
    if not labels:
        return None
    rows = [(share, [found.get((share.pk, label)) for label in labels]) for share in shares]
    return PeriodTable(labels, [row for row in rows if any(row[1])])


def plain(value: Decimal | None) -> str:
    """A figure without trailing zeros; empty for none."""
    return "" if value is None else f"{value.normalize():f}"
