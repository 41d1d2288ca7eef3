"""The office changes its own rules: what it would do first, then from today on only."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from supervision.models import (
    EscalationLevel,
    Event,
    EventKind,
    LightSchemeRow,
    StartLevel,
    TimeLimit,
)
from supervision.overview import light_up
from supervision.rules.lights import (
    EARLY_IS_BLUE_SCHEME,
    QUOTA_SCHEME,
    SHIP_SCHEME,
    SHORTFALL_SCHEME,
    THREE_STEP_SCHEME,
    GapStep,
    Light,
    LightScheme,
)
from supervision.rules.limits import Unit
from supervision.services import office_rules as services
from supervision.services.acts import ActRefused
from supervision.services.facts import due_effects
from supervision.services.settings import limits, scheme_from, scheme_params, sync_settings
from tasks.jobs import sweep
from tests.factories import NOON, TODAY, AssignmentFactory, ItemFactory, OrganizationFactory

pytestmark = pytest.mark.django_db
ROLES = [
    "liaison",
    "body_head",
    "officer",
    "office_head",
    "leader",
    "principal",
    "publisher",
    "reviewer",
    "auditor",
    "administrator",
]


def steps(**changes):
    """The stored ladder with some fields of some steps changed, by code."""
    rows = services.stored_steps()
    for row in rows:
        for name, value in changes.get(row.code, {}).items():
            setattr(row, name, value)
    return rows


def change(by, rows=None, starts=None, stamp=None):
    return services.change_ladder(
        steps=rows if rows is not None else steps(),
        start_levels=starts or {},
        by=by,
        at=NOON,
        stamp=stamp or services.ladder_stamp(),
    )


def old_shares(count):
    """Shares long overdue that the ladder has already urged as far as it goes by itself."""
    item = ItemFactory(dispatched=True)
    for _ in range(count):
        AssignmentFactory(
            item=item,
            organization=OrganizationFactory(),
            role="support",
            status="in_progress",
            due_date=TODAY - timedelta(days=60),
            original_due_date=TODAY - timedelta(days=60),
            dispatched_date=TODAY - timedelta(days=90),
            episode_start_date=TODAY - timedelta(days=90),
        )


def test_a_rule_switched_on_over_two_hundred_old_cases_sends_none(city):
    """Check 8 of reliability.md: the preview says 200, none is sent."""
    EscalationLevel.objects.filter(number__gte=1).update(is_active=False)
    old_shares(200)
    sweep(TODAY, at=NOON)
    rows = steps(blue={"is_active": True})
    preview = {row.step.code: row for row in services.preview_ladder(rows, {}, today=TODAY)}
    assert (preview["blue"].reached, preview["blue"].passed_over) == (0, 200)

    change(city.office_head, rows)
    sweep(TODAY, at=NOON)
    sweep(TODAY + timedelta(days=30), at=NOON)
    assert not Event.objects.filter(kind=EventKind.ESCALATED).exists()


def test_the_preview_counts_what_the_sweep_then_writes(city):
    item = ItemFactory(dispatched=True)
    AssignmentFactory(
        item=item,
        status="in_progress",
        due_date=TODAY - timedelta(days=1),
        original_due_date=TODAY - timedelta(days=1),
        dispatched_date=TODAY - timedelta(days=40),
        episode_start_date=TODAY - timedelta(days=40),
    )
    old_shares(3)
    sweep(TODAY - timedelta(days=1), at=NOON)
    rows = steps(blue={"audience": ["liaison", "body_head"]})
    preview = {row.step.code: row for row in services.preview_ladder(rows, {}, today=TODAY)}
    assert preview["blue"].is_changed and preview["blue"].reached == 1
    assert not preview["yellow"].is_changed
    change(city.office_head, rows)
    written = sweep(TODAY, at=NOON)["written"]
    assert written[EventKind.ESCALATED] == sum(
        row.reached for row in preview.values() if row.step.is_automatic and row.step.number
    )


def test_a_preview_writes_nothing(city):
    old_shares(2)
    before = Event.objects.count(), services.ladder_stamp()
    services.preview_ladder(steps(yellow={"offset_value": 4}), {"special": 3}, today=TODAY)
    assert (Event.objects.count(), services.ladder_stamp()) == before


@pytest.mark.parametrize("role", ROLES)
def test_only_the_head_of_the_office_changes_rules(city, role):
    by = getattr(city, role)
    row = TimeLimit.objects.get(code="accept", urgency="")
    acts = [
        lambda: change(by, steps(yellow={"offset_value": 6})),
        lambda: services.change_limits(values={row.pk: (5, "working_day")}, by=by, at=NOON),
        lambda: scheme(by, replace(SHIP_SCHEME, warn_value=4)),
    ]
    for act in acts:
        if role == "office_head":
            act()
        else:
            with pytest.raises(PermissionDenied):
                act()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"yellow": {"number": 4}}, "缺少第2级"),
        ({"yellow": {"offset_value": 2}}, "相隔不足3个工作日"),
        ({"blue": {"audience": []}}, "没有设定发送对象"),
        ({"red": {"is_automatic": True}}, "第3级不能设为自动"),
        ({"accountability": {"trigger": "overdue", "offset_value": 40}}, "第5级只能由人工决定"),
    ],
)
def test_a_ladder_that_cannot_be_used_is_named_and_nothing_changes(city, changes, words):
    before = services.ladder_stamp()
    with pytest.raises(ActRefused, match=words):
        change(city.office_head, steps(**changes))
    assert services.ladder_stamp() == before
    assert not Event.objects.filter(kind=EventKind.RULES_CHANGED).exists()


def test_a_change_against_an_older_ladder_is_refused(city):
    stamp = services.ladder_stamp()
    change(city.office_head, steps(yellow={"offset_value": 6}))
    with pytest.raises(ActRefused, match="他人改动"):
        change(city.office_head, steps(yellow={"offset_value": 7}), stamp=stamp)
    assert EscalationLevel.objects.get(code="yellow").offset_value == 6


def test_the_same_ladder_is_no_change(city):
    with pytest.raises(ActRefused, match="与现行一致"):
        change(city.office_head)


def test_a_step_left_out_is_kept_out_of_use(city):
    rows = [row for row in steps() if row.code not in ("interview", "accountability")]
    event = change(city.office_head, rows)
    assert not EscalationLevel.objects.get(code="interview").is_active
    assert {one["code"] for one in event.data["changes"]} == {"interview", "accountability"}


def test_pressing_matters_begin_higher(city):
    change(city.office_head, starts={"special": 3})
    assert dict(StartLevel.objects.values_list("urgency", "number")) == {"special": 3}
    item = ItemFactory(dispatched=True, urgency="special")
    due = TODAY - timedelta(days=1)
    AssignmentFactory(
        item=item,
        status="in_progress",
        due_date=due,
        original_due_date=due,
        dispatched_date=due - timedelta(days=30),
        episode_start_date=due - timedelta(days=30),
    )
    kinds = {effect.kind for effect in due_effects(TODAY)}
    assert EventKind.ESCALATION_PROPOSED in kinds and EventKind.ESCALATED not in kinds


def test_a_limit_holds_for_what_begins_from_now_on(city):
    row = TimeLimit.objects.get(code="plan", urgency="")
    event = services.change_limits(
        values={row.pk: (15, "working_day")}, by=city.office_head, at=NOON
    )
    assert limits()["plan", ""] == (15, "working_day")
    assert event.data["changes"] == [
        {"code": "plan", "urgency": "", "old": [10, "working_day"], "new": [15, "working_day"]}
    ]
    with pytest.raises(ActRefused, match="与现行一致"):
        services.change_limits(values={row.pk: (15, "working_day")}, by=city.office_head, at=NOON)


# Lights


@pytest.mark.parametrize(
    "known", [SHIP_SCHEME, QUOTA_SCHEME, SHORTFALL_SCHEME, THREE_STEP_SCHEME, EARLY_IS_BLUE_SCHEME]
)
def test_every_real_scheme_is_a_row(known):
    """Whatever another office uses comes back from plain JSON values as it was."""
    row = LightSchemeRow.objects.create(code="x", name="x", params=scheme_params(known))
    row.refresh_from_db()
    assert scheme_from(row.params) == known


def test_one_city_reddens_after_two_months_missed():
    assert scheme_from({"missed_months_red": 2}) == replace(SHIP_SCHEME, missed_months_red=2)


def test_the_shipped_schemes_are_rows_and_one_is_usual(settings_loaded):
    sync_settings(at=NOON)
    rows = {row.code: scheme_from(row.params) for row in LightSchemeRow.objects.all()}
    assert rows["quota"] == QUOTA_SCHEME and rows["three-step"] == THREE_STEP_SCHEME
    assert rows["shortfall"] == SHORTFALL_SCHEME and rows["early-blue"] == EARLY_IS_BLUE_SCHEME
    assert [row.code for row in LightSchemeRow.objects.filter(is_default=True)] == ["ship"]


def test_an_item_shows_the_light_of_its_own_scheme(city):
    due = TODAY - timedelta(days=8)
    share = AssignmentFactory(
        item=ItemFactory(dispatched=True),
        status="in_progress",
        due_date=due,
        original_due_date=due,
        dispatched_date=due - timedelta(days=30),
        episode_start_date=due - timedelta(days=30),
    )
    rows = type(share).objects.filter(pk=share.pk)
    assert light_up(rows, today=TODAY)[0].lamp.code == Light.RED
    share.item.light_scheme = LightSchemeRow.objects.get(code="three-step")
    share.item.save()
    assert light_up(rows, today=TODAY)[0].lamp.code == Light.ORANGE


def test_the_grace_is_that_of_the_item_s_scheme(city):
    from tests.factories import PeriodFactory

    share = AssignmentFactory(item=ItemFactory(dispatched=True), status="in_progress")
    PeriodFactory(assignment=share, due_date=TODAY - timedelta(days=1))
    rows = type(share).objects.filter(pk=share.pk)
    assert light_up(rows, today=TODAY)[0].lamp.verdict.freshness is None
    strict = LightSchemeRow.objects.create(code="strict", name="x", params={"grace_value": 0})
    share.item.light_scheme = strict
    share.item.save()
    assert light_up(rows, today=TODAY)[0].lamp.verdict.freshness == "never"


def scheme(by, value, row=None, **more):
    row = row or LightSchemeRow.objects.get(code="ship")
    return services.change_scheme(
        **{
            "row": row,
            "code": row.code,
            "name": row.name,
            "scheme": value,
            "is_default": row.is_default,
            "by": by,
            "at": NOON,
            "stamp": services.scheme_stamp(row),
        }
        | more
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (LightScheme(overdue_steps=((1, Light.RED), (8, Light.YELLOW))), "逾期越久"),
        (LightScheme(gap_steps=(GapStep(10, Light.RED), GapStep(30, Light.YELLOW))), "差距越大"),
        (LightScheme(gap_steps=(GapStep(130, Light.RED),)), "0至100"),
        (LightScheme(notice_value=2), "提前提醒"),
    ],
)
def test_thresholds_that_contradict_each_other_are_named(city, value, words):
    with pytest.raises(ActRefused, match=words):
        scheme(city.office_head, value)
    assert scheme_from(LightSchemeRow.objects.get(code="ship").params) == SHIP_SCHEME


def test_the_usual_scheme_cannot_be_given_up(city):
    with pytest.raises(ActRefused, match="通用方案"):
        scheme(city.office_head, SHIP_SCHEME, is_default=False)


def test_another_scheme_becomes_the_usual_one(city):
    row = LightSchemeRow.objects.get(code="three-step")
    scheme(city.office_head, THREE_STEP_SCHEME, row, is_default=True)
    assert [r.code for r in LightSchemeRow.objects.filter(is_default=True)] == ["three-step"]


def test_the_preview_counts_the_lights_that_change(city):
    due = TODAY + timedelta(days=8)
    AssignmentFactory(
        item=ItemFactory(dispatched=True),
        status="in_progress",
        due_date=due,
        original_due_date=due,
        dispatched_date=TODAY - timedelta(days=2),
        episode_start_date=TODAY - timedelta(days=2),
    )
    preview = services.preview_scheme(
        LightScheme(warn_value=9, warn_unit=Unit.WORKING_DAY, notice_value=None),
        row=LightSchemeRow.objects.get(code="ship"),
        is_default=True,
        today=TODAY,
    )
    assert (preview.shares, preview.changed) == (1, 1)
    assert ("yellow", 0, 1) in preview.rows
