"""Reading: the light of every share and item on a day, at a constant number of queries.

Nothing is stored here. Rows bring their facts, `rules.lights` turns facts into colours.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import (
    Case,
    DateField,
    DateTimeField,
    Exists,
    F,
    OuterRef,
    Prefetch,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.utils import timezone

from supervision.models import (
    Assignment,
    BodyChange,
    Milestone,
    Outcome,
    ProgressReport,
    ReportPeriod,
    Responsibility,
    SupervisionItem,
)
from supervision.rules.lights import (
    SEVERITY,
    Light,
    LightFacts,
    LightScheme,
    LightVerdict,
    Reason,
    item_light,
    verdict,
)
from supervision.rules.limits import Unit, distance
from supervision.rules.progress import actual_percent, scheduled_percent
from supervision.rules.reasons import describe
from supervision.rules.working_days import WorkingCalendar
from supervision.services.settings import Schemes, light_schemes, working_calendar

LIGHT_ORDER = (
    Light.RED,
    Light.ORANGE,
    Light.YELLOW,
    Light.BLUE,
    Light.GREEN,
    Light.GREY,
    Light.SUSPENDED,
    Light.DONE,
    Light.DONE_LATE,
)
FILED = (ProgressReport.Status.SUBMITTED, ProgressReport.Status.APPROVED)


@dataclass(frozen=True)
class Lamp:
    """A light ready to be shown: its code, one sentence, and the verdict behind it."""

    code: str
    text: str
    verdict: LightVerdict
    actual_percent: Decimal | None = None
    scheduled_percent: Decimal | None = None

    @property
    def severity(self) -> int:
        return SEVERITY[Light(self.code)]


def last_judged_date(today: date, calendar: WorkingCalendar, scheme: LightScheme) -> date:
    """Return days up to this day are past their grace on `today`."""
    last_working = calendar.previous_working(today - timedelta(days=1))
    if scheme.grace_unit is Unit.WORKING_DAY:
        return calendar.add(last_working, -scheme.grace_value)
    return today - timedelta(days=scheme.grace_value + 1)


def with_facts(assignments: QuerySet, *, today: date) -> QuerySet:
    """Annotate what the lights ask of the database: one query, and one for the milestones."""
    return _with_facts(assignments, today, working_calendar(), light_schemes())


def _judged_until(today: date, calendar: WorkingCalendar, schemes: Schemes) -> Case:
    """The last judged return day of each row: items may have schemes with another grace."""
    usual = last_judged_date(today, calendar, schemes.default)
    days = {pk: last_judged_date(today, calendar, scheme) for pk, scheme in schemes.by_pk.items()}
    return Case(
        *(
            When(item__light_scheme=pk, then=Value(day))
            for pk, day in sorted(days.items())
            if day != usual
        ),
        default=Value(usual),
        output_field=DateField(),
    )


def _with_facts(
    assignments: QuerySet, today: date, calendar: WorkingCalendar, schemes: Schemes
) -> QuerySet:
    owed = ReportPeriod.objects.filter(
        assignment=OuterRef("pk"),
        status=ReportPeriod.Status.OPEN,
        due_date__lte=OuterRef("judged_until"),
    ).order_by("-due_date")
    filed = ProgressReport.objects.filter(
        period__assignment=OuterRef("pk"), status__in=FILED
    ).order_by("-period__start_date")
    filed_for_last = ProgressReport.objects.filter(
        period__assignment=OuterRef("pk"),
        status__in=FILED,
        period__due_date__gte=OuterRef("judged_due_date"),
    )
    return (
        assignments.select_related("item", "organization")
        .annotate(judged_until=_judged_until(today, calendar, schemes))
        .annotate(
            judged_due_date=Subquery(owed.values("due_date")[:1]),
            is_judged_covered=Exists(filed_for_last),
            last_filed_at=Subquery(
                filed.values("submitted_at")[:1], output_field=DateTimeField(null=True)
            ),
            last_verified_percent=Subquery(filed.values("verified_percent")[:1]),
            last_self_percent=Subquery(filed.values("self_percent")[:1]),
        )
        .prefetch_related(
            Prefetch(
                "milestones",
                queryset=Milestone.objects.exclude(
                    status__in=[Milestone.Status.DRAFT, Milestone.Status.CANCELLED]
                ).order_by("planned_date", "position"),
                to_attr="agreed_milestones",
            )
        )
    )


def facts_of(assignment: Assignment, today: date) -> LightFacts:
    """The facts of one row that came through `with_facts`."""
    milestones = assignment.agreed_milestones
    missed = tuple(
        (milestone.title, milestone.planned_date)
        for milestone in milestones
        if milestone.status in Milestone.BODY_STATES and milestone.planned_date < today
    )
    if milestones:
        actual = actual_percent(
            [(m.status == Milestone.Status.COMPLETED, m.weight) for m in milestones]
        )
    else:
        actual = assignment.last_verified_percent
        if actual is None:
            actual = assignment.last_self_percent
    oldest = min((planned for _title, planned in missed), default=None)
    return LightFacts(
        due_date=assignment.due_date,
        original_due_date=assignment.original_due_date,
        start_date=assignment.dispatched_date,
        suspended_since=assignment.suspended_date,
        suspension_basis=assignment.suspension_basis,
        completed_date=assignment.completed_date,
        submitted_date=assignment.submitted_date,
        actual_percent=actual,
        scheduled_percent=scheduled_percent(
            [(m.planned_date, m.weight) for m in milestones],
            assignment.dispatched_date,
            assignment.due_date,
            today,
        ),
        missed_milestones=missed,
        months_missed=distance(oldest, today, Unit.MONTH, EMPTY_CALENDAR) if oldest else 0,
        last_report_date=assignment.last_filed_at and timezone.localdate(assignment.last_filed_at),
        has_reported=assignment.last_filed_at is not None,
        last_closed_period_due=assignment.judged_due_date,
        last_closed_period_covered=assignment.is_judged_covered,
    )


EMPTY_CALENDAR = WorkingCalendar()
CANCELLED = LightVerdict(Light.GREY, Reason("cancelled"))


def light_up(
    assignments: QuerySet,
    *,
    today: date,
    schemes: Schemes | None = None,
    has_bodies_of_the_day: bool = False,
) -> list[Assignment]:
    """The rows of a queryset, each with its `lamp`. Two queries, whatever the number of rows.

    `schemes` other than the stored ones are for a preview. With `has_bodies_of_the_day` shares
    stand with the body that had them on `today`, for one query more.
    """
    calendar, schemes = working_calendar(), schemes or light_schemes()
    rows = list(_with_facts(assignments, today, calendar, schemes))
    if has_bodies_of_the_day:
        _take_back_changes(rows, today)
    for row in rows:
        facts = facts_of(row, today)
        scheme = schemes.of(row.item)
        found = _ended(row) or _handed_in(row, verdict(facts, today, calendar, scheme))
        row.lamp = Lamp(
            found.light.value,
            describe(found.reason),
            found,
            facts.actual_percent,
            facts.scheduled_percent,
        )
    return rows


def _take_back_changes(rows: list[Assignment], today: date) -> None:
    """Show the rows as they were before the changes of bodies that came after `today`.

    The rows are for reading only from here on.
    """
    changes = BodyChange.objects.filter(from_date__gt=today).select_related("old")
    by_share = {row.pk: row for row in rows}
    # The latest first, so that the earliest one has the last word.
    for change in changes.order_by("-from_date", "-pk"):
        row, kept = by_share.get(change.assignment_id), by_share.get(change.joined_to_id)
        if row is not None:
            row.organization = change.old
            if change.joined_to_id is not None:
                row.__dict__["status"] = change.status_before
                row.outcome = Outcome.OPEN
        if kept is not None and change.added_milestones:
            kept.agreed_milestones = [
                step for step in kept.agreed_milestones if step.pk not in change.added_milestones
            ]


def _handed_in(row: Assignment, found: LightVerdict) -> LightVerdict:
    """While the office has the closing no days are left to the body: the sentence says who has it.

    The light itself stays as it was on the day of handing in.
    """
    is_calm = found.reason.code in {"due_in", "due_today", "on_track"}
    if row.status in Assignment.OFFICE_STATES and row.submitted_date and is_calm:
        return replace(found, reason=Reason("handed_in", {"date": row.submitted_date}))
    return found


def _ended(row: Assignment) -> LightVerdict | None:
    """What has ended shows its frozen verdict, not a new calculation."""
    if row.outcome == Outcome.CANCELLED:
        return CANCELLED
    if row.outcome == Outcome.LATE:
        params = {"date": row.completed_date, "days": row.days_late}
        return LightVerdict(Light.DONE_LATE, Reason("completed_late", params))
    if row.outcome == Outcome.ON_TIME:
        return LightVerdict(Light.DONE, Reason("completed", {"date": row.completed_date}))
    return None


def lamp_of_item(item: SupervisionItem, assignments: Sequence[Assignment]) -> Lamp:
    """An item's lamp from its lit shares."""
    shares = [row for row in assignments if row.outcome != Outcome.CANCELLED]
    lead = next((row for row in shares if row.role == Responsibility.LEAD), None)
    others = [row.lamp.verdict for row in shares if row is not lead]
    if item.status == SupervisionItem.Status.CANCELLED:
        found = CANCELLED
    elif item.outcome in (Outcome.LATE, Outcome.ON_TIME) and lead is not None:
        found = lead.lamp.verdict
    else:
        found = item_light(lead.lamp.verdict if lead else None, others)
    return Lamp(
        found.light.value,
        describe(found.reason),
        found,
        lead.lamp.actual_percent if lead else None,
        lead.lamp.scheduled_percent if lead else None,
    )


def light_up_items(
    items: Iterable[SupervisionItem], *, today: date, assignments: QuerySet | None = None
) -> list[SupervisionItem]:
    """The items, each with its `lamp` and its `shares` in the order of the clause."""
    items = list(items)
    rows = Assignment.objects.all() if assignments is None else assignments
    rows = in_clause_order(rows.filter(item__in=[item.pk for item in items]))
    return share_out(items, light_up(rows, today=today))


def in_clause_order(rows: QuerySet) -> QuerySet:
    """Shares item by item, in the order of the clause."""
    return rows.order_by(
        "item_id", "position", F("organization__kind_position"), F("organization__position"), "pk"
    )


def share_out(items: list[SupervisionItem], lit: Iterable[Assignment]) -> list[SupervisionItem]:
    """Give the items their lit shares, in the order these come in, and their `lamp`."""
    shares: dict[int, list[Assignment]] = {}
    for row in lit:
        shares.setdefault(row.item_id, []).append(row)
    for item in items:
        item.shares = shares.get(item.pk, [])
        item.lamp = lamp_of_item(item, item.shares)
    return items


def count_lights(rows: Iterable) -> Counter:
    """How many rows show each light, every light named, in the order of severity."""
    found = Counter(row.lamp.code for row in rows)
    return Counter({light.value: found.get(light.value, 0) for light in LIGHT_ORDER})
