"""The lights against a second implementation written from domain.md, section 5, day by day.

The second one knows nothing of the first: no bisection, no shared helper, no scheme object, only
dates that are walked through one at a time. Generated cases must agree in light and reason.
"""

import random
from collections import Counter
from datetime import date, timedelta

from tests.proofs.common import Outcome, Scale

CASES = {Scale.QUICK: 2_000, Scale.FIRST: 100_000, Scale.AIM: 10_000_000}
ONE = timedelta(days=1)
ORDER = ["done", "done_late", "suspended", "green", "blue", "grey", "yellow", "orange", "red"]


def prove(*, seed: int, scale: Scale) -> Outcome:
    from supervision.rules import lights
    from supervision.rules.working_days import WorkingCalendar, announced_overrides

    overrides, years = announced_overrides(range(2007, 2031))
    calendar = WorkingCalendar(overrides, "proof", years)
    works = _working_days(overrides)
    schemes = {
        "ship": lights.SHIP_SCHEME,
        "quota": lights.QUOTA_SCHEME,
        "shortfall": lights.SHORTFALL_SCHEME,
        "three-step": lights.THREE_STEP_SCHEME,
        "early-is-blue": lights.EARLY_IS_BLUE_SCHEME,
    }
    chance = random.Random(seed)
    shown: Counter = Counter()
    reasons: Counter = Counter()
    problems: list[str] = []
    different = 0
    for _ in range(CASES[scale]):
        name = chance.choice(list(THRESHOLDS))
        facts, today = _case(chance)
        first = lights.verdict(lights.LightFacts(**facts), today, calendar, schemes[name])
        found = (
            first.light.value,
            first.reason.code,
            first.freshness and first.freshness.value,
            first.is_stale_marked,
        )
        second = _second(facts, today, works, THRESHOLDS[name])
        shown[found[0]] += 1
        reasons[found[1]] += 1
        if found != second:
            different += 1
            problems.append(f"{name} {today}: {found} against {second} for {facts}")
    every_light = {"red", "yellow", "blue", "green", "grey", "suspended", "done", "done_late"}
    unseen = every_light - set(shown)
    if unseen and scale is not Scale.QUICK:
        problems.append(f"never shown: {sorted(unseen)}")
    figures = {
        "cases": CASES[scale],
        "different": different,
        "schemes": len(schemes),
        "lights": len(shown),
        "reasons": len(reasons),
        "years": "2007-2030",
    }
    return Outcome(not problems, figures, problems)


def _case(chance: random.Random) -> tuple[dict, date]:
    """Facts of one share and a day to look from; dates lie close, so that borders are met."""
    today = date(2007, 1, 10) + ONE * chance.randrange(23 * 365)

    def near(width: int) -> date:
        return today + ONE * chance.randint(-width, width)

    due = None if chance.random() < 0.05 else near(chance.choice([3, 20, 60]))
    start = None if chance.random() < 0.1 else (due or today) - ONE * chance.randrange(90)
    is_completed = chance.random() < 0.15
    submitted = near(20) if is_completed or chance.random() < 0.15 else None
    scheduled = chance.choice([None, 0, 25, 50, 80, 100])
    return (
        {
            "due_date": due,
            "start_date": start,
            "is_dispatched": chance.random() > 0.03,
            "suspended_since": near(30) if chance.random() < 0.05 else None,
            "completed_date": submitted if is_completed else None,
            "submitted_date": submitted,
            "rework_due_date": near(10) if chance.random() < 0.1 else None,
            "was_overdue": chance.random() < 0.2,
            "actual_percent": chance.choice([None, 0, 15, 20, 40, 45, 50, 70, 80, 90, 100]),
            "scheduled_percent": scheduled,
            "missed_milestones": tuple(
                (f"节点{n}", today - ONE * chance.randint(1, 90))
                for n in range(chance.choice([0, 0, 0, 1, 2]))
            ),
            "months_missed": chance.choice([0, 0, 0, 1, 2, 3, 4]),
            "has_reported": chance.random() < 0.7,
            "last_report_date": near(60),
            "last_closed_period_due": near(12) if chance.random() < 0.7 else None,
            "last_closed_period_covered": chance.random() < 0.5,
            "reviewer_credit_days": chance.choice([0, 0, 0, 1, 5]),
        },
        today,
    )


# The second implementation

# warn, early notice, least span, overdue steps, gap as share?, gaps, ahead is blue, months for red
THRESHOLDS = {
    "ship": (3, 10, 20, [(1, "red")], False, [(10, True, "yellow"), (30, False, "red")], False, 3),
    "quota": (3, 10, 20, [(1, "red")], True, [(20, False, "blue"), (40, False, "yellow")], False,
              3),
    "shortfall": (3, 10, 20, [(1, "red")], True, [(0, False, "yellow"), (50, False, "red")],
                  False, 3),
    "three-step": (3, 10, 20, [(1, "yellow"), (8, "orange"), (16, "red")], False,
                   [(10, True, "yellow"), (30, False, "red")], False, 3),
    "early-is-blue": (3, None, 20, [(1, "red")], False, [(0, False, "yellow")], True, None),
}  # fmt: skip
GRACE = 5


def _working_days(overrides: dict[date, bool]) -> set[date]:
    """Every worked day of 2006 to 2032, one by one."""
    found, day = set(), date(2006, 1, 1)
    while day < date(2033, 1, 1):
        if overrides.get(day, day.weekday() < 5):
            found.add(day)
        day += ONE
    return found


def _worked_between(start: date, end: date, works: set[date]) -> int:
    """Worked days after the earlier one up to the later one; negative when they are turned."""
    if end < start:
        return -_worked_between(end, start, works)
    count, day = 0, start
    while day < end:
        day += ONE
        count += day in works
    return count


def _after(day: date, n: int, works: set[date]) -> date:
    while n:
        day += ONE
        n -= day in works
    return day


def _second(facts: dict, today: date, works: set[date], thresholds) -> tuple:
    warn, notice, span, steps, is_share, gaps, is_ahead_blue, months_red = thresholds
    deadline = facts["due_date"]
    if deadline is not None and not facts["was_overdue"]:
        if facts["reviewer_credit_days"]:
            deadline = _after(deadline, facts["reviewer_credit_days"], works)
        if facts["rework_due_date"] is not None and facts["rework_due_date"] > deadline:
            deadline = facts["rework_due_date"]
    if facts["completed_date"] is not None:
        if deadline is not None and facts["submitted_date"] > deadline:
            return "done_late", "completed_late", None, False
        return "done", "completed", None, False
    if not facts["is_dispatched"]:
        return "grey", "not_dispatched", None, False
    if facts["suspended_since"] is not None:
        return "suspended", "suspended", None, False
    clock = facts["submitted_date"] or today
    time = ("green", "on_track")
    if deadline is not None:
        if clock > deadline:
            days = (clock - deadline).days
            time = ([light for least, light in steps if days >= least][-1], "overdue")
        elif clock == deadline:
            time = ("yellow", "due_today")
        else:
            left = _worked_between(clock, deadline, works)
            start = facts["start_date"]
            is_long = start is not None and _worked_between(start, deadline, works) >= span
            if left <= warn:
                time = ("yellow", "due_in")
            elif notice is not None and is_long and left <= notice:
                time = ("blue", "due_in")
    candidates = []
    if months_red is not None and facts["months_missed"] >= months_red:
        candidates.append(("red", "months_missed"))
    if facts["missed_milestones"]:
        candidates.append(("yellow", "milestone_missed"))
    actual, scheduled = facts["actual_percent"], facts["scheduled_percent"]
    if actual is not None and scheduled is not None:
        points = scheduled - actual
        gap = points if not is_share else (points * 100 / scheduled if scheduled else 0)
        reached = [light for over, same, light in gaps if gap > over or (same and gap == over)]
        if reached:
            candidates.append((max(reached, key=ORDER.index), "behind"))
        elif is_ahead_blue and points < 0:
            candidates.append(("blue", "ahead"))
        else:
            candidates.append(("green", "on_track"))
    progress = None
    for candidate in candidates:
        if progress is None or ORDER.index(candidate[0]) > ORDER.index(progress[0]):
            progress = candidate
    shown = time
    if progress is not None and ORDER.index(progress[0]) > ORDER.index(time[0]):
        shown = progress
    period = facts["last_closed_period_due"]
    if period is None:
        return (*shown, None, False)
    is_past_grace = today > _after(period, GRACE, works)
    if facts["last_closed_period_covered"] or not is_past_grace:
        return (*shown, "fresh", False)
    freshness = "stale" if facts["has_reported"] else "never"
    if shown[0] in ("green", "blue"):
        return ("grey", "stale" if facts["has_reported"] else "never_reported", freshness, False)
    return (*shown, freshness, True)
