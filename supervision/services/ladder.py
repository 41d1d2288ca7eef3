"""Deciding the steps of the ladder: which shares are due for which step, and since when.

Reads what stands on record; writes nothing. Source: domain.md, the ladder of urging.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from supervision.models import (
    Assignment,
    EscalationLevel,
    Event,
    EventKind,
)
from supervision.rules.escalation import (
    SHIP_LADDER,
    DueLevel,
    LadderFacts,
    Level,
    Trigger,
    due_levels,
)
from supervision.rules.limits import Unit, add_months, shift
from supervision.rules.reasons import level_name
from supervision.rules.working_days import WorkingCalendar
from supervision.services.effects import BODY, ONE_DAY, Effect, has_fact, is_held_open
from supervision.services.questions import ask
from supervision.services.settings import (
    as_level,
    read_start_levels,
    stored_start_levels,
    working_calendar,
)
from supervision.together import read_together

LADDER_KINDS = (EventKind.REMINDER_DUE, EventKind.ESCALATED, EventKind.ESCALATION_PROPOSED)
RETURNING = (EventKind.SENT_BACK, EventKind.CHECK_FAILED)
# A later date by decision begins the count of send-backs anew; a rework limit does not.
FRESH_START = (EventKind.EXTENSION_GRANTED, EventKind.RESUMED, EventKind.REOPENED)


@dataclass(frozen=True)
class ArmedLevel:
    """A step in use; it reaches nothing that was called for before `armed_from_date`."""

    level: Level
    name: str
    armed_from_date: date | None = None

    @property
    def prefix(self) -> str:
        if self.level.trigger is Trigger.BEFORE:
            return "reminder"
        return "escalated" if self.level.is_automatic else "proposed"

    @property
    def label(self) -> str:
        """What stands in the key for the step: reminders share number 0 and differ by code."""
        return self.level.code if self.prefix == "reminder" else str(self.level.number)


def armed_ladder() -> list[ArmedLevel]:
    """The steps in use with the day each was armed; the shipped ladder if none is stored."""
    return as_armed(EscalationLevel.objects.filter(is_active=True))


def as_armed(rows: Iterable[EscalationLevel]) -> list[ArmedLevel]:
    """Stored steps of the ladder; the shipped ladder if there is none."""
    return [ArmedLevel(as_level(row), row.name, row.armed_from_date) for row in rows] or [
        ArmedLevel(level, level_name(level.code, level.name)) for level in SHIP_LADDER
    ]


def ladder_effects(
    today: date, ladder: Sequence[ArmedLevel], start_levels: Mapping[str, int] | None = None
) -> list[Effect]:
    """What a ladder calls for by `today` and is not on record: for a preview of one not in use."""
    return list(ladder_steps(today, working_calendar(), ladder, start_levels))


def ladder_steps(
    today: date,
    calendar: WorkingCalendar,
    armed: Sequence[ArmedLevel],
    start_levels: Mapping[str, int] | None = None,
    *,
    is_wide: bool = False,
) -> Iterator[Effect]:
    ladder = [step for step in armed if step.level.trigger is not Trigger.MANUAL]
    if not ladder:
        return
    reaches = tuple(_reaches(today, ladder, calendar))

    def candidates() -> QuerySet:
        return _candidates(reaches).select_related("item").order_by("pk")

    rows = list(ask(("ladder", reaches), candidates, is_wide=is_wide))
    if not rows:
        return
    histories = _histories(_candidates(reaches))
    starts = read_start_levels() if start_levels is None else start_levels
    for row in rows:
        yield from _steps_of(row, histories[row.pk], today, calendar, ladder, starts)


def _steps_of(
    row: Assignment,
    history: "History",
    today: date,
    calendar: WorkingCalendar,
    ladder: list[ArmedLevel],
    starts: Mapping[str, int],
) -> Iterator[Effect]:
    """The steps one share is due for on a day and that are not on record."""
    levels = {step.level.code: step for step in ladder}
    facts = _ladder_facts(row, history, today, calendar, starts)
    for due in _armed_steps(facts, ladder, calendar):
        effect = _ladder_effect(row, due, levels[due.level.code], today)
        if effect.fact_key not in history.keys:
            yield effect


def ladder_ahead(days: Sequence[date], calendar: WorkingCalendar) -> Iterator[tuple[date, Effect]]:
    """Each step with the first of these days it is due on.

    What may be due on any of them may be due on the last: the bounds only move forward.
    """
    read = read_together(
        levels=EscalationLevel.objects.filter(is_active=True), starts=stored_start_levels()
    )
    armed, starts = as_armed(read["levels"]), dict(read["starts"])
    ladder = [step for step in armed if step.level.trigger is not Trigger.MANUAL]
    if not ladder:
        return
    reaches = tuple(_reaches(days[-1], ladder, calendar))
    rows = list(_candidates(reaches).select_related("item").order_by("pk"))
    histories = _histories(_candidates(reaches)) if rows else {}
    seen: set[str] = set()
    for day in days:
        for row in rows:
            for effect in _steps_of(row, histories[row.pk], day, calendar, ladder, starts):
                if effect.fact_key not in seen:
                    seen.add(effect.fact_key)
                    yield day, effect


@dataclass(frozen=True)
class Reach:
    """Where one step may be due: its key, and what a row must show. A superset of what is due.

    `due_until` is the latest due date the step can call for; without it the row must have been
    sent back `times_returned` times. An episode older than `since` was passed over when the step
    was armed. `unless` is a key that must not be on record either, `decided` a level a person
    must have decided on before.
    """

    prefix: str
    label: str
    due_until: date | None = None
    times_returned: int = 0
    since: date | None = None
    unless: tuple[str, str] | None = None
    decided: int | None = None


def _reaches(today: date, ladder: list[ArmedLevel], calendar: WorkingCalendar) -> Iterator[Reach]:
    urging = sorted(
        (step for step in ladder if step.level.trigger is not Trigger.BEFORE),
        key=lambda step: step.level.number,
    )
    for step in ladder:
        level = step.level
        reach = Reach(step.prefix, step.label)
        if step.armed_from_date is not None and level.trigger is not Trigger.RETURNED:
            since = _back(step.armed_from_date, level.offset, level.unit, calendar) - 10 * ONE_DAY
            reach = replace(reach, since=since)
        before = [other for other in urging if other.level.number < level.number]
        if before and not before[-1].level.is_automatic and before[-1].armed_from_date is None:
            reach = replace(reach, decided=before[-1].level.number)
        if level.trigger is Trigger.RETURNED:
            yield replace(reach, times_returned=level.offset)
        elif level.trigger is Trigger.BEFORE:
            # Reminders are written before the first urging; after it none is missing.
            unless = (urging[0].prefix, urging[0].label) if urging else None
            yield replace(reach, due_until=_latest_due(today, level, calendar), unless=unless)
        else:
            has_months = level.or_yellow_months is not None or level.or_red_months is not None
            overdue = _back(today, 0 if has_months else level.offset, level.unit, calendar)
            yield replace(reach, due_until=min(overdue, today - ONE_DAY))
            if level.or_returned is not None:
                yield replace(reach, times_returned=level.or_returned)


def _candidates(reaches: Sequence[Reach]) -> QuerySet:
    """Rows for which some step may be due and is not recorded: a superset, found by index.

    A union of narrow questions and not one wide condition: PostgreSQL answers an OR of missing
    facts by reading the whole ledger once for each of them.
    """
    first, *others = [_within(reach).order_by().values("pk") for reach in reaches]
    found_pks = first.union(*others, all=True) if others else first
    return Assignment.objects.filter(~is_held_open(), pk__in=found_pks)


def _within(reach: Reach) -> QuerySet:
    rows = Assignment.objects.filter(
        BODY, ~has_fact(f"={reach.prefix}", "pk", f"={reach.label}", "episode")
    )
    if reach.due_until is not None:
        rows = rows.filter(due_date__lte=reach.due_until)
    else:
        # The first condition is the one of the partial index.
        rows = rows.filter(times_returned__gt=0).filter(times_returned__gte=reach.times_returned)
    if reach.since is not None:
        rows = rows.filter(
            Q(due_date__gte=reach.since)
            | Q(episode_start_date__gte=reach.since)
            | Q(times_returned__gt=0)
        )
    if reach.unless is not None:
        prefix, label = reach.unless
        rows = rows.filter(~has_fact(f"={prefix}", "pk", f"={label}", "episode"))
    if reach.decided is not None:
        rows = rows.filter(has_fact("=decided", "pk", f"={reach.decided}", "episode"))
    return rows


def _back(day: date, value: int, unit: Unit, calendar: WorkingCalendar) -> date:
    """The latest day after which `value` units have passed by `day`; for months a little later."""
    if unit is Unit.WORKING_DAY and value:
        return calendar.add(calendar.previous_working(day), 1 - value) - ONE_DAY
    if unit is Unit.MONTH:
        return add_months(day, -value) + 3 * ONE_DAY
    return day - timedelta(days=value)


def _latest_due(today: date, level: Level, calendar: WorkingCalendar) -> date:
    """No due date after this one can call for the reminder on `today`."""
    start = calendar.previous_working(today) if level.unit is Unit.WORKING_DAY else today
    reach = shift(start, level.offset, level.unit, calendar)
    if level.unit is Unit.MONTH:
        reach += 3 * ONE_DAY
    return calendar.add(reach, 1) - ONE_DAY


@dataclass
class History:
    """What the ladder has already done to one row, and what happened to it."""

    keys: set[str] = field(default_factory=set)
    reached: dict[tuple[int, int], date] = field(default_factory=dict)
    returned: list[date] = field(default_factory=list)
    lights: list[str] = field(default_factory=list)


def _histories(candidates: QuerySet) -> dict[int, History]:
    """The events the ladder asks about, for all candidates in one query."""
    histories: dict[int, History] = defaultdict(History)
    events = (
        Event.objects.filter(
            assignment__in=candidates.values("pk"),
            kind__in=[
                *LADDER_KINDS,
                EventKind.ESCALATION_DECIDED,
                EventKind.PERIOD_CLOSED,
                *RETURNING,
                *FRESH_START,
            ],
        )
        .order_by("assignment_id", "happened_at", "pk")
        .values_list("assignment_id", "kind", "fact_key", "happened_at", "data")
    )
    for assignment_id, kind, fact_key, happened_at, data in events:
        history = histories[assignment_id]
        day = timezone.localdate(happened_at)
        if fact_key:
            history.keys.add(fact_key)
        if kind in FRESH_START:
            history.returned.clear()
        elif kind in RETURNING:
            history.returned.append(day)
        elif kind == EventKind.PERIOD_CLOSED:
            history.lights.append(data.get("light", ""))
        elif kind == EventKind.REMINDER_DUE:
            history.reached[0, data["episode"]] = date.fromisoformat(data["due_on_date"])
        elif kind == EventKind.ESCALATED:
            history.reached[data["level"], data["episode"]] = day
        elif kind == EventKind.ESCALATION_DECIDED and fact_key:
            # What a person decides is reached with the decision, issued or not.
            _decided, _pk, level, episode = fact_key.split(":")
            history.reached[int(level), int(episode)] = day
    return histories


def _ladder_facts(
    row: Assignment,
    history: History,
    today: date,
    calendar: WorkingCalendar,
    start_levels: Mapping[str, int],
) -> LadderFacts:
    is_monthly = row.cycle == "monthly"
    return LadderFacts(
        due_date=row.due_date,
        today=today,
        episode_start_date=row.episode_start_date,
        times_returned=len(history.returned),
        reached={
            number: day
            for (number, episode), day in history.reached.items()
            if episode == row.episode
        },
        start_level=start_levels.get(row.item.urgency, 1),
        span_working_days=calendar.between(row.dispatched_date, row.due_date)
        if row.due_date
        else 0,
        last_returned_date=history.returned[-1] if history.returned else None,
        yellow_months=_streak(history.lights, "yellow") if is_monthly else 0,
        red_months=_streak(history.lights, "red") if is_monthly else 0,
    )


def _streak(lights: Iterable[str], light: str) -> int:
    """How many of the last lights running are this one."""
    count = 0
    for found in reversed(list(lights)):
        if found != light:
            break
        count += 1
    return count


def _armed_steps(
    facts: LadderFacts, ladder: list[ArmedLevel], calendar: WorkingCalendar
) -> list[DueLevel]:
    """The steps due, without those called for before they were armed: these are passed over."""
    levels = [step.level for step in ladder]
    armed = {step.level.code: step.armed_from_date for step in ladder}
    while True:
        due = due_levels(facts, levels, calendar)
        old = {
            step.level.code
            for step in due
            if armed[step.level.code] is not None and step.due_on_date < armed[step.level.code]
        }
        if not old:
            return due
        passed = {
            step.level.number: step.due_on_date
            for step in due
            if step.level.code in old and step.level.number
        }
        facts = replace(facts, reached={**facts.reached, **passed})
        levels = [level for level in levels if level.code not in old]


def _ladder_effect(row: Assignment, due: DueLevel, step: ArmedLevel, today: date) -> Effect:
    is_reminder = due.level.trigger is Trigger.BEFORE
    is_stale = (today - due.due_on_date).days > settings.STALE_AFTER_DAYS
    kind = {
        "reminder": EventKind.REMINDER_DUE,
        "escalated": EventKind.ESCALATED,
        "proposed": EventKind.ESCALATION_PROPOSED,
    }[step.prefix]
    return Effect(
        kind,
        f"{step.prefix}:{row.pk}:{step.label}:{row.episode}",
        row.pk,
        due.due_on_date,
        data={
            "level": due.level.number,
            "code": due.level.code,
            "name": step.name,
            "due_on_date": due.due_on_date.isoformat(),
            "due_date": row.due_date and row.due_date.isoformat(),
            "episode": row.episode,
            "audience": list(due.level.audience),
            "letter_kind": due.level.letter_kind or "",
            # Only the highest of a catch-up is sent; a reminder out of date is on record only.
            "is_sent": due.produces_paper and not (is_reminder and is_stale),
        },
        expects={"due_date": row.due_date, "episode": row.episode},
    )
