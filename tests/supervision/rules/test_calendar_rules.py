"""Any calendar from 2007 to 2030, rest days and make-up days, against counting day by day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervision.rules.calendar_file import (
    NoticeDay,
    NoticeFileError,
    differences,
    missing_notices,
    notice_of_package,
    oddities,
    packaged_years,
    read_notice,
)
from supervision.rules.limits import DateReceipt, Unit, due_date
from supervision.rules.periods import Cycle, lay_out, return_receipt
from supervision.rules.recount import (
    Dated,
    given_receipt,
    hold_receipt,
    recompute,
    recount,
    rework_receipt,
)
from supervision.rules.working_days import WorkingCalendar

ONE = timedelta(days=1)
days = st.dates(date(2007, 1, 1), date(2030, 12, 31))


def built(overrides, number=1):
    years = {day.year for day in overrides}
    return WorkingCalendar(
        overrides,
        version=f"v{number}",
        announced_years=frozenset(years),
        notices=dict.fromkeys(years, number),
    )


calendars = st.dictionaries(days, st.booleans(), max_size=60).map(built)
# Dense around one month, so that long runs of rest and work occur.
dense = st.dictionaries(
    st.dates(date(2026, 9, 1), date(2026, 11, 30)), st.booleans(), max_size=60
).map(built)
any_calendar = st.one_of(calendars, dense)
starts = st.one_of(days, st.dates(date(2026, 9, 1), date(2026, 11, 30)))


def works(calendar, day):
    told = calendar.overrides.get(day)
    return told if told is not None else day.weekday() < 5


def naive_add(calendar, day, n):
    step = ONE if n > 0 else -ONE
    left = abs(n)
    while left:
        day += step
        left -= works(calendar, day)
    return day


@given(any_calendar, starts, st.integers(-70, 70))
def test_add_is_counting_day_by_day(calendar, start, n):
    assert calendar.add(start, n) == naive_add(calendar, start, n)


@given(any_calendar, starts, st.integers(-70, 70))
def test_add_and_between_are_inverse(calendar, start, n):
    end = calendar.add(start, n)
    off_start = not works(calendar, start) and n < 0

    assert calendar.between(start, end) == n + off_start
    if works(calendar, start):
        assert calendar.add(end, -n) == start


@given(any_calendar, starts, st.integers(0, 200))
def test_between_is_counting_day_by_day(calendar, start, span):
    end = start + timedelta(days=span)
    counted = sum(works(calendar, start + timedelta(days=i)) for i in range(1, span + 1))

    assert calendar.between(start, end) == counted
    assert calendar.between(end, start) == -counted


@given(any_calendar, starts, st.integers(0, 40), st.sampled_from(Unit))
def test_a_receipt_recounted_by_its_own_calendar_is_itself(calendar, start, value, unit):
    receipt = due_date(start, value, unit, rule="plan", calendar=calendar).to_json()

    assert recompute(receipt, calendar) == receipt


def test_a_receipt_names_the_notices_of_its_own_years():
    calendar = WorkingCalendar({}, notices={2025: 1, 2026: 2}, announced_years={2025, 2026})

    inside = due_date(date(2026, 3, 2), 2, Unit.WORKING_DAY, rule="accept", calendar=calendar)
    across = due_date(date(2026, 12, 30), 5, Unit.WORKING_DAY, rule="accept", calendar=calendar)

    assert (inside.calendar_version, inside.is_provisional) == ("2026-2", False)
    assert (across.calendar_version, across.is_provisional) == ("2026-2/2027-0", True)


def test_a_receipt_forgives_words_it_does_not_know():
    told = due_date(date(2026, 3, 2), 2, Unit.DAY, rule="x", calendar=WorkingCalendar()).to_json()

    assert DateReceipt.from_json(told | {"later": 1}).date == date(2026, 3, 4)


# Recount

OLD = built({date(2026, 10, 1): False, date(2026, 10, 10): True})
NEW = built({date(2026, 10, 1): False, date(2026, 10, 2): False, date(2026, 10, 10): True}, 2)
TODAY = date(2026, 9, 28)


def limit(start, value, calendar=OLD):
    return due_date(start, value, Unit.WORKING_DAY, rule="plan", calendar=calendar).to_json()


def dated(receipt, key=1):
    return Dated(key, date.fromisoformat(receipt["date"]), receipt)


def test_only_a_date_to_come_moves():
    ahead, past, today = (
        limit(date(2026, 9, 29), 5),  # 7 October, over the day that becomes a holiday
        limit(date(2026, 9, 21), 2),
        limit(date(2026, 9, 24), 2),
    )
    assert today["date"] == TODAY.isoformat()

    plan = recount([dated(ahead, 1), dated(past, 2), dated(today, 3)], calendar=NEW, today=TODAY)

    assert [(m.key, m.old_date, m.new_date) for m in plan.moves] == [
        (1, date(2026, 10, 7), date(2026, 10, 8))
    ]
    assert plan.refreshed == plan.refused == ()


def test_a_second_run_moves_nothing():
    first = recount([dated(limit(date(2026, 9, 29), 5))], calendar=NEW, today=TODAY)
    again = recount([dated(first.moves[0].receipt)], calendar=NEW, today=TODAY)

    assert again.moves == again.refreshed == ()


def test_a_date_that_stands_gets_the_new_notice_on_its_receipt():
    plan = recount([dated(limit(date(2026, 10, 12), 2))], calendar=NEW, today=TODAY)

    assert plan.moves == ()
    assert plan.refreshed[0].receipt["calendar_version"] == "2026-2"


def test_nobody_becomes_late_by_a_notice():
    """A make-up day in the past would put the date before today: it stays."""
    shorter = built({date(2026, 9, 26): True, date(2026, 9, 27): True}, 3)
    row = dated(limit(date(2026, 9, 25), 2, WorkingCalendar()))
    assert row.date == date(2026, 9, 29)

    plan = recount([row], calendar=shorter, today=TODAY)

    assert plan.moves == ()
    assert [(move.new_date, move.is_refused) for move in plan.refused] == [
        (date(2026, 9, 27), True)
    ]


@pytest.mark.parametrize("rule", ["item", "extension", "reopen", "given"])
def test_a_day_a_person_named_never_moves(rule):
    rest = dated(given_receipt(date(2026, 10, 2), rule))

    assert recount([rest], calendar=NEW, today=TODAY).moves == ()


@pytest.mark.parametrize(
    "receipt",
    [{}, {"rule": "hold", "date": "2026-10-09", "held_working_days": 3}, {"rule": "item"}],
)
def test_a_receipt_that_says_too_little_moves_nothing(receipt):
    row = Dated(1, date(2026, 10, 9), receipt)

    assert recount([row], calendar=NEW, today=TODAY) == recount([], calendar=NEW, today=TODAY)


def test_a_date_changed_by_hand_since_is_left_alone():
    row = Dated(1, date(2026, 10, 20), limit(date(2026, 9, 29), 5))

    assert recount([row], calendar=NEW, today=TODAY).moves == ()


def test_held_days_are_added_after_the_recount():
    base = limit(date(2026, 9, 29), 5)
    held = hold_receipt(base, date(2026, 10, 7), 2, OLD)
    assert held["date"] == "2026-10-09"

    moved = recompute(held, NEW)

    # 8 October by the new notice, then two working days: the 9th and the make-up Saturday.
    assert (moved["base_date"], moved["date"]) == ("2026-10-08", "2026-10-10")
    assert moved["held_working_days"] == 2


def test_held_days_upon_a_day_a_person_named():
    held = hold_receipt(given_receipt(date(2026, 9, 30), "item"), date(2026, 9, 30), 2, OLD)
    assert held["date"] == "2026-10-05"

    moved = recompute(held, NEW)

    assert (moved["base_date"], moved["date"]) == ("2026-09-30", "2026-10-06")


def test_the_later_of_two_dates_after_sending_back():
    old = date(2026, 9, 30)
    told = due_date(date(2026, 9, 29), 3, Unit.WORKING_DAY, rule="rework", calendar=OLD)
    by_limit = rework_receipt(given_receipt(old, "item"), old, 0, told, OLD)
    by_credit = rework_receipt(given_receipt(old, "item"), old, 6, told, OLD)
    assert (by_limit["date"], by_credit["date"]) == ("2026-10-05", "2026-10-09")

    assert recompute(by_limit, NEW)["date"] == "2026-10-06"
    assert recompute(by_credit, NEW)["date"] == "2026-10-10"


@pytest.mark.parametrize("cycle", Cycle)
def test_every_return_day_has_a_receipt_that_finds_it_again(cycle):
    periods = lay_out(cycle, date(2026, 1, 15), date(2026, 12, 20), return_day=5, calendar=OLD)

    for period in periods:
        assert period.receipt["date"] == period.due_date.isoformat()
        assert recompute(period.receipt, OLD) == period.receipt


def test_a_return_day_rolls_over_a_holiday_added_later():
    told = return_receipt(
        Cycle.MONTHLY, date(2026, 9, 1), date(2026, 9, 30), return_day=2, calendar=OLD
    )
    assert (told["date"], told["rolled_from"]) == ("2026-10-02", None)

    moved = recompute(told, NEW)

    assert (moved["date"], moved["rolled_from"]) == ("2026-10-05", "2026-10-02")
    assert moved["skipped"] == ["2026-10-02", "2026-10-03", "2026-10-04"]


# Files


def csv(*lines, heading="date,is_working,name"):
    return "\n".join((heading, *lines)).encode()


def problems_of(content, year=2027):
    with pytest.raises(NoticeFileError) as caught:
        read_notice(content, year)
    return [(problem.line, problem.message) for problem in caught.value.problems]


def test_a_good_file_is_read():
    found = read_notice(csv("2027-10-09,1,国庆节", "", "2027/10/1,0,国庆节"), 2027)

    assert found == (
        NoticeDay(date(2027, 10, 1), False, "国庆节"),
        NoticeDay(date(2027, 10, 9), True, "国庆节"),
    )


def test_a_file_saved_by_a_chinese_spreadsheet_is_read():
    text = "日期,是否上班,名称\r\n2027年10月1日,休,国庆节\r\n2027.10.9,班,国庆节\r\n"

    found = read_notice(text.encode("gb18030"), 2027)

    assert [(day.date.day, day.is_working, day.name) for day in found] == [
        (1, False, "国庆节"),
        (9, True, "国庆节"),
    ]
    assert read_notice(text.encode("utf-8-sig"), 2027) == found


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("2027-02-30,0,春节", "不存在"),
        ("2026-10-01,0,国庆节", "不在2027年内"),
        ("十月一日,0,国庆节", "不是日期"),
        ("2027-10-01,也许,国庆节", "未说明是否上班"),
        ("2027-10-01", "未说明是否上班"),
        ("2027-10-05,1,国庆节", "与第2行矛盾"),
    ],
)
def test_each_bad_line_is_named(line, word):
    found = problems_of(csv("2027-10-05,0,国庆节", line))

    assert [number for number, _message in found] == [3]
    assert word in found[0][1]


def test_all_bad_lines_are_named_at_once():
    content = csv("2027-02-30,0,x", "2027-10-01,0,x", "2026-01-01,0,x", "2027-10-01,1,x")

    assert [line for line, _message in problems_of(content)] == [2, 4, 5]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "没有任何日期"),
        (csv(), "没有任何日期"),
        (csv("2027-10-01,0,x", heading="day,works,name"), "缺少：date、is_working"),
        (b"PK\x03\x04\x00\x00", "不是文本"),
        (b"\xff\xff\xff", "不是文本"),
        (b"a" * 300_000, "文件过大"),
        (csv(*["2027-10-01,0,x"] * 1001), "文件过大"),
    ],
)
def test_a_file_that_is_no_notice(content, word):
    assert word in problems_of(content)[0][1]


def test_the_same_day_twice_with_one_meaning_counts_once():
    assert len(read_notice(csv("2027-10-01,0,国庆节", "2027-10-01,0,"), 2027)) == 1


@pytest.mark.parametrize("year", range(2007, 2027))
def test_nothing_grave_is_odd_about_the_published_notices(year):
    assert [odd.message for odd in oddities(notice_of_package(year), year) if odd.is_grave] == []


def test_what_is_odd_is_said():
    days = (
        NoticeDay(date(2027, 1, 1), False),
        NoticeDay(date(2027, 1, 2), False),  # a Saturday
        NoticeDay(date(2027, 1, 6), True),  # a Wednesday
    )

    grave = [odd.message for odd in oddities(days, 2027) if odd.is_grave]
    light = [odd.message for odd in oddities(days, 2027) if not odd.is_grave]

    assert len(grave) == 3
    assert "2027-01-06" in grave[0]
    assert "2027-05-01" in grave[1] and "2027-01-01" not in grave[1]
    assert "1天" in grave[2]
    assert len(light) == 1 and "2027-01-02" in light[0]


def test_differences_are_days_worked_otherwise():
    old = [NoticeDay(date(2027, 1, 1), False), NoticeDay(date(2027, 1, 3), False)]  # a Sunday
    new = [NoticeDay(date(2027, 1, 9), True)]

    assert differences(old, new) == [
        (date(2027, 1, 1), False, True),
        (date(2027, 1, 9), False, True),
    ]


@pytest.mark.parametrize(
    ("today", "years", "missing"),
    [
        (date(2026, 10, 31), {2026}, {}),
        (date(2026, 11, 1), {2026}, {2027: False}),
        (date(2026, 11, 30), {2026}, {2027: False}),
        (date(2026, 12, 1), {2026}, {2027: True}),
        (date(2026, 12, 31), {2026, 2027}, {}),
        (date(2027, 1, 1), {2026}, {2027: True}),
        (date(2026, 12, 1), set(), {2026: True, 2027: True}),
    ],
)
def test_when_a_missing_notice_alarms(today, years, missing):
    assert missing_notices(today, years) == missing


def test_the_package_names_its_days():
    found = {day.date: day for day in notice_of_package(2026)}

    assert found[date(2026, 10, 1)] == NoticeDay(date(2026, 10, 1), False, "国庆节")
    assert found[date(2026, 10, 10)].is_working
    assert 2026 in packaged_years() and notice_of_package(2099) == ()
