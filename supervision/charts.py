"""Charts drawn on the server as SVG: values in, markup out, no database and no clock.

Every chart carries a title and a description with all its numbers and is meant to stand beside a
table of the same numbers. Positions are percentages of the width, so text keeps its size on every
screen. Colours come from CSS classes (`components.css`); a shape and a pattern say the same thing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha1
from math import isfinite

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

Number = int | float | Decimal

CODES = ("red", "orange", "yellow", "green", "blue", "grey", "suspended", "done", "done_late")
SHAPES = {
    "red": "■",
    "orange": "⬟",
    "yellow": "▲",
    "green": "●",
    "blue": "◆",
    "grey": "○",
    "suspended": "‖",
    "done": "✓",
    "done_late": "✓",
}
# Lines of the pattern inside an 8 × 8 tile; red and green stay plain.
HATCHES = {
    "orange": "M0 2H8M0 6H8",
    "yellow": "M0 8L8 0M-2 2L2 -2M6 10L10 6",
    "blue": "M0 4H8",
    "grey": "M4 0V8",
    "suspended": "M2 0V8M6 0V8",
    "done": "M0 0L8 8M-2 6L2 10M6 -2L10 2",
    "done_late": "M0 8L8 0M0 0L8 8",
}
LABEL_SHARE = 7  # percent of the width below which a segment is too narrow for its number


@dataclass(frozen=True)
class Segment:
    """One part of a whole: `code` is a light's code, `count` a number of rows."""

    label: str
    count: int
    code: str


@dataclass(frozen=True)
class MilestonePoint:
    """A milestone as planned and, once done, as it was; `original_date` if the plan was moved."""

    label: str
    planned_date: date
    actual_date: date | None = None
    original_date: date | None = None
    code: str = "grey"


@dataclass(frozen=True)
class TrendPoint:
    """One period's value; None leaves a gap, a gap is never drawn as zero."""

    label: str
    value: Number | None


def stacked_bar(
    segments: Sequence[Segment], *, title: str, width: int | str = "100%", height: int = 32
) -> SafeString:
    """How a whole divides into lights. Raises ValueError for a negative count or unknown code."""
    for segment in segments:
        _known_code(segment.code)
        if segment.count < 0:
            raise ValueError(f"negative count in {segment.label!r}")
    total = sum(segment.count for segment in segments)
    shown = [segment for segment in segments if segment.count]
    description = _("Total {total}.").format(total=total)
    for segment in segments:
        description += " " + _("{label}: {count}.").format(label=segment.label, count=segment.count)

    prefix = _identifier(title, description)
    body = []
    if not total:
        body.append(_rectangle(0, 100, 0, height, "chart-track"))
        body.append(_text(50, height / 2 + 5, _("Nothing to count"), anchor="middle"))
    start = 0.0
    for segment in shown:
        share = segment.count * 100 / total
        body.append(_fill(prefix, segment.code, start, share, height))
        if share >= LABEL_SHARE:
            body.append(
                _text(
                    start + share / 2,
                    height / 2 + 5,
                    f"{SHAPES[segment.code]} {segment.count}",
                    anchor="middle",
                    classes=f"chart-label chart-label-{segment.code}",
                )
            )
        start += share
    patterns = [_pattern(prefix, code) for code in sorted({s.code for s in shown} & set(HATCHES))]
    return _svg(patterns + body, title=title, description=description, width=width, height=height)


def target_bar(
    value: Number | None,
    goal: Number,
    *,
    title: str,
    unit: str = "",
    width: int | str = "100%",
) -> SafeString:
    """A value against its goal. Without a goal above zero there is no rate and ValueError is
    raised; a negative value draws an empty bar and keeps its number.
    """
    _finite(goal, value)
    if goal <= 0:
        raise ValueError("a goal must be above zero")
    goal_text = _("Goal {goal} {unit}").format(goal=_plain(goal), unit=unit).strip()
    if value is None:
        value_text = _("No figure yet")
    else:
        value_text = (
            _("Now {value} {unit}, {rate} of the goal")
            .format(value=_plain(value), unit=unit, rate=_rate(value, goal) + "%")
            .replace(" ,", ",")
        )
    top = max(float(goal), float(value or 0))
    body = [
        _text(0, 14, value_text),
        _text(100, 14, goal_text, anchor="end", classes="chart-soft"),
        _rectangle(0, 100, 22, 14, "chart-track"),
    ]
    if value is not None and value > 0:
        body.append(_rectangle(0, float(value) * 100 / top, 22, 14, "chart-value"))
    # Drawn a little inside, so that the mark of a goal at the far end is not cut in half.
    goal_at = min(float(goal) * 100 / top, 99.7)
    body.append(_line(goal_at, 18, goal_at, 40, "chart-goal"))
    description = _("{value}. {goal}.").format(value=value_text, goal=goal_text)
    return _svg(body, title=title, description=description, width=width, height=42)


def milestone_line(
    points: Sequence[MilestonePoint],
    *,
    title: str,
    today: date | None = None,
    width: int | str = "100%",
) -> SafeString:
    """Milestones on an axis of dates: plan above, what happened below. Numbers name the rows of
    the table beside it. `today` is passed in, never read from a clock.
    """
    for point in points:
        _known_code(point.code)
    ordered = sorted(points, key=lambda point: point.planned_date)
    if not ordered:
        body = [_text(0, 20, _("No milestones yet"))]
        return _svg(body, title=title, description=_("No milestones yet"), width=width, height=28)

    days = [
        day
        for point in ordered
        for day in (point.planned_date, point.actual_date, point.original_date)
        if day
    ]
    if today:
        days.append(today)
    first, last = min(days), max(days)
    if first == last:
        first, last = first - timedelta(days=15), last + timedelta(days=15)
    span = (last - first).days

    def at(day: date) -> float:
        return 3 + (day - first).days * 94 / span

    body = [_line(0, 44, 100, 44, "chart-axis")]
    if today:
        body.append(_line(at(today), 8, at(today), 80, "chart-today"))
    description = ""
    for number, point in enumerate(ordered, start=1):
        planned = at(point.planned_date)
        if point.original_date and point.original_date != point.planned_date:
            original = at(point.original_date)
            body.append(_line(original, 28, planned, 28, "chart-move"))
            body.append(_circle(original, 28, 3, "chart-plan"))
        if point.actual_date:
            actual = at(point.actual_date)
            body.append(_line(planned, 28, actual, 60, "chart-move"))
            body.append(_mark(actual, 60, point.code))
        body.append(_circle(planned, 28, 6, "chart-plan"))
        body.append(_text(planned, 16, str(number), anchor="middle"))
        description += _milestone_sentence(number, point) + " "
    body.append(_text(0, 90, first.isoformat(), classes="chart-soft"))
    body.append(_text(100, 90, last.isoformat(), anchor="end", classes="chart-soft"))
    if today:
        words = _("Today {date}").format(date=today.isoformat())
        here, is_right = at(today), at(today) > 50
        body.append(
            _text(
                here - 1 if is_right else here + 1,
                76,
                words,
                anchor="end" if is_right else "start",
                classes="chart-soft chart-number",
            )
        )
    return _svg(body, title=title, description=description.strip(), width=width, height=96)


@dataclass(frozen=True)
class TimelineScale:
    """The days between the edges of a time line; both are its first and last mark."""

    first: date
    last: date

    def at(self, day: date) -> float:
        """Where a day stands, in percent; days outside stand on the edge."""
        span = max((self.last - self.first).days, 1)
        return min(max((day - self.first).days * 100 / span, 0), 100)

    def years(self) -> list[date]:
        return [date(year, 1, 1) for year in range(self.first.year + 1, self.last.year + 1)]


@dataclass(frozen=True)
class TimelineBar:
    """One item: from its first day to its due date, the date first given, and its light."""

    start_date: date
    due_date: date | None
    original_date: date | None
    code: str


def timeline_axis(scale: TimelineScale, *, today: date, title: str) -> SafeString:
    """The head of a time line: its edges, the years between, today."""
    body = [
        _text(0, 12, scale.first.isoformat(), classes="chart-soft"),
        _text(100, 12, scale.last.isoformat(), anchor="end", classes="chart-soft"),
    ]
    for day in scale.years():
        place = scale.at(day)
        body.append(_line(place, 16, place, 34, "chart-grid"))
        if 12 < place < 88:
            body.append(_text(place, 12, str(day.year), anchor="middle", classes="chart-soft"))
    if scale.first <= today <= scale.last:
        here = scale.at(today)
        is_right = here > 50
        body.append(_line(here, 16, here, 34, "chart-today"))
        words = _("Today {date}").format(date=today.isoformat())
        body.append(
            _text(
                here - 1 if is_right else here + 1,
                30,
                words,
                anchor="end" if is_right else "start",
                classes="chart-soft chart-number",
            )
        )
    return _svg(body, title=title, description=title, width="100%", height=34)


def timeline_row(
    scale: TimelineScale,
    bar: TimelineBar,
    points: Sequence[MilestonePoint],
    *,
    today: date,
    title: str,
    description: str,
) -> SafeString:
    """One item on the time line: the bar to its due date, the date first given as an open mark
    with the slip drawn between, its milestones above. All numbers stand in the table beside it.
    """
    _known_code(bar.code)
    body = []
    for day in scale.years():
        body.append(_line(scale.at(day), 0, scale.at(day), 40, "chart-grid"))
    start, end = scale.at(bar.start_date), scale.at(bar.due_date or scale.last)
    first = scale.at(bar.original_date) if bar.original_date else end
    body.append(
        _rectangle(
            start, max(min(first, end) - start, 0.3), 22, 10, f"chart-bar chart-fill-{bar.code}"
        )
    )
    if bar.original_date and bar.due_date and bar.original_date != bar.due_date:
        low, high = min(first, end), max(first, end)
        body.append(_rectangle(low, max(high - low, 0.3), 22, 10, "chart-slip"))
        body.append(_line(first, 18, first, 36, "chart-original"))
    if bar.due_date:
        body.append(_line(end, 18, end, 36, "chart-due"))
    for point in points:
        _known_code(point.code)
        place = scale.at(point.planned_date)
        if point.original_date and point.original_date != point.planned_date:
            origin = scale.at(point.original_date)
            body.append(_line(origin, 10, place, 10, "chart-move"))
            body.append(_circle(origin, 10, 3, "chart-plan"))
        if point.actual_date:
            body.append(_mark(scale.at(point.actual_date), 14, point.code))
        else:
            body.append(_circle(place, 10, 4, "chart-plan"))
    if scale.first <= today <= scale.last:
        body.append(_line(scale.at(today), 0, scale.at(today), 40, "chart-today"))
    return _svg(body, title=title, description=description, width="100%", height=40)


def trend(
    points: Sequence[TrendPoint],
    *,
    title: str,
    goal: Number | None = None,
    unit: str = "",
    width: int | str = "100%",
    height: int = 160,
) -> SafeString:
    """Values of successive periods as a line with marks; the scale begins at zero or below."""
    _finite(goal, *(point.value for point in points))
    values = [float(point.value) for point in points if point.value is not None]
    description = " ".join(
        _("{label}: {value} {unit}.").format(
            label=point.label, value=_plain(point.value), unit=unit
        )
        if point.value is not None
        else _("{label}: no figure.").format(label=point.label)
        for point in points
    )
    if not values:
        body = [_text(0, 20, _("No figure yet"))]
        description = description or _("No figure yet")
        return _svg(body, title=title, description=description, width=width, height=28)
    if goal is not None:
        description += " " + _("Goal {goal} {unit}").format(goal=_plain(goal), unit=unit).strip()

    lowest = min(0.0, *values) if goal is None else min(0.0, float(goal), *values)
    highest = max(values) if goal is None else max(float(goal), *values)
    if highest == lowest:
        highest = lowest + 1
    top, bottom = 26, height - 26

    def across(index: int) -> float:
        return 50 if len(points) == 1 else 5 + index * 90 / (len(points) - 1)

    def up(value: float) -> float:
        return bottom - (value - lowest) * (bottom - top) / (highest - lowest)

    body = [_line(0, up(0), 100, up(0), "chart-axis")]
    if goal is not None:
        body.append(_line(0, up(float(goal)), 100, up(float(goal)), "chart-today"))
        words = _("Goal {goal} {unit}").format(goal=_plain(goal), unit=unit).strip()
        body.append(_text(0, up(float(goal)) - 6, words, classes="chart-soft"))
    before = None
    marks = []
    step = max(1, -(-len(points) // 8))
    for index, point in enumerate(points):
        is_labelled = (len(points) - 1 - index) % step == 0
        if is_labelled:
            body.append(
                _text(across(index), height - 6, point.label, anchor="middle", classes="chart-soft")
            )
        if point.value is None:
            before = None
            continue
        here = (across(index), up(float(point.value)))
        if before:
            body.append(_line(*before, *here, "chart-line"))
        marks.append(_circle(*here, 4, "chart-point"))
        if is_labelled:
            marks.append(
                _text(
                    here[0],
                    here[1] - 9,
                    _plain(point.value),
                    anchor="middle",
                    classes="chart-number",
                )
            )
        before = here
    return _svg(body + marks, title=title, description=description, width=width, height=height)


def _milestone_sentence(number: int, point: MilestonePoint) -> str:
    words = {
        "number": number,
        "label": point.label,
        "planned": point.planned_date.isoformat(),
        "original": point.original_date.isoformat() if point.original_date else "",
        "actual": point.actual_date.isoformat() if point.actual_date else "",
    }
    is_moved = bool(point.original_date and point.original_date != point.planned_date)
    if point.actual_date and is_moved:
        sentence = _("{number}. {label}: planned {planned} (first {original}), done {actual}.")
    elif point.actual_date:
        sentence = _("{number}. {label}: planned {planned}, done {actual}.")
    elif is_moved:
        sentence = _("{number}. {label}: planned {planned} (first {original}), not done.")
    else:
        sentence = _("{number}. {label}: planned {planned}, not done.")
    return sentence.format(**words)


def _known_code(code: str) -> None:
    if code not in CODES:
        raise ValueError(f"unknown code of a light: {code!r}")


def _finite(*values: Number | None) -> None:
    for value in values:
        if value is not None and not isfinite(value):
            raise ValueError("a chart needs finite numbers")


def _plain(value: Number) -> str:
    """Digits as written in a table: no exponent, no trailing zeros, at most two decimals."""
    text = f"{value:.2f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _rate(value: Number, goal: Number) -> str:
    """Percent with one decimal, cut and not rounded, so that 99.96 never reads as 100."""
    tenths = Decimal(str(value)) * 1000 / Decimal(str(goal))
    return _plain(Decimal(int(tenths)) / 10)


def _identifier(*parts: str) -> str:
    """Same chart, same id: two runs give the same bytes, so a page can be compared and cached."""
    digest = sha1("\0".join(parts).encode(), usedforsecurity=False).hexdigest()
    return f"chart-{digest[:8]}"


def _percent(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"


def _svg(
    body: Iterable[SafeString], *, title: str, description: str, width: int | str, height: int
) -> SafeString:
    return format_html(
        '<svg class="chart" role="img" width="{}" height="{}" focusable="false">'
        "<title>{}</title><desc>{}</desc>{}</svg>",
        width,
        height,
        title,
        description,
        format_html_join("", "{}", ((part,) for part in body)),
    )


def _text(
    x: float, y: float, words: str, *, anchor: str = "start", classes: str = ""
) -> SafeString:
    return format_html(
        '<text x="{}" y="{}" text-anchor="{}"{}>{}</text>',
        _percent(x),
        _plain(y),
        anchor,
        format_html(' class="{}"', classes) if classes else "",
        words,
    )


def _rectangle(x: float, width: float, y: float, height: float, classes: str) -> SafeString:
    return format_html(
        '<rect x="{}" y="{}" width="{}" height="{}" class="{}"/>',
        _percent(x),
        _plain(y),
        _percent(width),
        _plain(height),
        classes,
    )


def _line(x1: float, y1: float, x2: float, y2: float, classes: str) -> SafeString:
    return format_html(
        '<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"/>',
        _percent(x1),
        _plain(y1),
        _percent(x2),
        _plain(y2),
        classes,
    )


def _circle(x: float, y: float, radius: int, classes: str) -> SafeString:
    return format_html(
        '<circle cx="{}" cy="{}" r="{}" class="{}"/>', _percent(x), _plain(y), radius, classes
    )


def _mark(x: float, y: float, code: str) -> SafeString:
    return _text(x, y + 5, SHAPES[code], anchor="middle", classes=f"chart-mark chart-mark-{code}")


def _pattern(prefix: str, code: str) -> SafeString:
    return format_html(
        '<pattern id="{}-{}" width="8" height="8" patternUnits="userSpaceOnUse">'
        '<rect width="8" height="8" class="chart-fill-{}"/>'
        '<path d="{}" class="chart-hatch chart-hatch-{}"/></pattern>',
        prefix,
        code,
        code,
        mark_safe(HATCHES[code]),
        code,
    )


def _fill(prefix: str, code: str, start: float, share: float, height: int) -> SafeString:
    if code not in HATCHES:
        return _rectangle(start, share, 0, height, f"chart-segment chart-fill-{code}")
    return format_html(
        '<rect x="{}" y="0" width="{}" height="{}" class="chart-segment" fill="url(#{}-{})"/>',
        _percent(start),
        _percent(share),
        height,
        prefix,
        code,
    )
