"""Facts of the calendar: what is due as of a day, and writing it once.

Deciding and acting are two functions. `due_effects` says what should exist on a day and has no
row yet; `apply_effect` writes one of them. A dry run and every preview share the first and never
reach the second. Missing a run loses nothing: the question is never "what was yesterday" but
"what is due and not in the ledger" (reliability.md, section 2).
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import CharField, Exists, F, Func, Min, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from supervision.models import (
    Assignment,
    EscalationLevel,
    Event,
    EventKind,
    ExtensionRequest,
    Hold,
    Milestone,
    ReportPeriod,
)
from supervision.overview import Lamp, light_up
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
from supervision.services import letters
from supervision.services.acts import ActRefused, record_event
from supervision.services.questions import ask
from supervision.services.settings import (
    as_level,
    read_start_levels,
    stored_start_levels,
    working_calendar,
)
from supervision.together import read_together

logger = logging.getLogger(__name__)

ONE_DAY = timedelta(days=1)
# The closing paper is with the office; the body's clock stands still.
HANDED_IN = (Assignment.Status.UNDER_REVIEW, Assignment.Status.APPROVED)
LADDER_KINDS = (EventKind.REMINDER_DUE, EventKind.ESCALATED, EventKind.ESCALATION_PROPOSED)
RETURNING = (EventKind.SENT_BACK, EventKind.CHECK_FAILED)
# A later date by decision begins the count of send-backs anew; a rework limit does not.
FRESH_START = (EventKind.EXTENSION_GRANTED, EventKind.RESUMED, EventKind.REOPENED)


@dataclass(frozen=True)
class Effect:
    """A fact that should exist: `on_date` is its day, `expects` what the row must still hold."""

    kind: EventKind
    fact_key: str
    assignment_id: int
    on_date: date
    data: Mapping[str, Any] = field(default_factory=dict, hash=False)
    expects: Mapping[str, Any] = field(default_factory=dict, hash=False)
    milestone_id: int | None = None
    period_id: int | None = None


def due_effects(today: date, *, is_wide: bool = False) -> list[Effect]:
    """Everything that should be on record by `today` and is not, oldest first.

    The number of queries does not depend on the number of rows; closed report periods cost one
    reading of lights for each distinct return day. `is_wide` also looks where a timely sweep
    leaves nothing to find: at work handed in after its date while no sweep ran.
    """
    calendar = working_calendar()
    effects = [
        *_not_signed_for(today, is_wide=is_wide),
        *_became_overdue(today, is_wide=is_wide),
        *_missed_milestones(today, is_wide=is_wide),
        *_closed_periods(today, is_wide=is_wide),
        *_ladder_steps(today, calendar, armed_ladder(), is_wide=is_wide),
    ]
    # The same order on every database; within one share and ladder the order of deciding is kept.
    return sorted(effects, key=_order)


def foreseen_effects(days: Sequence[date]) -> list[tuple[date, list[Effect]]]:
    """What a sweep finds on each of these days and on none before, if nobody does anything.

    `days` are local days running, the first one today. Six statements, whatever their number:
    everything that will be due is read as of the last day. The verdict on a report period comes
    without its light, which belongs to the day and goes to nobody.
    """
    calendar, last = working_calendar(), days[-1]
    found = read_together(
        unsigned=_unsigned(last),
        overdue=_overdue(last),
        missed=_missed(last),
        owed=_owed_rows(_owed_periods(last)),
    )
    by_day: dict[date, list[Effect]] = {day: [] for day in days}
    for effect in (
        *_unsigned_effects(found["unsigned"]),
        *_overdue_effects(found["overdue"]),
        *_missed_effects(found["missed"]),
        *_closing_effects(found["owed"]),
    ):
        by_day[max(effect.on_date, days[0])].append(effect)
    for day, effect in _ladder_ahead(days, calendar):
        by_day[day].append(effect)
    return [(day, sorted(effects, key=_order)) for day, effects in by_day.items()]


def _order(effect: Effect) -> tuple:
    return (
        effect.on_date,
        effect.assignment_id,
        effect.milestone_id or 0,
        effect.period_id or 0,
    )


@transaction.atomic
def apply_effect(effect: Effect, *, recorded_at: datetime) -> Event | None:
    """Write one fact, in its own transaction; None if it is there already or no longer due."""
    rows = Assignment.objects.select_for_update(of=("self",))
    assignment = rows.select_related("item", "organization").get(pk=effect.assignment_id)
    if not _is_still_due(effect, assignment):
        return None
    if letters.letter_kind_for(effect.kind, effect.data):
        return _write_with_letter(effect, assignment, recorded_at)
    return _write(effect, assignment, recorded_at)


def _write(effect: Effect, assignment: Assignment, recorded_at: datetime, **data) -> Event | None:
    return record_event(
        effect.kind,
        assignment=assignment,
        milestone_id=effect.milestone_id,
        period_id=effect.period_id,
        by=None,
        at=midnight(effect.on_date),
        recorded_at=recorded_at,
        fact_key=effect.fact_key,
        data=_with_delay(effect, recorded_at) | data,
    )


def _with_delay(effect: Effect, recorded_at: datetime) -> dict[str, Any]:
    """The fact's data; `late_by_days` when it is written on a later local day than its own."""
    late_by_days = (timezone.localdate(recorded_at) - effect.on_date).days
    return {**effect.data, "late_by_days": late_by_days} if late_by_days > 0 else dict(effect.data)


def _write_with_letter(
    effect: Effect, assignment: Assignment, recorded_at: datetime
) -> Event | None:
    """The fact and the letter it calls for, in one transaction; once, under the fact's own key.

    The share is locked, so nobody else can write the same fact between the look and the number.
    A letter that may not leave by itself stays a draft: it never costs the fact.
    """
    if Event.objects.filter(fact_key=effect.fact_key).exists():
        return None
    if effect.kind == EventKind.ESCALATED:
        try:
            with transaction.atomic():
                kind = letters.letter_kind_for(effect.kind, effect.data)
                number = letters.take_number(kind, at=recorded_at)
                event = _write(effect, assignment, recorded_at, letter_number=number.text)
                letters.letter_for_event(event, at=recorded_at, number=number)
                return event
        except ActRefused as refusal:
            logger.warning("%s: the letter stays a draft: %s", effect.fact_key, refusal.message)
    event = _write(effect, assignment, recorded_at)
    letters.letter_for_event(event, at=recorded_at)
    return event


def midnight(day: date) -> datetime:
    """00:00 local of that day."""
    return timezone.make_aware(datetime.combine(day, time.min))


def _is_still_due(effect: Effect, assignment: Assignment) -> bool:
    """The white list of states once more, under the lock."""
    if any(getattr(assignment, name) != value for name, value in effect.expects.items()):
        return False
    if effect.milestone_id is not None:
        planned = date.fromisoformat(effect.data["planned_date"])
        return Milestone.objects.filter(pk=effect.milestone_id, planned_date=planned).exclude(
            status__in=[Milestone.Status.COMPLETED, Milestone.Status.CANCELLED]
        ).exists() and (assignment.status in Assignment.BODY_STATES or _is_handed_in(assignment))
    if effect.period_id is not None:
        owed = ReportPeriod.objects.filter(
            pk=effect.period_id, status=ReportPeriod.Status.OPEN
        ).exists()
        return owed and (assignment.status in Assignment.BODY_STATES or _is_handed_in(assignment))
    if effect.kind == EventKind.ACCEPT_OVERDUE:
        return assignment.status == Assignment.Status.PENDING
    if effect.kind in LADDER_KINDS:
        return assignment.status in Assignment.BODY_STATES and not (
            assignment.extensions.filter(IN_TIME_REQUEST).exists()
        )
    return assignment.status in Assignment.BODY_STATES or _is_handed_in(assignment)


def _is_handed_in(assignment: Assignment) -> bool:
    return assignment.status in HANDED_IN


# Keys and states


class _SpelledOut(Func):
    """A state written into the statement itself instead of being bound as a parameter."""

    template = "'%(state)s'"
    arity = 0
    output_field = CharField()

    def __init__(self, state: str) -> None:
        if not state.replace("_", "").isalpha():
            raise ValueError(f"not a state: {state!r}")
        super().__init__(state=state)


def spelled_out(*states: str) -> list[Func]:
    """Values for `status__in` in the words and the order of a partial index's condition.

    SQLite uses such an index only when it finds the same list; of parameters it knows nothing.
    """
    return [_SpelledOut(state) for state in states]


def _has_fact(*parts) -> Exists:
    """Whether an event with this key exists; strings starting with "=" are taken literally."""
    pieces: list = []
    for part in parts:
        if pieces:
            pieces.append(Value(":"))
        literal = part.startswith("=")
        pieces.append(Value(part[1:]) if literal else Cast(OuterRef(part), CharField()))
    return Exists(Event.objects.filter(fact_key=Concat(*pieces, output_field=CharField())))


# Signing, due dates, milestones


def _not_signed_for(today: date, *, is_wide: bool) -> Iterator[Effect]:
    rows = ask(("accept", today), lambda: _unsigned(today), is_wide=is_wide)
    return _unsigned_effects(rows)


def _unsigned(today: date) -> QuerySet:
    return Assignment.objects.filter(
        ~_has_fact("=accept", "pk", "accept_due_date"),
        status=Assignment.Status.PENDING,
        accept_due_date__lt=today,
    ).values_list("pk", "accept_due_date", "episode")


def _unsigned_effects(rows: Iterable[tuple]) -> Iterator[Effect]:
    for pk, accept_by, episode in rows:
        yield Effect(
            EventKind.ACCEPT_OVERDUE,
            f"accept:{pk}:{accept_by}",
            pk,
            accept_by + ONE_DAY,
            data={"accept_due_date": accept_by.isoformat(), "episode": episode},
            expects={"accept_due_date": accept_by},
        )


# As the partial index of open due dates says it: see `spelled_out`.
BODY = Q(status__in=spelled_out("pending", "in_progress", "returned"))
IN_TIME_REQUEST = Q(
    status__in=[ExtensionRequest.Status.SUBMITTED, ExtensionRequest.Status.ENDORSED],
    is_late=False,
)


def _is_held() -> Exists:
    return Exists(ExtensionRequest.objects.filter(IN_TIME_REQUEST, assignment=OuterRef("pk")))


def _became_overdue(today: date, *, is_wide: bool) -> Iterator[Effect]:
    rows = ask(("overdue", today), lambda: _overdue(today, is_wide=is_wide), is_wide=is_wide)
    return _overdue_effects(rows)


def _overdue(today: date, *, is_wide: bool = False) -> QuerySet:
    who = BODY
    if is_wide:
        who |= Q(status__in=HANDED_IN, submitted_date__gt=F("due_date"))
    return (
        Assignment.objects.filter(who, ~_has_fact("=overdue", "pk", "episode"), due_date__lt=today)
        .annotate(is_held=_is_held())
        .values_list("pk", "due_date", "original_due_date", "episode", "is_held")
    )


def _overdue_effects(rows: Iterable[tuple]) -> Iterator[Effect]:
    for pk, due, original, episode, is_held in rows:
        yield Effect(
            EventKind.BECAME_OVERDUE,
            f"overdue:{pk}:{episode}",
            pk,
            due + ONE_DAY,
            data={
                "due_date": due.isoformat(),
                "original_due_date": original.isoformat(),
                "episode": episode,
                "light": "red",
                "reason": {"code": "overdue", "days": 1},
                "is_urging_held": is_held,
            },
            expects={"due_date": due, "episode": episode},
        )


def _missed_milestones(today: date, *, is_wide: bool) -> Iterator[Effect]:
    rows = ask(("milestones", today), lambda: _missed(today, is_wide=is_wide), is_wide=is_wide)
    return _missed_effects(rows)


def _missed(today: date, *, is_wide: bool = False) -> QuerySet:
    open_states = Q(status__in=spelled_out("planned", "in_progress", "returned"))
    whose = Q(assignment__status__in=Assignment.BODY_STATES)
    if is_wide:
        open_states |= Q(status=Milestone.Status.UNDER_REVIEW, actual_date__gt=F("planned_date"))
        whose |= Q(assignment__status__in=HANDED_IN) & Q(
            assignment__submitted_date__gt=F("planned_date")
        )

    return (
        Milestone.objects.order_by()
        .filter(
            open_states,
            whose,
            ~_has_fact("=milestone", "pk", "planned_date"),
            planned_date__lt=today,
        )
        .values_list("pk", "assignment_id", "title", "planned_date", "assignment__episode")
    )


def _missed_effects(rows: Iterable[tuple]) -> Iterator[Effect]:
    for pk, assignment_id, title, planned, episode in rows:
        yield Effect(
            EventKind.MILESTONE_MISSED,
            f"milestone:{pk}:{planned}",
            assignment_id,
            planned + ONE_DAY,
            data={"title": title, "planned_date": planned.isoformat(), "episode": episode},
            milestone_id=pk,
        )


# Report periods


def _owed_periods(today: date) -> QuerySet:
    """Returns whose day has passed without a frozen verdict, and that were owed on that day."""
    on_hold = Hold.objects.filter(
        Q(end_date=None) | Q(end_date__gt=OuterRef("due_date")),
        assignment=OuterRef("assignment"),
        start_date__lte=OuterRef("due_date"),
    )
    reopened_since = Event.objects.filter(
        assignment=OuterRef("assignment"),
        kind=EventKind.REOPENED,
        happened_at__date__gt=OuterRef("due_date"),
    )
    return ReportPeriod.objects.filter(
        Q(assignment__status__in=Assignment.BODY_STATES)
        | Q(assignment__status__in=HANDED_IN, assignment__submitted_date__gte=F("due_date")),
        ~_has_fact("=period", "pk"),
        ~Exists(on_hold),
        ~Exists(reopened_since),
        status=ReportPeriod.Status.OPEN,
        due_date__lt=today,
    )


def _closed_periods(today: date, *, is_wide: bool) -> Iterator[Effect]:
    owed = _owed_periods(today)
    rows = list(ask(("periods", today), lambda: _owed_rows(owed), is_wide=is_wide))
    lamps = {
        (day, row.pk): row.lamp
        for day in sorted({due for _pk, _assignment, _label, due, _filed in rows})
        for row in light_up(
            Assignment.objects.filter(pk__in=owed.filter(due_date=day).values("assignment_id")),
            today=day,
        )
    }
    for effect in _closing_effects(rows):
        lamp = lamps.get((effect.on_date - ONE_DAY, effect.assignment_id))
        if lamp is None:  # moved on between two readings; the next sweep looks again
            continue
        yield replace(effect, data={**effect.data, **_shown(lamp)})


def _owed_rows(owed: QuerySet) -> QuerySet:
    return owed.annotate(filed_at=Min("report__versions__submitted_at")).values_list(
        "pk", "assignment_id", "label", "due_date", "filed_at"
    )


def _closing_effects(rows: Iterable[tuple]) -> Iterator[Effect]:
    """The verdicts on report periods, still without the light of the return day."""
    for pk, assignment_id, label, due, filed_at in rows:
        is_filed = filed_at is not None and timezone.localdate(filed_at) <= due
        yield Effect(
            EventKind.PERIOD_CLOSED,
            f"period:{pk}",
            assignment_id,
            due + ONE_DAY,
            data={
                "period": label,
                "due_date": due.isoformat(),
                "is_filed": is_filed,
                "is_made_up": filed_at is not None and not is_filed,
            },
            period_id=pk,
        )


def _shown(lamp: Lamp) -> dict[str, Any]:
    reason = lamp.verdict.reason
    return {
        "light": lamp.code,
        "reason": {
            "code": reason.code,
            **{name: _plain(value) for name, value in reason.params.items()},
        },
        "actual_percent": _number(lamp.actual_percent),
        "scheduled_percent": _number(lamp.scheduled_percent),
    }


def _plain(value):
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, (str, int, type(None))) else float(value)


def _number(value) -> float | None:
    return None if value is None else round(float(value), 1)


# The ladder


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
    return list(_ladder_steps(today, working_calendar(), ladder, start_levels))


def _ladder_steps(
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


def _ladder_ahead(days: Sequence[date], calendar: WorkingCalendar) -> Iterator[tuple[date, Effect]]:
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
    return Assignment.objects.filter(~_is_held(), pk__in=found_pks)


def _within(reach: Reach) -> QuerySet:
    rows = Assignment.objects.filter(
        BODY, ~_has_fact(f"={reach.prefix}", "pk", f"={reach.label}", "episode")
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
        rows = rows.filter(~_has_fact(f"={prefix}", "pk", f"={label}", "episode"))
    if reach.decided is not None:
        rows = rows.filter(_has_fact("=decided", "pk", f"={reach.decided}", "episode"))
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
