"""Facts of the calendar: what is due as of a day, and writing it once.

Deciding and acting are two functions. `due_effects` says what should exist on a day and has no
row yet; `apply_effect` writes one of them. A dry run and every preview share the first and never
reach the second. Missing a run loses nothing: the question is never "what was yesterday" but
"what is due and not in the ledger" (reliability.md, section 2).
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from supervision.models import (
    Assignment,
    Event,
    EventKind,
    Hold,
    Milestone,
    ReportPeriod,
)
from supervision.overview import Lamp, light_up
from supervision.services import letters
from supervision.services.acts import ActRefused, record_event
from supervision.services.effects import (
    BODY,
    IN_TIME_REQUEST,
    ONE_DAY,
    Effect,
    has_fact,
    is_held_open,
    midnight,
    spelled_out,
)
from supervision.services.ladder import LADDER_KINDS, armed_ladder, ladder_ahead, ladder_steps
from supervision.services.questions import ask
from supervision.services.settings import (
    working_calendar,
)
from supervision.together import read_together

logger = logging.getLogger(__name__)

# The closing paper is with the office; the body's clock stands still.
HANDED_IN = (Assignment.Status.UNDER_REVIEW, Assignment.Status.APPROVED)


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
        *ladder_steps(today, calendar, armed_ladder(), is_wide=is_wide),
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
    for day, effect in ladder_ahead(days, calendar):
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


# Signing, due dates, milestones


def _not_signed_for(today: date, *, is_wide: bool) -> Iterator[Effect]:
    rows = ask(("accept", today), lambda: _unsigned(today), is_wide=is_wide)
    return _unsigned_effects(rows)


def _unsigned(today: date) -> QuerySet:
    return Assignment.objects.filter(
        ~has_fact("=accept", "pk", "accept_due_date"),
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


def _became_overdue(today: date, *, is_wide: bool) -> Iterator[Effect]:
    rows = ask(("overdue", today), lambda: _overdue(today, is_wide=is_wide), is_wide=is_wide)
    return _overdue_effects(rows)


def _overdue(today: date, *, is_wide: bool = False) -> QuerySet:
    who = BODY
    if is_wide:
        who |= Q(status__in=HANDED_IN, submitted_date__gt=F("due_date"))
    return (
        Assignment.objects.filter(who, ~has_fact("=overdue", "pk", "episode"), due_date__lt=today)
        .annotate(is_held=is_held_open())
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
            ~has_fact("=milestone", "pk", "planned_date"),
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
        ~has_fact("=period", "pk"),
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
