"""The ladder: which reminder or level of urging is due on a day (domain.md, section 6).

Levels climb one at a time, each only after the former was recorded. Up to level 2 they are
automatic; from level 3 upward they are proposed and a named person decides.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import pairwise

from supervision.rules.lights import Reason
from supervision.rules.limits import Unit, shift
from supervision.rules.reasons import describe
from supervision.rules.working_days import WorkingCalendar

LAST_AUTOMATIC = 2
MANUAL_FROM = 5


class Trigger(StrEnum):
    BEFORE = "before"
    OVERDUE = "overdue"
    RETURNED = "returned"
    MANUAL = "manual"


@dataclass(frozen=True)
class Level:
    """One step. `offset` and `unit` say how long before or after the due date it is reached.

    With trigger RETURNED `offset` is the number of send-backs. `or_returned`, `or_yellow_months`
    and `or_red_months` are further ways to reach an OVERDUE level. Audience: duty codes of
    domain.md section 2. Applies only to spans of `applies_from_span_days` working days or more.
    Several reminders share number 0 and differ by code.
    """

    number: int
    code: str
    name: str
    trigger: Trigger
    offset: int
    unit: Unit = Unit.WORKING_DAY
    audience: tuple[str, ...] = ()
    letter_kind: str | None = None
    is_automatic: bool = True
    applies_from_span_days: int = 0
    or_returned: int | None = None
    or_yellow_months: int | None = None
    or_red_months: int | None = None


SHIP_LADDER = (
    Level(
        0,
        "reminder_early",
        "Early reminder",
        Trigger.BEFORE,
        10,
        audience=("liaison",),
        applies_from_span_days=20,
    ),
    Level(0, "reminder", "Due-date reminder", Trigger.BEFORE, 3, audience=("liaison",)),
    Level(
        1,
        "blue",
        "First urging (blue sheet)",
        Trigger.OVERDUE,
        1,
        audience=("liaison", "section"),
        letter_kind="blue",
    ),
    Level(
        2,
        "yellow",
        "Second urging (yellow sheet)",
        Trigger.OVERDUE,
        5,
        audience=("body_head",),
        letter_kind="yellow",
        or_returned=2,
    ),
    Level(
        3,
        "red",
        "Red sheet or circular",
        Trigger.OVERDUE,
        10,
        audience=("body_head", "leader_in_charge"),
        letter_kind="red",
        is_automatic=False,
    ),
    Level(
        4,
        "interview",
        "Interview",
        Trigger.OVERDUE,
        20,
        audience=("leader_in_charge",),
        letter_kind="interview",
        is_automatic=False,
        or_yellow_months=2,
        or_red_months=3,
    ),
    Level(
        5,
        "accountability",
        "Accountability proposal",
        Trigger.MANUAL,
        0,
        audience=("principal",),
        is_automatic=False,
    ),
)


@dataclass(frozen=True)
class LadderFacts:
    """What the ladder asks of one open assignment in its present episode.

    `reached` maps level numbers to the date recorded; under 0 the newest reminder's due-on date.
    `times_returned` counts the send-backs of this episode. `is_urging_held`: an extension filed
    in time waits, nothing is sent. The month counts are months running with a yellow light, and
    red ones.
    """

    due_date: date | None
    today: date
    episode_start_date: date
    times_returned: int = 0
    reached: Mapping[int, date] = field(default_factory=dict, hash=False)
    is_urging_held: bool = False
    start_level: int = 1
    span_working_days: int = 0
    last_returned_date: date | None = None
    yellow_months: int = 0
    red_months: int = 0


@dataclass(frozen=True)
class DueLevel:
    """A level to record. `due_on_date` is the day it was called for, which may be past.

    Only the highest of a catch-up `produces_paper`. Proposed: a named person has to decide.
    """

    level: Level
    due_on_date: date
    produces_paper: bool = True

    @property
    def is_proposed(self) -> bool:
        return not self.level.is_automatic


def next_level(
    facts: LadderFacts, ladder: Sequence[Level], calendar: WorkingCalendar
) -> DueLevel | None:
    """The one level to record now: the lowest urging due, else the newest reminder.

    A missed reminder does not stand in the way of urging.
    """
    due = due_levels(facts, ladder, calendar)
    urging = [step for step in due if step.level.trigger is not Trigger.BEFORE]
    return urging[0] if urging else due[-1] if due else None


def due_levels(
    facts: LadderFacts, ladder: Sequence[Level], calendar: WorkingCalendar
) -> list[DueLevel]:
    """Everything to record by `today`, in order, each with the day it was called for.

    Ends at the first proposed level: what follows waits for a person. Reminders whose date has
    been overtaken are listed too, without paper, so that they can be recorded as missed.
    """
    if facts.is_urging_held:
        return []
    due = _due_reminders(facts, ladder, calendar)
    for level, due_on in _urging_dates(facts, ladder, calendar):
        if level.number in facts.reached:
            continue
        if due_on is None or due_on > facts.today:
            break
        due.append((level, due_on))
        if not level.is_automatic:
            break
    last = len(due) - 1
    is_past = facts.due_date is not None and facts.today > facts.due_date
    return [
        DueLevel(
            level,
            due_on,
            produces_paper=i == last and not (is_past and level.trigger is Trigger.BEFORE),
        )
        for i, (level, due_on) in enumerate(due)
    ]


def may_remind(
    last_reminded_date: date | None, today: date, calendar: WorkingCalendar, gap: int = 3
) -> bool:
    """False while the last urging is less than `gap` working days old."""
    return last_reminded_date is None or calendar.between(last_reminded_date, today) >= gap


def validate_ladder(levels: Sequence[Level], *, gap: int = 0) -> list[str]:
    """What is wrong with a ladder, one sentence each; empty when it can be used.

    `gap` is the least number of working days between two urgings that leave by themselves.
    """
    return [describe(problem) for problem in [*_problems(levels), *_close_steps(levels, gap)]]


def _close_steps(levels: Sequence[Level], gap: int) -> list[Reason]:
    counted = sorted(
        (
            level
            for level in levels
            if level.trigger is Trigger.OVERDUE
            and level.is_automatic
            and level.unit is Unit.WORKING_DAY
        ),
        key=lambda level: level.number,
    )
    return [
        Reason("ladder_close", {"number": level.number, "former": former.number, "gap": gap})
        for former, level in pairwise(counted)
        if 0 < level.offset - former.offset < gap
    ]


def _problems(levels: Sequence[Level]) -> list[Reason]:
    if not levels:
        return [Reason("ladder_empty")]
    problems = []
    codes = Counter(level.code for level in levels)
    problems += [Reason("ladder_duplicate_code", {"code": c}) for c, n in codes.items() if n > 1]
    numbers = Counter(level.number for level in levels)
    for number in range(1, max(numbers) + 1):
        if numbers[number] == 0:
            problems.append(Reason("ladder_gap", {"number": number}))
        elif numbers[number] > 1:
            problems.append(Reason("ladder_duplicate", {"number": number}))
    if any((level.number == 0) != (level.trigger is Trigger.BEFORE) for level in levels):
        problems.append(Reason("ladder_reminder"))
    for level in sorted(levels, key=lambda level: level.number):
        if level.trigger is not Trigger.MANUAL and level.offset < 1:
            problems.append(Reason("ladder_negative", {"number": level.number}))
        if not level.audience:
            problems.append(Reason("ladder_deaf", {"number": level.number}))
        if level.number > LAST_AUTOMATIC and level.is_automatic:
            problems.append(Reason("ladder_automatic", {"number": level.number}))
        if level.number >= MANUAL_FROM and level.trigger is not Trigger.MANUAL:
            problems.append(Reason("ladder_manual"))
    counted = [level for level in levels if level.trigger is Trigger.OVERDUE]
    for former, level in pairwise(sorted(counted, key=lambda level: level.number)):
        if _rough_days(level) <= _rough_days(former) and level.number != former.number:
            params = {"number": level.number, "former": former.number}
            problems.append(Reason("ladder_decreasing", params))
    return problems


def _rough_days(level: Level) -> int:
    """Length in calendar days, for comparing offsets of different units."""
    days = {Unit.WORKING_DAY: 7 / 5, Unit.DAY: 1, Unit.MONTH: 30}
    return level.offset * days[level.unit]


Dated = tuple[Level, date]


def _due_reminders(
    facts: LadderFacts, ladder: Sequence[Level], calendar: WorkingCalendar
) -> list[Dated]:
    """Reminders called for in this episode and newer than the last one recorded."""
    if facts.due_date is None:
        return []
    last_working = calendar.previous_working(facts.due_date)
    dated = [
        (level, shift(last_working, -level.offset, level.unit, calendar))
        for level in ladder
        if level.trigger is Trigger.BEFORE
        and facts.span_working_days >= level.applies_from_span_days
    ]
    recorded = facts.reached.get(0, date.min)
    return sorted(
        (
            (level, due_on)
            for level, due_on in dated
            if facts.episode_start_date <= due_on <= facts.today and due_on > recorded
        ),
        key=lambda step: step[1],
    )


def _urging_dates(
    facts: LadderFacts, ladder: Sequence[Level], calendar: WorkingCalendar
) -> list[tuple[Level, date | None]]:
    """Each level from the start level upward with the day it is called for, if any.

    The start level takes the earliest date of the levels it replaces. An automatic level that is
    called for early (sent back twice) calls for those below it, since none may be skipped.
    """
    levels = sorted(
        (
            level
            for level in ladder
            if level.trigger is not Trigger.BEFORE
            and facts.span_working_days >= level.applies_from_span_days
        ),
        key=lambda level: level.number,
    )
    dated = [(level, _called_for(level, facts, calendar)) for level in levels]
    replaced = [day for level, day in dated if level.number < facts.start_level]
    climbed = [(level, day) for level, day in dated if level.number >= facts.start_level]
    result: list[tuple[Level, date | None]] = []
    from_above: date | None = None
    for level, day in reversed(climbed):
        if level.number == facts.start_level:
            day = _earliest(day, *replaced)
        if level.is_automatic:
            day = from_above = _earliest(day, from_above)
        result.insert(0, (level, day))
    return result


def _called_for(level: Level, facts: LadderFacts, calendar: WorkingCalendar) -> date | None:
    """The day the level's own trigger calls for it; None when nothing does.

    Working days overdue count from the due date, or from the episode's start if that is later:
    work dispatched with a date already past is not escalated at birth.
    """
    if level.trigger is Trigger.MANUAL:
        return None
    noticed = max(facts.last_returned_date or facts.today, facts.episode_start_date)
    if level.trigger is Trigger.RETURNED:
        return noticed if facts.times_returned >= level.offset else None
    days: list[date | None] = []
    if facts.due_date is not None:
        base = max(facts.due_date, facts.episode_start_date)
        days.append(shift(base, level.offset, level.unit, calendar))
    if _has(level.or_returned, facts.times_returned):
        days.append(noticed)
    if _has(level.or_yellow_months, facts.yellow_months) or _has(
        level.or_red_months, facts.red_months
    ):
        days.append(facts.today)
    return _earliest(*days)


def _has(threshold: int | None, count: int) -> bool:
    return threshold is not None and count >= threshold


def _earliest(*days: date | None) -> date | None:
    return min((day for day in days if day is not None), default=None)
