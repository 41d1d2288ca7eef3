"""Charts are markup made from numbers: nothing may be lost, unescaped or wrongly drawn."""

import xml.etree.ElementTree as ElementTree
from datetime import date
from decimal import Decimal

import pytest
from django.utils import translation
from django.utils.safestring import SafeString

from supervision.charts import (
    CODES,
    MilestonePoint,
    Segment,
    TrendPoint,
    milestone_line,
    stacked_bar,
    target_bar,
    trend,
)

HOSTILE = "</title><script>alert('x')</script>&\""


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def parse(svg):
    assert isinstance(svg, SafeString)
    return ElementTree.fromstring(svg)


def texts(svg):
    return [element.text for element in parse(svg).iter("text")]


def description(svg):
    return parse(svg).find("desc").text


def widths(svg):
    return [
        float(rect.get("width").rstrip("%"))
        for rect in parse(svg)
        if rect.tag == "rect" and rect.get("width").endswith("%")
    ]


CHART_NAMES = ["stacked_bar", "target_bar", "milestone_line", "trend"]
ALL_CHARTS = [
    stacked_bar([Segment(HOSTILE, 3, "red")], title=HOSTILE),
    target_bar(3, 4, title=HOSTILE, unit=HOSTILE),
    milestone_line([MilestonePoint(HOSTILE, date(2026, 1, 5))], title=HOSTILE),
    trend([TrendPoint(HOSTILE, 3)], title=HOSTILE, goal=5, unit=HOSTILE),
]


@pytest.mark.parametrize("svg", ALL_CHARTS, ids=CHART_NAMES)
def test_content_is_escaped(svg):
    assert "<script" not in svg
    assert parse(svg).find("title").text == HOSTILE
    assert HOSTILE in description(svg)


@pytest.mark.parametrize("svg", ALL_CHARTS, ids=CHART_NAMES)
def test_charts_obey_the_content_policy(svg):
    for element in parse(svg).iter():
        assert element.tag not in {"style", "script", "foreignObject", "image"}
        assert not [name for name in element.attrib if name == "style" or name.startswith("on")]
    assert parse(svg).get("role") == "img"


def test_every_count_of_a_stacked_bar_is_in_its_description():
    svg = stacked_bar(
        [
            Segment("Overdue", 1, "red"),
            Segment("On course", 99, "green"),
            Segment("None", 0, "grey"),
        ],
        title="Lights",
    )

    assert description(svg) == "Total 100. Overdue: 1. On course: 99. None: 0."
    assert widths(svg) == [1, 99]
    assert texts(svg) == ["● 99"], "a sliver carries no number, the table beside it does"


@pytest.mark.parametrize("code", CODES)
def test_one_segment_fills_the_bar_in_every_light(code):
    svg = stacked_bar([Segment("All", 7, code)], title="Lights")

    assert widths(svg) == [100]
    assert texts(svg)[0].endswith(" 7")


def test_segments_add_up_to_the_whole():
    svg = stacked_bar([Segment(str(n), n, code) for n, code in enumerate(CODES, 1)], title="x")

    assert sum(widths(svg)) == pytest.approx(100, abs=0.05)


@pytest.mark.parametrize("segments", [[], [Segment("Overdue", 0, "red")]])
def test_a_total_of_zero_is_said_and_not_divided_by(segments):
    assert texts(stacked_bar(segments, title="Lights")) == ["Nothing to count"]


def test_patterns_are_referred_to_by_their_own_name():
    svg = stacked_bar([Segment("Due soon", 2, "yellow")], title="Lights")

    name = parse(svg).find("pattern").get("id")
    assert f'fill="url(#{name})"' in svg
    assert svg == stacked_bar([Segment("Due soon", 2, "yellow")], title="Lights")


@pytest.mark.parametrize(
    "segment", [Segment("Overdue", -1, "red"), Segment("Overdue", 1, 'red" onload="x')]
)
def test_a_stacked_bar_refuses_bad_values(segment):
    with pytest.raises(ValueError):
        stacked_bar([segment], title="Lights")


def test_a_target_says_value_goal_and_rate():
    svg = target_bar(186, 300, title="Firms", unit="firms")

    assert texts(svg) == ["Now 186 firms, 62% of the goal", "Goal 300 firms"]
    assert widths(svg) == [100, 62]


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        (Decimal("99.96"), "99.9%"),
        (0, "0%"),
        (100, "100%"),
        (120, "120%"),
        (0.1, "0.1%"),
        (-5, "-5%"),
    ],
)
def test_a_rate_never_reads_higher_than_it_is(value, rate):
    assert f", {rate} of the goal" in texts(target_bar(value, 100, title="x"))[0]


def test_a_value_beyond_its_goal_stays_inside_the_picture():
    assert max(widths(target_bar(1000, 1, title="x"))) == 100


def test_a_target_without_a_figure_is_not_zero():
    svg = target_bar(None, 60, title="x")

    assert texts(svg)[0] == "No figure yet"
    assert widths(svg) == [100]


@pytest.mark.parametrize(
    ("value", "goal"), [(1, 0), (1, -3), (float("nan"), 5), (1, float("inf")), (Decimal("NaN"), 5)]
)
def test_a_target_refuses_bad_values(value, goal):
    with pytest.raises(ValueError):
        target_bar(value, goal, title="x")


def test_milestones_stand_in_order_and_keep_their_first_date():
    svg = milestone_line(
        [
            MilestonePoint("Open", date(2026, 12, 31)),
            MilestonePoint(
                "Build", date(2026, 6, 30), date(2026, 7, 20), date(2026, 5, 31), "done"
            ),
        ],
        title="Plan",
        today=date(2026, 11, 22),
    )

    assert description(svg) == (
        "1. Build: planned 2026-06-30 (first 2026-05-31), done 2026-07-20. "
        "2. Open: planned 2026-12-31, not done."
    )
    assert "Today 2026-11-22" in texts(svg)


def test_a_single_day_does_not_break_the_axis():
    assert texts(milestone_line([MilestonePoint("Open", date(2026, 1, 1))], title="Plan"))[0] == "1"


def test_no_milestones_are_said():
    assert texts(milestone_line([], title="Plan")) == ["No milestones yet"]


def test_a_gap_in_a_trend_is_not_bridged():
    def lines(values):
        points = [TrendPoint(str(index), value) for index, value in enumerate(values)]
        return trend(points, title="x").count('class="chart-line"')

    assert lines([1, 2, 3]) == 2
    assert lines([1, None, 3]) == 0


def test_a_trend_tells_each_value():
    svg = trend(
        [TrendPoint("May", 5), TrendPoint("June", None)], title="Firms", goal=9, unit="firms"
    )

    assert description(svg) == "May: 5 firms. June: no figure. Goal 9 firms"


@pytest.mark.parametrize("values", [[0, 0], [-3, 4], [7], [1e6] * 40])
def test_a_trend_stays_inside_its_picture(values):
    svg = trend([TrendPoint(str(i), value) for i, value in enumerate(values)], title="x")

    heights = [float(circle.get("cy")) for circle in parse(svg).iter("circle")]
    assert len(heights) == len(values)
    assert all(0 <= y <= 160 for y in heights)


@pytest.mark.parametrize("values", [[], [None, None]])
def test_a_trend_without_figures_says_so(values):
    assert texts(trend([TrendPoint("x", value) for value in values], title="x")) == [
        "No figure yet"
    ]


def test_a_trend_refuses_what_is_no_number():
    with pytest.raises(ValueError):
        trend([TrendPoint("x", float("nan"))], title="x")
