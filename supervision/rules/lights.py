"""Lights: what colour a body's share shows on a given day, and why (domain.md, section 5).

Percentages are Decimal or int. Nothing here is stored; facts come from rows, colours from facts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from supervision.rules.limits import Unit, distance, shift
from supervision.rules.working_days import WorkingCalendar

Percent = Decimal | int


class Light(StrEnum):
    """ORANGE appears only where a scheme asks for it; the one we ship does not."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    BLUE = "blue"
    GREEN = "green"
    GREY = "grey"
    SUSPENDED = "suspended"
    DONE = "done"
    DONE_LATE = "done_late"


# Grey stands above blue: a body that says nothing is not better than one that is near its date.
SEVERITY: dict[Light, int] = {
    light: severity
    for severity, light in enumerate(
        [
            Light.DONE,
            Light.DONE_LATE,
            Light.SUSPENDED,
            Light.GREEN,
            Light.BLUE,
            Light.GREY,
            Light.YELLOW,
            Light.ORANGE,
            Light.RED,
        ]
    )
}
# How a share's light counts on its item: one step weaker (section 5.3).
WEAKER: dict[Light, Light] = {
    Light.RED: Light.YELLOW,
    Light.ORANGE: Light.YELLOW,
    Light.YELLOW: Light.BLUE,
    Light.BLUE: Light.GREEN,
    Light.GREY: Light.GREEN,
    Light.DONE_LATE: Light.DONE,
}


class Freshness(StrEnum):
    FRESH = "fresh"
    STALE = "stale"
    NEVER = "never"


class GapBasis(StrEnum):
    """A gap in percentage points, or as a share of what was scheduled."""

    POINTS = "points"
    SHARE = "share"


@dataclass(frozen=True)
class Reason:
    """Why a light is lit; `reasons.describe` turns it into a sentence."""

    code: str
    params: Mapping[str, object] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class GapStep:
    """The light of a body more than `over` behind (`is_inclusive`: that much or more)."""

    over: Percent
    light: Light
    is_inclusive: bool = False

    def reached_by(self, gap: Percent) -> bool:
        return gap > self.over or (self.is_inclusive and gap == self.over)


@dataclass(frozen=True)
class LightScheme:
    """The thresholds of one kind of item; the defaults are what we ship.

    `overdue_steps` are (calendar days overdue, light), ascending from 1, else ValueError.
    `notice_value` None switches the early blue off, `ahead_points` None the blue for being ahead,
    `missed_months_red` None the red for months missed running.
    """

    warn_value: int = 3
    warn_unit: Unit = Unit.WORKING_DAY
    notice_value: int | None = 10
    notice_unit: Unit = Unit.WORKING_DAY
    notice_min_span: int = 20
    notice_min_span_unit: Unit = Unit.WORKING_DAY
    overdue_steps: tuple[tuple[int, Light], ...] = ((1, Light.RED),)
    gap_basis: GapBasis = GapBasis.POINTS
    gap_steps: tuple[GapStep, ...] = (
        GapStep(10, Light.YELLOW, is_inclusive=True),
        GapStep(30, Light.RED),
    )
    ahead_points: Percent | None = None
    milestone_light: Light = Light.YELLOW
    missed_months_red: int | None = 3
    grace_value: int = 5
    grace_unit: Unit = Unit.WORKING_DAY

    def __post_init__(self) -> None:
        days = [day for day, _light in self.overdue_steps]
        if days[:1] != [1] or days != sorted(set(days)):
            raise ValueError("overdue_steps must ascend from day 1: overdue always has a light")


def scheme_problems(scheme: LightScheme) -> list[Reason]:
    """What is wrong with the thresholds of a scheme; empty when it can be used."""
    problems = []
    for (_day, former), (day, light) in pairwise(scheme.overdue_steps):
        if SEVERITY[light] < SEVERITY[former]:
            problems.append(Reason("scheme_overdue_milder", {"day": day}))
    steps = sorted(scheme.gap_steps, key=lambda step: step.over)
    for step in steps:
        if not 0 <= step.over <= 100:
            problems.append(Reason("scheme_gap_range", {"over": step.over}))
    for former, step in pairwise(steps):
        if SEVERITY[step.light] < SEVERITY[former.light]:
            problems.append(Reason("scheme_gap_milder", {"over": step.over}))
    if (
        scheme.notice_value is not None
        and scheme.notice_unit is scheme.warn_unit
        and scheme.notice_value <= scheme.warn_value
    ):
        params = {"notice": scheme.notice_value, "warn": scheme.warn_value}
        problems.append(Reason("scheme_notice_within_warning", params))
    return problems


SHIP_SCHEME = LightScheme()
# Real schemes of other offices (section 5.2), as data.
QUOTA_SCHEME = LightScheme(
    gap_basis=GapBasis.SHARE, gap_steps=(GapStep(20, Light.BLUE), GapStep(40, Light.YELLOW))
)
SHORTFALL_SCHEME = LightScheme(
    gap_basis=GapBasis.SHARE, gap_steps=(GapStep(0, Light.YELLOW), GapStep(50, Light.RED))
)
THREE_STEP_SCHEME = LightScheme(
    overdue_steps=((1, Light.YELLOW), (8, Light.ORANGE), (16, Light.RED))
)
EARLY_IS_BLUE_SCHEME = LightScheme(
    notice_value=None,
    ahead_points=0,
    gap_steps=(GapStep(0, Light.YELLOW),),
    missed_months_red=None,
)


@dataclass(frozen=True)
class LightFacts:
    """What is known of one assignment. Ongoing work has no `due_date` and no time light.

    `submitted_date` is set while the closing is under review or approved, and once completed: the
    clock stops there. `rework_due_date` and `reviewer_credit_days` (working days the reviewer
    held it too long) move the deadline, but not when `was_overdue`: an episode that once turned
    red is not repaired by a rework limit.
    `last_closed_period_due` is the due date of the report period to judge, see `period_to_judge`.
    """

    due_date: date | None
    original_due_date: date | None = None
    start_date: date | None = None
    is_dispatched: bool = True
    suspended_since: date | None = None
    suspension_basis: str = ""
    completed_date: date | None = None
    submitted_date: date | None = None
    rework_due_date: date | None = None
    was_overdue: bool = False
    actual_percent: Percent | None = None
    scheduled_percent: Percent | None = None
    missed_milestones: tuple[tuple[str, date], ...] = ()
    months_missed: int = 0
    last_report_date: date | None = None
    has_reported: bool = False
    last_closed_period_due: date | None = None
    last_closed_period_covered: bool = False
    reviewer_credit_days: int = 0


@dataclass(frozen=True)
class LightVerdict:
    """The light shown and its reason, with both underlying lights (None where not judged).

    `is_stale_marked`: a warning colour that also lacks a recent report.
    """

    light: Light
    reason: Reason
    time_light: Light | None = None
    time_reason: Reason | None = None
    progress_light: Light | None = None
    progress_reason: Reason | None = None
    freshness: Freshness | None = None
    is_stale_marked: bool = False

    @property
    def is_overdue(self) -> bool:
        return self.time_reason is not None and self.time_reason.code == "overdue"


Judged = tuple[Light, Reason]
ON_TRACK = Reason("on_track")


def verdict(
    facts: LightFacts,
    today: date,
    calendar: WorkingCalendar,
    scheme: LightScheme = SHIP_SCHEME,
) -> LightVerdict:
    """The light on `today`: the worse of time and progress, greyed when nobody reports.

    The due date itself is on time; red begins on the calendar day after it.
    """
    deadline = deadline_of(facts, calendar)
    if facts.completed_date is not None:
        return _completed(facts.submitted_date or facts.completed_date, deadline)
    if not facts.is_dispatched:
        return LightVerdict(Light.GREY, Reason("not_dispatched"))
    if facts.suspended_since is not None:
        params = {"since": facts.suspended_since, "basis": facts.suspension_basis}
        return LightVerdict(Light.SUSPENDED, Reason("suspended", params))

    clock = facts.submitted_date or today
    time = _time_light(clock, deadline, facts.start_date, calendar, scheme)
    progress = _progress_light(facts, scheme)
    light, reason = _worse(time, progress)
    freshness = _freshness(facts, today, calendar, scheme)
    is_silent = freshness in {Freshness.STALE, Freshness.NEVER}
    is_calm = light in {Light.GREEN, Light.BLUE}
    if is_silent and is_calm:
        light, reason = Light.GREY, _silence(facts)
    return LightVerdict(
        light,
        reason,
        *time,
        *(progress or (None, None)),
        freshness=freshness,
        is_stale_marked=is_silent and not is_calm,
    )


def deadline_of(facts: LightFacts, calendar: WorkingCalendar) -> date | None:
    """The last day that is on time: the due date with the reviewer's delay and rework allowed."""
    if facts.due_date is None or facts.was_overdue:
        return facts.due_date
    credited = calendar.add(facts.due_date, facts.reviewer_credit_days)
    return max(credited, facts.rework_due_date or credited)


def period_to_judge(
    due_dates: Iterable[date],
    today: date,
    calendar: WorkingCalendar,
    scheme: LightScheme = SHIP_SCHEME,
) -> date | None:
    """The latest of these period due dates whose grace has run out, None if none has.

    Judging the newest closed period instead would call silence fresh during each grace.
    """
    judged = (due for due in due_dates if _is_past_grace(due, today, calendar, scheme))
    return max(judged, default=None)


def worst(lights: Iterable[Light]) -> Light:
    """The most severe of these; grey when there are none."""
    return max(lights, key=SEVERITY.__getitem__, default=Light.GREY)


def item_light(lead: LightVerdict | None, shares: Sequence[LightVerdict]) -> LightVerdict:
    """The item's light: its lead's, or its shares' one step weaker where that is still worse.

    The reason then counts the shares: `shares_overdue`, `shares_behind` or `shares_open`.
    """
    lead = lead or LightVerdict(Light.GREY, Reason("not_dispatched"))
    counted = [WEAKER.get(share.light, share.light) for share in shares]
    light = worst([lead.light, *counted])
    if light is lead.light:
        return lead
    overdue = sum(share.is_overdue for share in shares)
    if overdue:
        reason = Reason("shares_overdue", {"count": overdue})
    elif SEVERITY[light] > SEVERITY[Light.GREEN]:
        reason = Reason("shares_behind", {"count": counted.count(light)})
    else:
        reason = Reason("shares_open", {"count": counted.count(light)})
    return replace(lead, light=light, reason=reason)


def _completed(completed_on: date, deadline: date | None) -> LightVerdict:
    days = (completed_on - deadline).days if deadline else 0
    if days > 0:
        params = {"date": completed_on, "days": days}
        return LightVerdict(Light.DONE_LATE, Reason("completed_late", params))
    return LightVerdict(Light.DONE, Reason("completed", {"date": completed_on}))


def _time_light(
    clock: date,
    deadline: date | None,
    start: date | None,
    calendar: WorkingCalendar,
    scheme: LightScheme,
) -> Judged:
    if deadline is None:
        return Light.GREEN, ON_TRACK
    days_over = (clock - deadline).days
    if days_over > 0:
        reached = [light for days, light in scheme.overdue_steps if days <= days_over]
        return reached[-1], Reason("overdue", {"days": days_over})
    if days_over == 0:
        return Light.YELLOW, Reason("due_today", {"date": deadline})

    def is_within(value: int, unit: Unit) -> bool:
        return distance(clock, deadline, unit, calendar) <= value

    due_in = Reason("due_in", {"days": calendar.between(clock, deadline), "date": deadline})
    if is_within(scheme.warn_value, scheme.warn_unit):
        return Light.YELLOW, due_in
    is_long = start is not None and (
        distance(start, deadline, scheme.notice_min_span_unit, calendar) >= scheme.notice_min_span
    )
    if (
        is_long
        and scheme.notice_value is not None
        and is_within(scheme.notice_value, scheme.notice_unit)
    ):
        return Light.BLUE, due_in
    return Light.GREEN, ON_TRACK


def _progress_light(facts: LightFacts, scheme: LightScheme) -> Judged | None:
    """None when there is neither a schedule nor a missed milestone to judge by."""
    candidates: list[Judged] = []
    if scheme.missed_months_red is not None and facts.months_missed >= scheme.missed_months_red:
        candidates.append((Light.RED, Reason("months_missed", {"months": facts.months_missed})))
    if facts.missed_milestones:
        title, planned = min(facts.missed_milestones, key=lambda milestone: milestone[1])
        reason = Reason("milestone_missed", {"title": title, "date": planned})
        candidates.append((scheme.milestone_light, reason))
    if facts.actual_percent is not None and facts.scheduled_percent is not None:
        candidates.append(_gap_light(facts.actual_percent, facts.scheduled_percent, scheme))
    return max(candidates, key=lambda judged: SEVERITY[judged[0]], default=None)


def _gap_light(actual: Percent, scheduled: Percent, scheme: LightScheme) -> Judged:
    points = scheduled - actual
    gap: Percent = points
    if scheme.gap_basis is GapBasis.SHARE:
        gap = Decimal(points) * 100 / Decimal(scheduled) if scheduled else 0
    reached = [step.light for step in scheme.gap_steps if step.reached_by(gap)]
    if reached:
        return worst(reached), Reason("behind", {"gap": points})
    if scheme.ahead_points is not None and -points > scheme.ahead_points:
        return Light.BLUE, Reason("ahead", {"gap": -points})
    return Light.GREEN, ON_TRACK


def _worse(time: Judged, progress: Judged | None) -> Judged:
    if progress is not None and SEVERITY[progress[0]] > SEVERITY[time[0]]:
        return progress
    return time


def _freshness(
    facts: LightFacts, today: date, calendar: WorkingCalendar, scheme: LightScheme
) -> Freshness | None:
    due = facts.last_closed_period_due
    if due is None:
        return None
    if facts.last_closed_period_covered or not _is_past_grace(due, today, calendar, scheme):
        return Freshness.FRESH
    return Freshness.STALE if facts.has_reported else Freshness.NEVER


def _is_past_grace(due: date, today: date, calendar: WorkingCalendar, scheme: LightScheme) -> bool:
    return today > shift(due, scheme.grace_value, scheme.grace_unit, calendar)


def _silence(facts: LightFacts) -> Reason:
    if facts.has_reported:
        return Reason("stale", {"last_date": facts.last_report_date})
    return Reason("never_reported")
