from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervision.rules.escalation import (
    SHIP_LADDER,
    LadderFacts,
    Level,
    Trigger,
    due_levels,
    may_remind,
    next_level,
    validate_ladder,
)
from supervision.rules.limits import Unit
from supervision.rules.working_days import WorkingCalendar, announced_overrides

OVERRIDES, YEARS = announced_overrides(range(2004, 2027))
CALENDAR = WorkingCalendar(OVERRIDES, "2026-1", YEARS)
DUE = date(2026, 10, 30)  # a Friday followed by plain weeks
START = date(2026, 9, 1)
FACTS = LadderFacts(due_date=DUE, today=DUE, episode_start_date=START)
EARLY, REMINDER, BLUE, YELLOW, RED, INTERVIEW, ACCOUNTABILITY = SHIP_LADDER


def due(today, **changes):
    facts = replace(FACTS, today=today, **changes)
    return [
        (step.level.code, step.due_on_date, step.produces_paper)
        for step in due_levels(facts, SHIP_LADDER, CALENDAR)
    ]


def following(today, ladder=SHIP_LADDER, **changes):
    step = next_level(replace(FACTS, today=today, **changes), ladder, CALENDAR)
    return step and (step.level.code, step.due_on_date)


@pytest.mark.parametrize(
    ("today", "reached", "expected"),
    [
        (date(2026, 10, 26), {}, None),
        (date(2026, 10, 27), {}, ("reminder", date(2026, 10, 27))),
        (date(2026, 10, 29), {}, ("reminder", date(2026, 10, 27))),
        (DUE, {0: date(2026, 10, 27)}, None),
        (date(2026, 10, 31), {0: date(2026, 10, 27)}, None),  # red, but no working day yet
        (date(2026, 11, 1), {0: date(2026, 10, 27)}, None),
        (date(2026, 11, 2), {0: date(2026, 10, 27)}, ("blue", date(2026, 11, 2))),
        (date(2026, 11, 2), {}, ("blue", date(2026, 11, 2))),  # a missed reminder blocks nothing
        (date(2026, 11, 5), {1: date(2026, 11, 2)}, ("reminder", date(2026, 10, 27))),
        (date(2026, 11, 6), {1: date(2026, 11, 2)}, ("yellow", date(2026, 11, 6))),
        (date(2026, 11, 6), {}, ("blue", date(2026, 11, 2))),  # one level at a time
        (date(2026, 11, 12), {1: DUE, 2: DUE, 0: DUE}, None),
        (date(2026, 11, 13), {1: DUE, 2: DUE}, ("red", date(2026, 11, 13))),
        (date(2026, 11, 27), {1: DUE, 2: DUE, 3: DUE}, ("interview", date(2026, 11, 27))),
        (date(2030, 1, 1), {0: DUE, 1: DUE, 2: DUE, 3: DUE, 4: DUE}, None),  # never by count
    ],
)
def test_the_ladder_we_ship(today, reached, expected):
    assert following(today, reached=reached) == expected


def test_from_level_three_a_person_decides():
    reached = {0: DUE, 1: DUE, 2: DUE}
    (step,) = due_levels(
        replace(FACTS, today=date(2026, 12, 31), reached=reached), SHIP_LADDER, CALENDAR
    )

    assert (step.level, step.is_proposed, step.produces_paper) == (RED, True, True)
    assert [level.is_automatic for level in SHIP_LADDER] == [True] * 4 + [False] * 3


def test_long_work_is_reminded_twice():
    assert due(date(2026, 10, 16), span_working_days=20) == [
        ("reminder_early", date(2026, 10, 16), True)
    ]
    assert due(date(2026, 10, 16), span_working_days=19) == []
    recorded = {0: date(2026, 10, 16)}
    assert due(date(2026, 10, 26), span_working_days=20, reached=recorded) == []
    assert due(date(2026, 10, 28), span_working_days=20, reached=recorded) == [
        ("reminder", date(2026, 10, 27), True)
    ]
    assert due(date(2026, 10, 28), span_working_days=20) == [
        ("reminder_early", date(2026, 10, 16), False),
        ("reminder", date(2026, 10, 27), True),
    ]


def test_after_downtime_every_level_has_its_own_date_and_the_highest_the_paper():
    assert due(date(2026, 11, 9)) == [
        ("reminder", date(2026, 10, 27), False),
        ("blue", date(2026, 11, 2), False),
        ("yellow", date(2026, 11, 6), True),
    ]
    assert due(date(2027, 3, 1), reached={0: DUE}) == [
        ("blue", date(2026, 11, 2), False),
        ("yellow", date(2026, 11, 6), False),
        ("red", date(2026, 11, 13), True),
    ]


def test_a_reminder_overtaken_by_the_due_date_is_only_recorded():
    assert due(DUE) == [("reminder", date(2026, 10, 27), True)]
    assert due(date(2026, 10, 31)) == [("reminder", date(2026, 10, 27), False)]
    step = next_level(replace(FACTS, today=date(2026, 10, 31)), SHIP_LADDER, CALENDAR)
    assert not step.produces_paper


def test_the_make_up_saturday_counts():
    facts = {"due_date": date(2026, 10, 9), "reached": {0: DUE}}
    assert following(date(2026, 10, 10), **facts) == ("blue", date(2026, 10, 10))


def test_over_the_spring_festival_nothing_is_urged():
    facts = {"due_date": date(2026, 2, 14), "episode_start_date": date(2026, 1, 5)}
    reached = {0: date(2026, 2, 11)}
    assert following(date(2026, 2, 23), reached=reached, **facts) is None
    assert following(date(2026, 2, 24), reached=reached, **facts) == ("blue", date(2026, 2, 24))


def test_a_due_date_on_a_rest_day_is_reminded_three_working_days_ahead():
    assert following(date(2026, 10, 27), due_date=date(2026, 11, 1)) == (
        "reminder",
        date(2026, 10, 27),
    )


def test_the_clock_attaches_at_dispatch():
    late = {"due_date": date(2026, 3, 2), "episode_start_date": date(2026, 10, 30)}
    assert due(date(2026, 10, 30), **late) == []
    assert due(date(2026, 11, 2), **late) == [("blue", date(2026, 11, 2), True)]


def test_nothing_while_an_extension_waits_or_without_a_due_date():
    assert due(date(2026, 12, 1), is_urging_held=True) == []
    assert due(date(2026, 12, 1), due_date=None) == []
    assert following(date(2026, 12, 1), due_date=None) is None


def test_sent_back_twice_calls_for_the_second_level_and_the_first_with_it():
    returned = {"times_returned": 2, "last_returned_date": date(2026, 10, 20)}
    assert due(date(2026, 10, 21), **returned) == [
        ("blue", date(2026, 10, 20), False),
        ("yellow", date(2026, 10, 20), True),
    ]
    assert due(date(2026, 10, 21), reached={1: DUE}, **returned) == [
        ("yellow", date(2026, 10, 20), True)
    ]
    former_episode = {"times_returned": 2, "last_returned_date": date(2026, 8, 31)}
    assert due(date(2026, 10, 21), **former_episode)[-1][1] == START
    assert due(date(2026, 10, 21), times_returned=1) == []
    assert due(date(2026, 10, 21), times_returned=2)[-1][1] == date(2026, 10, 21)


@pytest.mark.parametrize(
    ("months", "expected"),
    [
        ({"yellow_months": 1}, None),
        ({"yellow_months": 2}, ("interview", DUE)),
        ({"red_months": 2}, None),
        ({"red_months": 3}, ("interview", DUE)),
    ],
)
def test_months_running_propose_an_interview_after_the_red_sheet(months, expected):
    assert following(DUE, reached={0: DUE, 1: DUE, 2: DUE, 3: DUE}, **months) == expected
    assert following(DUE, reached={0: DUE, 1: DUE}, **months) is None


@pytest.mark.parametrize(
    ("start_level", "today", "expected"),
    [
        (2, date(2026, 11, 2), ("yellow", date(2026, 11, 2))),
        (3, date(2026, 11, 2), ("red", date(2026, 11, 2))),
        (2, date(2026, 11, 1), None),
    ],
)
def test_an_important_item_begins_higher_on_the_same_day(start_level, today, expected):
    assert following(today, start_level=start_level, reached={0: DUE}) == expected


def test_a_level_of_its_own_may_count_send_backs_alone():
    ladder = [Level(1, "again", "Again", Trigger.RETURNED, 2)]
    assert following(DUE, ladder, times_returned=1) is None
    assert following(DUE, ladder, times_returned=2) == ("again", DUE)


def test_offsets_have_units():
    ladder = [
        Level(1, "a", "A", Trigger.OVERDUE, 1, Unit.DAY),
        Level(2, "b", "B", Trigger.OVERDUE, 1, Unit.MONTH),
    ]
    assert following(date(2026, 10, 31), ladder) == ("a", date(2026, 10, 31))
    assert following(date(2026, 11, 30), ladder, reached={1: DUE}) == ("b", date(2026, 11, 30))


@pytest.mark.parametrize(
    ("last", "today", "expected"),
    [
        (None, date(2026, 11, 2), True),
        (date(2026, 10, 30), date(2026, 11, 3), False),
        (date(2026, 10, 30), date(2026, 11, 4), True),
        (date(2026, 9, 30), date(2026, 10, 9), False),
        (date(2026, 9, 30), date(2026, 10, 10), True),  # a make-up Saturday is the third day
    ],
)
def test_no_second_urging_inside_three_working_days(last, today, expected):
    assert may_remind(last, today, CALENDAR) is expected
    assert may_remind(last, today, CALENDAR, gap=0)


def level(number, offset, trigger=Trigger.OVERDUE, **more):
    more = {"audience": ("liaison",)} | more
    return Level(number, f"l{number}-{offset}", "L", trigger, offset, **more)


@pytest.mark.parametrize(
    ("levels", "problems"),
    [
        (SHIP_LADDER, []),
        ([], ["升级规则中没有任何级别"]),
        ([level(1, 1), level(3, 9, is_automatic=False)], ["缺少第2级：升级须逐级进行"]),
        ([level(1, 1), level(1, 2)], ["第1级重复"]),
        ([BLUE, replace(BLUE, number=2, offset=2)], ["代码“blue”重复"]),
        ([level(1, 5), level(2, 5)], ["第2级的触发时间不得早于或等于第1级"]),
        (
            [level(1, 1, unit=Unit.MONTH), level(2, 20)],
            ["第2级的触发时间不得早于或等于第1级"],
        ),
        ([level(1, 0)], ["第1级的间隔至少为1"]),
        ([level(1, 1, audience=())], ["第1级没有设定发送对象，请至少选择一类人员"]),
        ([level(0, 3)], ["到期前提醒只能设为第0级，第0级也只用于到期前提醒"]),
        (
            [BLUE, YELLOW, replace(RED, is_automatic=True)],
            ["第3级及以上须由专人决定，第3级不能设为自动"],
        ),
        (
            [*SHIP_LADDER[:-1], replace(ACCOUNTABILITY, trigger=Trigger.OVERDUE, offset=40)],
            ["第5级只能由人工决定，不得按次数或天数自动触发"],
        ),
    ],
)
def test_a_ladder_is_checked(levels, problems):
    assert validate_ladder(levels) == problems


@given(
    st.dates(date(2025, 1, 1), date(2026, 12, 1)),
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(0, 3),
)
def test_recording_what_is_due_leaves_nothing_due(start, length, late, times_returned):
    facts = LadderFacts(
        due_date=start + timedelta(days=length),
        today=start + timedelta(days=length + late),
        episode_start_date=start,
        times_returned=times_returned,
        span_working_days=CALENDAR.between(start, start + timedelta(days=length)),
    )
    steps = due_levels(facts, SHIP_LADDER, CALENDAR)

    assert all(start <= step.due_on_date <= facts.today for step in steps)
    assert sum(step.produces_paper for step in steps) <= 1
    assert [step.due_on_date for step in steps[1:] if step.level.number > 1] == sorted(
        step.due_on_date for step in steps[1:] if step.level.number > 1
    )
    reached = {step.level.number: step.due_on_date for step in steps}
    if not any(step.is_proposed for step in steps):
        assert due_levels(replace(facts, reached=reached), SHIP_LADDER, CALENDAR) == []


@given(st.dates(date(2026, 10, 1), date(2027, 1, 31)))
def test_a_catch_up_writes_what_daily_sweeps_would_have_written(end):
    daily, reached, today = [], {}, date(2026, 10, 1)
    while today <= end:
        for step in due_levels(replace(FACTS, today=today, reached=reached), SHIP_LADDER, CALENDAR):
            daily.append((step.level.code, step.due_on_date))
            reached = reached | {step.level.number: today}
        if 3 in reached:
            break
        today += timedelta(days=1)

    assert daily == [(code, day) for code, day, _paper in due(end)]
