"""How the office changes its own rules: the ladder, the limits, the lights.

A change shows first what it would do, then counts; nothing is sent for the past (reliability.md,
section 2). Each change is one event with what was and what is.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import (
    Assignment,
    EscalationLevel,
    Event,
    EventKind,
    LightSchemeRow,
    StartLevel,
    TimeLimit,
    User,
)
from supervision.overview import count_lights, light_up
from supervision.rules.escalation import Trigger, validate_ladder
from supervision.rules.lights import LightScheme, scheme_problems
from supervision.rules.reasons import describe
from supervision.services.acts import ActRefused, local_date, record_event, require
from supervision.services.ladder import ArmedLevel, ladder_effects
from supervision.services.settings import (
    Schemes,
    as_level,
    light_schemes,
    limits,
    read_start_levels,
    scheme_params,
)

STEP_FIELDS = (
    "number",
    "name",
    "trigger",
    "offset_value",
    "offset_unit",
    "or_returned",
    "or_yellow_months",
    "or_red_months",
    "applies_from_span_days",
    "audience",
    "letter_kind",
    "is_automatic",
    "is_active",
)
# Renaming a step calls for nothing new.
WITHOUT_EFFECT = frozenset({"name"})


def _stamp(value) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


# The ladder


def _values(row: EscalationLevel) -> dict:
    return {name: getattr(row, name) for name in STEP_FIELDS}


def stored_steps() -> list[EscalationLevel]:
    """Every step, those out of use included, in the order of the ladder."""
    return list(EscalationLevel.objects.order_by("number", "-offset_value", "pk"))


def ladder_stamp() -> str:
    """Changes whenever somebody changes the ladder; a form carries it."""
    rows = [(row.code, _values(row)) for row in stored_steps()]
    return _stamp([rows, read_start_levels()])


def check_ladder(steps: Sequence[EscalationLevel]) -> list[str]:
    """What is wrong with a ladder, one sentence each."""
    used = [as_level(row) for row in steps if row.is_active]
    return validate_ladder(used, gap=limits()["remind_min_gap", ""][0])


@dataclass(frozen=True)
class StepPreview:
    """What a step of a ladder not yet in use would do today.

    `reached` shares it would reach; `passed_over` shares it would have reached earlier, to which
    nothing is sent because the step counts from today on.
    """

    step: EscalationLevel
    is_changed: bool
    reached: int
    passed_over: int


def preview_ladder(
    steps: Sequence[EscalationLevel], start_levels: Mapping[str, int], *, today: date
) -> list[StepPreview]:
    """What each step would reach on `today`, without writing anything."""
    changed = _changed_codes(steps, start_levels)
    used = [row for row in steps if row.is_active]
    armed = [_armed(row, today if row.code in changed else None) for row in used]
    # What the changed steps would reach if they also counted for the past.
    unarmed = [_armed(row, None, is_reset=row.code in changed) for row in used]
    reached = Counter(e.data["code"] for e in ladder_effects(today, armed, start_levels))
    anyway = Counter(e.data["code"] for e in ladder_effects(today, unarmed, start_levels))
    return [
        StepPreview(
            row,
            row.code in changed,
            reached[row.code],
            max(anyway[row.code] - reached[row.code], 0),
        )
        for row in used
    ]


def _armed(row: EscalationLevel, from_date: date | None, *, is_reset: bool = False) -> ArmedLevel:
    kept = None if is_reset else row.armed_from_date
    return ArmedLevel(as_level(row), row.name, from_date or kept)


def _changed_codes(
    steps: Sequence[EscalationLevel], start_levels: Mapping[str, int]
) -> frozenset[str]:
    """Codes of the steps that would call for something else than the stored ones do."""
    stored = {row.code: row for row in stored_steps()}
    changed = {
        row.code
        for row in steps
        if row.is_active
        and (
            row.code not in stored
            or any(
                getattr(row, name) != getattr(stored[row.code], name)
                for name in STEP_FIELDS
                if name not in WITHOUT_EFFECT
            )
        )
    }
    if dict(start_levels) != read_start_levels():
        changed |= {row.code for row in steps if row.is_active and row.trigger != Trigger.BEFORE}
    return frozenset(changed)


@transaction.atomic
def change_ladder(
    *,
    steps: Sequence[EscalationLevel],
    start_levels: Mapping[str, int],
    by: User,
    at: datetime,
    stamp: str,
) -> Event:
    """Put another ladder into use; changed steps count from today and reach nothing older.

    Steps are known by their code; one that is left out is taken out of use, never deleted.
    Raises PermissionDenied, ActRefused for a ladder that cannot be used, that changed since the
    form was opened, or that is the same as before.
    """
    require(permissions.can_change_rules(by))
    stored = {row.code: row for row in EscalationLevel.objects.select_for_update()}
    if ladder_stamp() != stamp:
        raise ActRefused(
            _("Somebody else changed the ladder meanwhile. Look at it and try your change again.")
        )
    problems = check_ladder(steps)
    if problems:
        raise ActRefused(
            _("The ladder cannot be used: %(problems)s. Nothing was changed.")
            % {"problems": "；".join(problems)}
        )
    changed = _changed_codes(steps, start_levels)
    today = local_date(at)
    changes = []
    for row in steps:
        before = stored.get(row.code)
        old = _values(before) if before else {}
        kept = before or EscalationLevel(code=row.code)
        for name in STEP_FIELDS:
            setattr(kept, name, getattr(row, name))
        if row.code in changed:
            kept.armed_from_date = today
        if _values(kept) != old:
            kept.save()
            changes.append({"code": row.code, "old": old, "new": _values(kept)})
        elif row.code in changed:
            kept.save(update_fields=["armed_from_date"])
    for code in sorted(set(stored) - {row.code for row in steps}):
        row = stored[code]
        if row.is_active:
            old = _values(row)
            row.is_active = False
            row.save(update_fields=["is_active"])
            changes.append({"code": code, "old": old, "new": _values(row)})
    old_starts = read_start_levels()
    if dict(start_levels) != old_starts:
        StartLevel.objects.all().delete()
        StartLevel.objects.bulk_create(
            [StartLevel(urgency=urgency, number=n) for urgency, n in start_levels.items() if n > 1]
        )
        changes.append({"code": "start", "old": old_starts, "new": dict(start_levels)})
    if not changes:
        raise ActRefused(_("Nothing was changed: the ladder is the same as before."))
    return record_event(
        EventKind.RULES_CHANGED, by=by, at=at, data={"what": "ladder", "changes": changes}
    )


# The limits


@transaction.atomic
def change_limits(*, values: Mapping[int, tuple[int, str]], by: User, at: datetime) -> Event:
    """Set the limits with these primary keys to (value, unit); days already running stay.

    Raises PermissionDenied, ActRefused when nothing changed.
    """
    require(permissions.can_change_rules(by))
    changes = []
    for row in TimeLimit.objects.select_for_update().filter(pk__in=list(values)):
        old, new = [row.value, row.unit], list(values[row.pk])
        if old != new:
            row.value, row.unit = new
            row.save(update_fields=["value", "unit"])
            changes.append({"code": row.code, "urgency": row.urgency, "old": old, "new": new})
    if not changes:
        raise ActRefused(_("Nothing was changed: the limits are the same as before."))
    return record_event(
        EventKind.RULES_CHANGED, by=by, at=at, data={"what": "limits", "changes": changes}
    )


# The lights


@dataclass(frozen=True)
class SchemePreview:
    """How many open shares show each light today, now and with the scheme as it would be."""

    shares: int
    changed: int
    rows: Sequence[tuple[str, int, int]]


def preview_scheme(
    scheme: LightScheme, *, row: LightSchemeRow | None, is_default: bool, today: date
) -> SchemePreview:
    """Which lights would change today. Reads every open share once."""
    present = light_schemes()
    by_pk = dict(present.by_pk)
    if row is not None:
        by_pk[row.pk] = scheme
    later = Schemes(scheme if is_default else present.default, by_pk)
    open_shares = Assignment.objects.open().order_by("pk")
    before = light_up(open_shares, today=today, schemes=present)
    after = light_up(open_shares, today=today, schemes=later)
    counts = count_lights(before), count_lights(after)
    return SchemePreview(
        shares=len(before),
        changed=sum(
            one.lamp.code != other.lamp.code for one, other in zip(before, after, strict=True)
        ),
        rows=[
            (light, counts[0][light], counts[1][light])
            for light in counts[0]
            if counts[0][light] or counts[1][light]
        ],
    )


def scheme_stamp(row: LightSchemeRow | None) -> str:
    return _stamp([row.name, row.params, row.is_default] if row else None)


@transaction.atomic
def change_scheme(
    *,
    row: LightSchemeRow | None,
    code: str,
    name: str,
    scheme: LightScheme,
    is_default: bool,
    by: User,
    at: datetime,
    stamp: str,
) -> LightSchemeRow:
    """Write a scheme of lights, a new one when `row` is None. Frozen verdicts stay as they are.

    Raises PermissionDenied, ActRefused for thresholds that contradict each other, for a scheme
    somebody changed meanwhile, or when no scheme would be left for items that name none.
    """
    require(permissions.can_change_rules(by))
    if row is not None:
        row = LightSchemeRow.objects.select_for_update().get(pk=row.pk)
    if scheme_stamp(row) != stamp:
        raise ActRefused(
            _("Somebody else changed this scheme meanwhile. Look at it and try again.")
        )
    problems = [describe(problem) for problem in scheme_problems(scheme)]
    if problems:
        raise ActRefused(
            _("The scheme cannot be used: %(problems)s. Nothing was changed.")
            % {"problems": "；".join(problems)}
        )
    if row is not None and row.is_default and not is_default:
        raise ActRefused(
            _("One scheme must hold for items that name none. Make another one the usual one.")
        )
    old = {"name": row.name, "params": row.params} if row else {}
    if is_default:
        LightSchemeRow.objects.filter(is_default=True).update(is_default=False)
    row = row or LightSchemeRow(code=code)
    row.name, row.params, row.is_default = name, scheme_params(scheme), is_default
    row.save()
    record_event(
        EventKind.RULES_CHANGED,
        by=by,
        at=at,
        data={
            "what": "lights",
            "changes": [
                {"code": row.code, "old": old, "new": {"name": name, "params": row.params}}
            ],
        },
    )
    return row
