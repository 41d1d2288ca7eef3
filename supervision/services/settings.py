"""The office's numbers: limits, ladder, light scheme, number series; the calendar beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import yaml
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from supervision.models import (
    Criterion,
    EscalationLevel,
    LetterTemplate,
    LightSchemeRow,
    NumberSeries,
    ReturnCheck,
    StartLevel,
    SupervisionItem,
    TimeLimit,
)
from supervision.models.small_tables import (
    LIGHT_SCHEMES,
    LIMITS,
    RETURN_CHECKS,
    small_rows,
)
from supervision.read_once import read_once
from supervision.rules.escalation import SHIP_LADDER, Level, Trigger
from supervision.rules.lights import (
    EARLY_IS_BLUE_SCHEME,
    QUOTA_SCHEME,
    SHIP_SCHEME,
    SHORTFALL_SCHEME,
    THREE_STEP_SCHEME,
    GapBasis,
    GapStep,
    Light,
    LightScheme,
)
from supervision.rules.limits import DateReceipt, Unit, due_date
from supervision.rules.reasons import level_name
from supervision.services.calendar import load_calendar, working_calendar

_RETURNS, _QUALITY, _PROGRESS = _("Returns"), _("Quality"), _("Progress of the work")
# project, content, standard, base, points each, at most, fact. Source: domain.md, section 11.1;
# what needs a judgement (substance of a return, plans without goals) is not counted by machine.
SHIP_CRITERIA: dict[str, tuple] = {
    "base": (
        _("Base"),
        _("Base points"),
        _("Every body with items begins with 100"),
        100,
        0,
        None,
        "none",
    ),
    "period-missed": (
        _RETURNS,
        _("Return missing on its day"),
        _("10 points each"),
        0,
        -10,
        None,
        "period_missed",
    ),
    "answered-late": (
        _RETURNS,
        _("Letter answered late"),
        _("1 point each"),
        0,
        -1,
        None,
        "answered_late",
    ),
    "report-sent-back": (
        _QUALITY,
        _("Return sent back"),
        _("5 points each, at most 20"),
        0,
        -5,
        20,
        "report_sent_back",
    ),
    "returned-twice": (
        _QUALITY,
        _("Closing sent back twice or more"),
        _("2 points an item"),
        0,
        -2,
        None,
        "returned_twice",
    ),
    "second-yellow": (
        _PROGRESS,
        _("Yellow sheet from the second on"),
        _("1 point each"),
        0,
        -1,
        None,
        "second_yellow",
    ),
    "red-sheet": (_PROGRESS, _("Red sheet"), _("2 points each"), 0, -2, None, "red_sheet"),
    "completed": (
        _PROGRESS,
        _("Completed on time"),
        _("1 point each, at most 10"),
        0,
        1,
        10,
        "completed_on_time",
    ),
}

# code, urgency: value, unit, name, basis. Source: domain.md, section 4.
SHIP_LIMITS: dict[tuple[str, str], tuple[int, str, str, str]] = {
    ("accept", ""): (2, "working_day", _("Sign for an assignment"), "convention"),
    ("accept", "special"): (0, "working_day", _("Sign for a most urgent assignment"), "convention"),
    ("object", ""): (3, "working_day", _("Object to an assignment"), "local rule"),
    ("decide_objection", ""): (3, "working_day", _("Decide an objection"), "convention"),
    ("plan", ""): (10, "working_day", _("File the plan after signing"), "local rule"),
    ("review_report", ""): (3, "working_day", _("Office reviews a return"), "convention"),
    ("review_closing", ""): (5, "working_day", _("Office reviews a closing"), "convention"),
    ("verify", ""): (10, "working_day", _("Office checks on site"), "convention"),
    ("rework", ""): (5, "working_day", _("Rework after sending back"), "convention"),
    ("extension_notice", ""): (3, "working_day", _("Ask before the due date"), "convention"),
    ("decide_extension", ""): (3, "working_day", _("Decide an extension"), "convention"),
    ("approve_item", ""): (2, "working_day", _("Decide on an item"), "convention"),
    ("secrecy_review", ""): (
        7,
        "working_day",
        _("Secrecy review of an edition"),
        "local rule",
    ),
    ("release_step", ""): (2, "working_day", _("Review a public edition"), "convention"),
    ("sign_off", ""): (2, "working_day", _("Sign-off by the body's head"), "convention"),
    ("remind_min_gap", ""): (3, "working_day", _("Gap between two urgings"), "local rule"),
    ("letter_receipt", ""): (1, "working_day", _("Sign for a letter"), "convention"),
    ("letter_reply", ""): (3, "working_day", _("Reply to an urging"), "local rule"),
    ("report_grace", ""): (5, "working_day", _("Grace after the return day"), "convention"),
}

# code: value, name. Against these returns are looked at while they are written (rules/likeness.py,
# rules/moves.py). Source: domain.md, sections 3.4 and 13; the numbers are ours.
SHIP_CHECKS: dict[str, tuple[int, str]] = {
    "alike_percent": (85, _("A text is pointed out when it shares this much (percent)")),
    "jump_percent": (50, _("A figure asks why when it grows by this much of its goal (percent)")),
    "jump_points": (40, _("An estimate asks why when it grows by this many points")),
}

# Real schemes of other offices, ready to be chosen for an item. Source: domain.md, section 5.2.
SHIP_SCHEMES: dict[str, tuple] = {
    "ship": (_("Shipped scheme"), SHIP_SCHEME),
    "quota": (_("Monthly quota: under 80 and under 60 percent"), QUOTA_SCHEME),
    "shortfall": (_("Shortfall: yellow up to half, red beyond"), SHORTFALL_SCHEME),
    "three-step": (_("Overdue in three steps: yellow, orange, red"), THREE_STEP_SCHEME),
    "early-blue": (_("Blue when early, yellow when faulty, red when late"), EARLY_IS_BLUE_SCHEME),
}


@read_once
def limits() -> dict[tuple[str, str], tuple[int, str]]:
    """All limits by (code, urgency): the office's rows over the shipped ones."""
    found = {key: (value, unit) for key, (value, unit, *_rest) in SHIP_LIMITS.items()}
    for code, urgency, value, unit in small_rows(LIMITS):
        found[code, urgency] = (value, unit)
    return found


def return_checks() -> dict[str, int]:
    """The numbers returns are looked at with: the office's rows over the shipped ones."""
    found = {code: value for code, (value, _name) in SHIP_CHECKS.items()}
    return found | dict(small_rows(RETURN_CHECKS))


def deadline(code: str, start: date, *, urgency: str = "") -> DateReceipt:
    """When something begun on `start` must be done; the receipt says why. `start` is day zero."""
    table = limits()
    value, unit = table.get((code, urgency)) or table[code, ""]
    return due_date(start, value, Unit(unit), rule=code, calendar=working_calendar())


@dataclass(frozen=True)
class Schemes:
    """The light schemes in use: one for every item that names none, others by their row."""

    default: LightScheme
    by_pk: Mapping[int, LightScheme]

    def of(self, item: SupervisionItem) -> LightScheme:
        return self.by_pk.get(item.light_scheme_id, self.default)


@read_once
def light_schemes() -> Schemes:
    """Every stored scheme, read in one query; the shipped one where no row is the default."""
    default, by_pk = SHIP_SCHEME, {}
    for pk, params, is_default in small_rows(LIGHT_SCHEMES):
        by_pk[pk] = scheme_from(params)
        if is_default:
            default = by_pk[pk]
    return Schemes(default, by_pk)


def read_start_levels() -> dict[str, int]:
    """At which step urging begins, by the item's urgency; the first where nothing is said."""
    return dict(stored_start_levels())


def stored_start_levels() -> QuerySet:
    """(urgency, number of the first step) of every urgency for which one is set."""
    return StartLevel.objects.values_list("urgency", "number")


def scheme_from(params: dict) -> LightScheme:
    """A scheme from stored thresholds; names left out keep what is shipped.

    Raises ValueError or TypeError for a name or a value no scheme knows.
    """
    values = dict(params)
    for name in ("warn_unit", "notice_unit", "notice_min_span_unit", "grace_unit"):
        if name in values:
            values[name] = Unit(values[name])
    if "overdue_steps" in values:
        values["overdue_steps"] = tuple(
            (days, Light(light)) for days, light in values["overdue_steps"]
        )
    if "gap_basis" in values:
        values["gap_basis"] = GapBasis(values["gap_basis"])
    if "gap_steps" in values:
        values["gap_steps"] = tuple(
            GapStep(over, Light(light), is_inclusive)
            for over, light, is_inclusive in values["gap_steps"]
        )
    if "milestone_light" in values:
        values["milestone_light"] = Light(values["milestone_light"])
    return LightScheme(**values)


def scheme_params(scheme: LightScheme) -> dict:
    """What of a scheme differs from the shipped one, as plain JSON values; see `scheme_from`."""
    plain: dict = {}
    for field in fields(scheme):
        value = getattr(scheme, field.name)
        if value == getattr(SHIP_SCHEME, field.name):
            continue
        if field.name == "overdue_steps":
            value = [[days, light.value] for days, light in value]
        elif field.name == "gap_steps":
            value = [
                [_plain_number(step.over), step.light.value, step.is_inclusive] for step in value
            ]
        elif isinstance(value, Decimal):
            value = _plain_number(value)
        plain[field.name] = value
    return plain


def _plain_number(value: Decimal | int) -> float | int:
    return int(value) if value == int(value) else float(value)


def ladder() -> tuple[Level, ...]:
    """The steps in use, as rules understand them; the shipped ladder if none is stored."""
    rows = EscalationLevel.objects.filter(is_active=True)
    return tuple(as_level(row) for row in rows) or SHIP_LADDER


def as_level(row: EscalationLevel) -> Level:
    """A stored step of the ladder as the rules understand it."""
    return Level(
        number=row.number,
        code=row.code,
        name=row.name,
        trigger=Trigger(row.trigger),
        offset=row.offset_value,
        unit=Unit(row.offset_unit),
        audience=tuple(row.audience),
        letter_kind=row.letter_kind or None,
        is_automatic=row.is_automatic,
        applies_from_span_days=row.applies_from_span_days,
        or_returned=row.or_returned,
        or_yellow_months=row.or_yellow_months,
        or_red_months=row.or_red_months,
    )


def next_number(kind: str, year: int) -> int:
    """Take the next number of a series: gapless, under the lock of the series' row."""
    series, _created = NumberSeries.objects.select_for_update().get_or_create(kind=kind, year=year)
    series.last += 1
    series.save(update_fields=["last"])
    return series.last


LETTERS_FILE = Path(__file__).parents[1] / "data" / "letters.yaml"


@cache
def _shipped_letters() -> dict[str, dict]:
    return yaml.safe_load(LETTERS_FILE.read_text(encoding="utf-8"))


def shipped_templates() -> dict[str, LetterTemplate]:
    """The letter texts as shipped, by kind, not saved; issuer is the office of the settings."""
    return {
        kind: LetterTemplate(kind=kind, issuer_name=settings.OFFICE_NAME, **fields)
        for kind, fields in _shipped_letters().items()
    }


def letter_template(kind: str) -> LetterTemplate:
    """The office's template of a kind, or the shipped one while none is stored."""
    return LetterTemplate.objects.filter(kind=kind).first() or shipped_templates()[kind]


def sync_settings(*, at: datetime) -> None:
    """Write what is shipped and not there yet: limits, ladder, scheme, letter texts,
    calendar. Repeatable."""
    TimeLimit.objects.bulk_create(
        [
            TimeLimit(code=code, urgency=urgency, value=value, unit=unit, name=name, basis=basis)
            for (code, urgency), (value, unit, name, basis) in SHIP_LIMITS.items()
        ],
        ignore_conflicts=True,
    )
    ReturnCheck.objects.bulk_create(
        [
            ReturnCheck(code=code, value=value, name=name)
            for code, (value, name) in SHIP_CHECKS.items()
        ],
        ignore_conflicts=True,
    )
    if not EscalationLevel.objects.exists():
        EscalationLevel.objects.bulk_create(
            [
                EscalationLevel(
                    number=level.number,
                    code=level.code,
                    name=level_name(level.code, level.name),
                    trigger=level.trigger,
                    offset_value=level.offset,
                    offset_unit=level.unit,
                    or_returned=level.or_returned,
                    or_yellow_months=level.or_yellow_months,
                    or_red_months=level.or_red_months,
                    applies_from_span_days=level.applies_from_span_days,
                    audience=list(level.audience),
                    letter_kind=level.letter_kind or "",
                    is_automatic=level.is_automatic,
                )
                for level in SHIP_LADDER
            ]
        )
    has_default = LightSchemeRow.objects.filter(is_default=True).exists()
    for code, (name, scheme) in SHIP_SCHEMES.items():
        LightSchemeRow.objects.get_or_create(
            code=code,
            defaults={
                "name": name,
                "params": scheme_params(scheme),
                "is_default": code == "ship" and not has_default,
            },
        )
    Criterion.objects.bulk_create(
        [
            Criterion(
                code=code,
                project=project,
                content=content,
                standard=standard,
                base_points=base,
                points_each=each,
                most_points=most,
                fact=fact,
                position=position,
            )
            for position, (code, (project, content, standard, base, each, most, fact)) in enumerate(
                SHIP_CRITERIA.items(), start=1
            )
        ],
        ignore_conflicts=True,
    )
    LetterTemplate.objects.bulk_create(list(shipped_templates().values()), ignore_conflicts=True)
    load_calendar(at=at)
