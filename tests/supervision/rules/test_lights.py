from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervision.rules.lights import (
    EARLY_IS_BLUE_SCHEME,
    QUOTA_SCHEME,
    SEVERITY,
    SHIP_SCHEME,
    SHORTFALL_SCHEME,
    THREE_STEP_SCHEME,
    Freshness,
    Light,
    LightFacts,
    LightScheme,
    LightVerdict,
    Reason,
    deadline_of,
    item_light,
    period_to_judge,
    verdict,
    worst,
)
from supervision.rules.limits import Unit
from supervision.rules.working_days import WorkingCalendar, announced_overrides

OVERRIDES, YEARS = announced_overrides(range(2004, 2027))
CALENDAR = WorkingCalendar(OVERRIDES, "2026-1", YEARS)
DUE = date(2026, 11, 20)  # a Friday in plain weeks
START = date(2026, 9, 1)
FACTS = LightFacts(due_date=DUE, start_date=START)


def on(today, scheme=SHIP_SCHEME, **changes):
    return verdict(replace(FACTS, **changes), today, CALENDAR, scheme)


@pytest.mark.parametrize(
    ("today", "light", "code", "days"),
    [
        (date(2026, 11, 5), Light.GREEN, "on_track", None),  # 11 working days left
        (date(2026, 11, 6), Light.BLUE, "due_in", 10),
        (date(2026, 11, 16), Light.BLUE, "due_in", 4),
        (date(2026, 11, 17), Light.YELLOW, "due_in", 3),
        (date(2026, 11, 19), Light.YELLOW, "due_in", 1),
        (DUE, Light.YELLOW, "due_today", None),
        (date(2026, 11, 21), Light.RED, "overdue", 1),  # a Saturday: red follows the calendar
        (date(2026, 11, 23), Light.RED, "overdue", 3),
    ],
)
def test_the_time_light(today, light, code, days):
    shown = on(today)

    assert (shown.light, shown.reason.code, shown.reason.params.get("days")) == (light, code, days)
    assert (shown.time_light, shown.time_reason) == (shown.light, shown.reason)
    assert shown.is_overdue == (light is Light.RED)


@pytest.mark.parametrize(
    ("due", "today", "light", "code", "days"),
    [
        # Due on the make-up Saturday after National Day: 8, 9 and 10 October are worked.
        (date(2026, 10, 10), date(2026, 9, 30), Light.YELLOW, "due_in", 3),
        (date(2026, 10, 10), date(2026, 9, 29), Light.BLUE, "due_in", 4),
        (date(2026, 10, 10), date(2026, 10, 10), Light.YELLOW, "due_today", None),
        (date(2026, 10, 10), date(2026, 10, 11), Light.RED, "overdue", 1),
        # A typed date inside the Spring Festival: no working day left, still on time.
        (date(2026, 2, 20), date(2026, 2, 18), Light.YELLOW, "due_in", 0),
        (date(2026, 2, 20), date(2026, 2, 21), Light.RED, "overdue", 1),
        (date(2025, 12, 31), date(2025, 12, 31), Light.YELLOW, "due_today", None),
        (date(2025, 12, 31), date(2026, 1, 1), Light.RED, "overdue", 1),
        (date(2028, 2, 29), date(2028, 2, 29), Light.YELLOW, "due_today", None),
        (date(2028, 2, 29), date(2028, 3, 1), Light.RED, "overdue", 1),
    ],
)
def test_the_time_light_around_holidays(due, today, light, code, days):
    shown = on(today, due_date=due, start_date=due - timedelta(days=90))

    assert (shown.light, shown.reason.code, shown.reason.params.get("days")) == (light, code, days)


@pytest.mark.parametrize(
    ("start", "light"),
    [
        (date(2026, 10, 23), Light.BLUE),  # 20 working days before the due date
        (date(2026, 10, 26), Light.GREEN),
        (None, Light.GREEN),
    ],
)
def test_only_long_work_is_noticed_early(start, light):
    assert on(date(2026, 11, 10), start_date=start).light is light


def test_ongoing_work_has_no_time_light():
    shown = on(date(2099, 1, 1), due_date=None)

    assert (shown.light, shown.reason) == (Light.GREEN, Reason("on_track"))
    assert on(date(2099, 1, 1), due_date=None, completed_date=DUE).light is Light.DONE


@pytest.mark.parametrize(
    ("changes", "light", "reason"),
    [
        ({"is_dispatched": False}, Light.GREY, Reason("not_dispatched")),
        (
            {"suspended_since": date(2026, 11, 2), "suspension_basis": "纪要12号"},
            Light.SUSPENDED,
            Reason("suspended", {"since": date(2026, 11, 2), "basis": "纪要12号"}),
        ),
        ({"completed_date": DUE}, Light.DONE, Reason("completed", {"date": DUE})),
        (
            {"completed_date": date(2026, 11, 22)},
            Light.DONE_LATE,
            Reason("completed_late", {"date": date(2026, 11, 22), "days": 2}),
        ),
        (
            {"completed_date": date(2026, 12, 1), "submitted_date": DUE},
            Light.DONE,
            Reason("completed", {"date": DUE}),
        ),
    ],
)
def test_lights_outside_the_clock(changes, light, reason):
    shown = on(date(2027, 1, 1), **changes)

    assert (shown.light, shown.reason) == (light, reason)
    assert (shown.time_light, shown.progress_light, shown.freshness) == (None, None, None)
    assert not shown.is_overdue


@pytest.mark.parametrize(
    ("submitted", "light", "days"),
    [
        (DUE, Light.YELLOW, None),
        (date(2026, 11, 5), Light.GREEN, None),
        (date(2026, 11, 23), Light.RED, 3),
    ],
)
def test_under_review_the_clock_reads_the_day_of_submission(submitted, light, days):
    shown = on(date(2026, 12, 31), submitted_date=submitted)

    assert (shown.light, shown.reason.params.get("days")) == (light, days)


@pytest.mark.parametrize(
    ("changes", "deadline"),
    [
        ({}, DUE),
        ({"reviewer_credit_days": 2}, date(2026, 11, 24)),
        ({"rework_due_date": date(2026, 11, 27)}, date(2026, 11, 27)),
        ({"rework_due_date": date(2026, 11, 10)}, DUE),
        ({"rework_due_date": date(2026, 11, 23), "reviewer_credit_days": 2}, date(2026, 11, 24)),
        ({"rework_due_date": date(2026, 11, 27), "was_overdue": True}, DUE),
        ({"reviewer_credit_days": 2, "was_overdue": True}, DUE),
        ({"due_date": None, "rework_due_date": date(2026, 11, 27)}, None),
    ],
)
def test_the_deadline_moves_with_rework_and_the_reviewers_delay(changes, deadline):
    facts = replace(FACTS, **changes)

    assert deadline_of(facts, CALENDAR) == deadline
    if deadline:
        assert verdict(facts, deadline, CALENDAR).reason.code == "due_today"
        assert verdict(facts, deadline + timedelta(days=1), CALENDAR).light is Light.RED


@pytest.mark.parametrize(
    ("gap", "light"),
    [
        (-5, Light.GREEN),
        (0, Light.GREEN),
        (Decimal("9.9"), Light.GREEN),
        (10, Light.YELLOW),
        (30, Light.YELLOW),
        (Decimal("30.1"), Light.RED),
    ],
)
def test_the_progress_light(gap, light):
    shown = on(date(2026, 10, 12), actual_percent=50, scheduled_percent=50 + gap)

    assert (shown.progress_light, shown.light) == (light, light)
    expected = Reason("on_track") if light is Light.GREEN else Reason("behind", {"gap": gap})
    assert shown.progress_reason == expected


@pytest.mark.parametrize("percents", [(None, 50), (50, None), (None, None)])
def test_without_both_percents_progress_is_not_judged(percents):
    shown = on(START, actual_percent=percents[0], scheduled_percent=percents[1])

    assert (shown.progress_light, shown.progress_reason) == (None, None)


def test_a_missed_milestone_is_yellow_and_names_the_oldest():
    missed = (("评审", date(2026, 10, 1)), ("立项", date(2026, 9, 15)))
    shown = on(date(2026, 10, 12), missed_milestones=missed)

    assert shown.light is Light.YELLOW
    assert shown.reason == Reason("milestone_missed", {"title": "立项", "date": date(2026, 9, 15)})


@pytest.mark.parametrize(
    ("months", "light"), [(0, None), (2, None), (3, Light.RED), (4, Light.RED)]
)
def test_milestones_missed_three_months_running_are_red(months, light):
    assert on(START, months_missed=months).progress_light is light
    city = LightScheme(missed_months_red=2)
    assert (on(START, city, months_missed=months).progress_light is Light.RED) == (months >= 2)


def test_the_worse_light_shows_and_both_are_listed():
    shown = on(DUE, actual_percent=0, scheduled_percent=90)
    assert (shown.light, shown.time_light, shown.progress_light) == (
        Light.RED,
        Light.YELLOW,
        Light.RED,
    )
    shown = on(DUE, actual_percent=0, scheduled_percent=20)
    assert (shown.light, shown.reason.code, shown.progress_reason.code) == (
        Light.YELLOW,
        "due_today",
        "behind",
    )


LAST_PERIOD = date(2026, 10, 8)  # five working days on: Thursday 15 (the 10th is worked)


@pytest.mark.parametrize(
    ("today", "changes", "freshness", "light", "code", "is_marked"),
    [
        (date(2026, 10, 14), {}, Freshness.FRESH, Light.GREEN, "on_track", False),
        (date(2026, 10, 15), {}, Freshness.NEVER, Light.GREY, "never_reported", False),
        (
            date(2026, 10, 15),
            {"has_reported": True, "last_report_date": date(2026, 9, 5)},
            Freshness.STALE,
            Light.GREY,
            "stale",
            False,
        ),
        (
            date(2026, 10, 15),
            {"last_closed_period_covered": True},
            Freshness.FRESH,
            Light.GREEN,
            "on_track",
            False,
        ),
        (date(2026, 11, 10), {}, Freshness.NEVER, Light.GREY, "never_reported", False),  # was blue
        (date(2026, 11, 18), {}, Freshness.NEVER, Light.YELLOW, "due_in", True),
        (date(2026, 11, 23), {}, Freshness.NEVER, Light.RED, "overdue", True),
        (
            date(2026, 11, 23),
            {"last_closed_period_covered": True},
            Freshness.FRESH,
            Light.RED,
            "overdue",
            False,
        ),
    ],
)
def test_silence_greys_a_calm_light_and_never_hides_a_warning(
    today, changes, freshness, light, code, is_marked
):
    shown = on(today, last_closed_period_due=LAST_PERIOD, **changes)

    assert shown.freshness is freshness
    assert (shown.light, shown.reason.code) == (light, code)
    assert shown.is_stale_marked is is_marked


def test_without_periods_freshness_is_not_asked():
    assert on(START).freshness is None


def test_the_period_to_judge_is_the_latest_past_its_grace():
    dues = [date(2026, 10, 8), date(2026, 11, 5), date(2026, 12, 7)]

    assert period_to_judge(dues, date(2026, 10, 14), CALENDAR) is None
    assert period_to_judge(dues, date(2026, 10, 15), CALENDAR) == dues[0]
    assert period_to_judge(dues, date(2026, 11, 12), CALENDAR) == dues[0]
    assert period_to_judge(dues, date(2026, 11, 13), CALENDAR) == dues[1]


@pytest.mark.parametrize(
    ("scheme", "changes", "today", "light"),
    [
        (QUOTA_SCHEME, {"actual_percent": 80, "scheduled_percent": 100}, START, Light.GREEN),
        (QUOTA_SCHEME, {"actual_percent": 79, "scheduled_percent": 100}, START, Light.BLUE),
        (QUOTA_SCHEME, {"actual_percent": 30, "scheduled_percent": 50}, START, Light.BLUE),
        (QUOTA_SCHEME, {"actual_percent": 59, "scheduled_percent": 100}, START, Light.YELLOW),
        (SHORTFALL_SCHEME, {"actual_percent": 40, "scheduled_percent": 40}, START, Light.GREEN),
        (SHORTFALL_SCHEME, {"actual_percent": 20, "scheduled_percent": 40}, START, Light.YELLOW),
        (SHORTFALL_SCHEME, {"actual_percent": 19, "scheduled_percent": 40}, START, Light.RED),
        (SHORTFALL_SCHEME, {"actual_percent": 0, "scheduled_percent": 0}, START, Light.GREEN),
        (THREE_STEP_SCHEME, {}, date(2026, 11, 21), Light.YELLOW),
        (THREE_STEP_SCHEME, {}, date(2026, 11, 27), Light.YELLOW),
        (THREE_STEP_SCHEME, {}, date(2026, 11, 28), Light.ORANGE),
        (THREE_STEP_SCHEME, {}, date(2026, 12, 5), Light.ORANGE),
        (THREE_STEP_SCHEME, {}, date(2026, 12, 6), Light.RED),
        (EARLY_IS_BLUE_SCHEME, {}, date(2026, 11, 10), Light.GREEN),
        (EARLY_IS_BLUE_SCHEME, {"actual_percent": 6, "scheduled_percent": 5}, START, Light.BLUE),
        (EARLY_IS_BLUE_SCHEME, {"actual_percent": 5, "scheduled_percent": 5}, START, Light.GREEN),
        (EARLY_IS_BLUE_SCHEME, {"actual_percent": 0, "scheduled_percent": 90}, START, Light.YELLOW),
        (EARLY_IS_BLUE_SCHEME, {"months_missed": 9}, START, Light.GREEN),
        (EARLY_IS_BLUE_SCHEME, {}, date(2026, 11, 21), Light.RED),
        (LightScheme(warn_unit=Unit.DAY), {}, date(2026, 11, 16), Light.BLUE),
        (LightScheme(warn_unit=Unit.DAY), {}, date(2026, 11, 17), Light.YELLOW),
        (LightScheme(warn_value=1, warn_unit=Unit.MONTH), {}, date(2026, 10, 19), Light.YELLOW),
    ],
)
def test_other_schemes_are_data(scheme, changes, today, light):
    assert on(today, scheme, **changes).light is light


@pytest.mark.parametrize("days", [[], [2], [1, 1], [1, 9, 5]])
def test_a_scheme_has_a_light_for_every_day_overdue(days):
    with pytest.raises(ValueError):
        LightScheme(overdue_steps=tuple((day, Light.RED) for day in days))


def test_worst():
    assert worst([Light.GREEN, Light.RED, Light.DONE]) is Light.RED
    assert worst([Light.BLUE, Light.GREY]) is Light.GREY
    assert worst([Light.DONE, Light.DONE_LATE]) is Light.DONE_LATE
    assert worst([]) is Light.GREY
    assert set(SEVERITY) == set(Light)


def share(light, code="behind"):
    reason = Reason(code)
    return LightVerdict(light, reason, time_light=light, time_reason=reason)


@pytest.mark.parametrize(
    ("lead", "shares", "light", "reason"),
    [
        (Light.GREEN, [], Light.GREEN, None),
        (Light.GREEN, [Light.GREEN, Light.BLUE], Light.GREEN, None),
        (
            Light.GREEN,
            [Light.YELLOW, Light.YELLOW],
            Light.BLUE,
            Reason("shares_behind", {"count": 2}),
        ),
        (
            Light.GREEN,
            [Light.RED, Light.YELLOW],
            Light.YELLOW,
            Reason("shares_behind", {"count": 1}),
        ),
        (Light.BLUE, [Light.ORANGE], Light.YELLOW, Reason("shares_behind", {"count": 1})),
        (Light.YELLOW, [Light.RED], Light.YELLOW, None),
        (Light.RED, [Light.RED], Light.RED, None),
        (Light.DONE, [Light.DONE_LATE, Light.DONE], Light.DONE, None),
        (
            Light.DONE,
            [Light.GREEN, Light.GREY, Light.DONE],
            Light.GREEN,
            Reason("shares_open", {"count": 2}),
        ),
    ],
)
def test_an_item_shows_its_lead_and_its_shares_one_step_weaker(lead, shares, light, reason):
    lead = share(lead, "whatever")
    shown = item_light(lead, [share(light) for light in shares])

    assert (shown.light, shown.reason) == (light, reason or lead.reason)
    assert (shown.time_light, shown.time_reason) == (lead.time_light, lead.time_reason)


def test_overdue_shares_are_counted():
    shares = [share(Light.RED, "overdue"), share(Light.RED, "overdue"), share(Light.RED)]
    shown = item_light(share(Light.GREEN, "on_track"), shares)

    assert (shown.light, shown.reason) == (Light.YELLOW, Reason("shares_overdue", {"count": 2}))


def test_an_item_without_a_lead_is_not_dispatched():
    assert item_light(None, []) == LightVerdict(Light.GREY, Reason("not_dispatched"))


some_facts = st.builds(
    LightFacts,
    due_date=st.none() | st.dates(date(2025, 1, 1), date(2027, 12, 31)),
    start_date=st.none() | st.dates(date(2024, 6, 1), date(2024, 12, 31)),
    rework_due_date=st.none() | st.dates(date(2025, 1, 1), date(2027, 12, 31)),
    was_overdue=st.booleans(),
    actual_percent=st.none() | st.integers(0, 100),
    scheduled_percent=st.none() | st.integers(0, 100),
    months_missed=st.integers(0, 4),
    has_reported=st.booleans(),
    last_closed_period_due=st.none() | st.dates(date(2025, 1, 1), date(2027, 12, 31)),
    last_closed_period_covered=st.booleans(),
    reviewer_credit_days=st.integers(0, 10),
)
schemes = st.sampled_from([SHIP_SCHEME, QUOTA_SCHEME, SHORTFALL_SCHEME, THREE_STEP_SCHEME])


@given(some_facts, st.dates(date(2024, 12, 31), date(2028, 1, 31)), st.integers(0, 400), schemes)
def test_with_the_same_facts_a_light_never_gets_better(facts, today, days, scheme):
    if scheme is THREE_STEP_SCHEME:
        facts = replace(facts, actual_percent=None)
    earlier = verdict(facts, today, CALENDAR, scheme)
    later = verdict(facts, today + timedelta(days=days), CALENDAR, scheme)

    assert SEVERITY[earlier.light] <= SEVERITY[later.light]
    deadline = deadline_of(facts, CALENDAR)
    assert earlier.is_overdue == (deadline is not None and today > deadline)
