"""Whose desk a share lay on, as a table of stories; every day is one of June 2026."""

from datetime import date

import pytest

from supervision.rules.desks import BEGINS, Act, Desk, Step, Total, spans_of, totals
from supervision.rules.working_days import WorkingCalendar

PLAIN = WorkingCalendar()
LIMITS = {Step.SIGN: 2, Step.OBJECTION: 3, Step.REVIEW: 5, Step.CHECK: 10}


def june(n):
    return date(2026, 6, n)


def told(*acts, today=30, due=None, calendar=PLAIN):
    """(step, from, to, working days, limit, over) of each span, days as numbers of June."""
    found = spans_of(
        [Act(kind, june(n)) for kind, n in acts],
        today=june(today),
        calendar=calendar,
        limits=LIMITS,
        due_dates=due or (),
    )
    return [
        (
            s.step.value, s.start_date.day, s.end_date and s.end_date.day, s.working_days,
            s.limit_days, s.days_over,
        )
        for s in found
    ]  # fmt: skip


# 1 June 2026 is a Monday.
SIGNED = (("dispatched", 1), ("accepted", 2))
CASES = {
    "nothing happened": ((), {}, []),
    "signed late and still at work": (
        (("dispatched", 1), ("accepted", 5)),
        {"today": 9},
        [("sign", 1, 5, 4, 2, 2), ("work", 5, None, 2, None, 0)],
    ),
    "at work past the due date, which is still in time itself": (
        SIGNED,
        {"today": 12, "due": [(june(1), june(10))]},
        [("sign", 1, 2, 1, 2, 0), ("work", 2, None, 8, None, 2)],
    ),
    "the office kept the closing one day too long": (
        (*SIGNED, ("submitted", 5), ("approved", 15), ("completed", 16)),
        {},
        [
            ("sign", 1, 2, 1, 2, 0),
            ("work", 2, 5, 3, None, 0),
            ("review", 5, 15, 6, 5, 1),
            ("check", 15, 16, 1, 10, 0),
        ],
    ),
    "a body in time is not charged while the reviewer sits on it": (
        (*SIGNED, ("submitted", 5)),
        {"today": 30, "due": [(june(1), june(8))]},
        [
            ("sign", 1, 2, 1, 2, 0),
            ("work", 2, 5, 3, None, 0),
            ("review", 5, None, 17, 5, 12),
        ],
    ),
    "sent back, a new due date from that day": (
        (*SIGNED, ("submitted", 10), ("sent_back", 12), ("submitted", 24)),
        {"today": 25, "due": [(june(1), june(10)), (june(12), june(19))]},
        [
            ("sign", 1, 2, 1, 2, 0),
            ("work", 2, 10, 6, None, 0),
            ("review", 10, 12, 2, 5, 0),
            ("rework", 12, 24, 8, None, 3),
            ("review", 24, None, 1, 5, 0),
        ],
    ),
    "a failed check goes back to the body": (
        (*SIGNED, ("submitted", 3), ("approved", 4), ("check_failed", 22)),
        {"today": 23},
        [
            ("sign", 1, 2, 1, 2, 0),
            ("work", 2, 3, 1, None, 0),
            ("review", 3, 4, 1, 5, 0),
            ("check", 4, 22, 12, 10, 2),
            ("rework", 22, None, 1, None, 0),
        ],
    ),
    "suspended inside a review: the review goes on with the days it had used": (
        (*SIGNED, ("submitted", 3), ("suspended", 8), ("resumed", 15), ("approved", 19)),
        {"today": 19},
        [
            ("sign", 1, 2, 1, 2, 0),
            ("work", 2, 3, 1, None, 0),
            ("review", 3, 8, 3, 5, 0),
            ("hold", 8, 15, 5, None, 0),
            ("review", 15, 19, 4, 5, 2),
            ("check", 19, None, 0, 10, 0),
        ],
    ),
    "suspended when the review was over its limit already": (
        (*SIGNED, ("submitted", 3), ("suspended", 12), ("resumed", 15), ("approved", 17)),
        {"today": 17},
        [
            ("sign", 1, 2, 1, 2, 0),
            ("work", 2, 3, 1, None, 0),
            ("review", 3, 12, 7, 5, 2),
            ("hold", 12, 15, 1, None, 0),
            ("review", 15, 17, 2, 5, 2),
            ("check", 17, None, 0, 10, 0),
        ],
    ),
    "still suspended": (
        (*SIGNED, ("suspended", 4)),
        {"today": 10, "due": [(june(1), june(5))]},
        [
            ("sign", 1, 2, 1, 2, 0),
            ("work", 2, 4, 2, None, 0),
            ("hold", 4, None, 4, None, 0),
        ],
    ),
    "cancelled while suspended": (
        (*SIGNED, ("suspended", 4), ("cancelled", 8), ("resumed", 9)),
        {},
        [
            ("sign", 1, 2, 1, 2, 0),
            ("work", 2, 4, 2, None, 0),
            ("hold", 4, 8, 2, None, 0),
        ],
    ),
    "item and share suspended both, resumed once more than suspended": (
        (*SIGNED, ("suspended", 4), ("suspended", 5), ("resumed", 8), ("resumed", 9)),
        {"today": 9},
        [
            ("sign", 1, 2, 1, 2, 0),
            ("work", 2, 4, 2, None, 0),
            ("hold", 4, 8, 2, None, 0),
            ("work", 8, None, 1, None, 0),
        ],
    ),
    "the objection lies with the office; rejected, the time to sign begins anew": (
        (("dispatched", 1), ("objected", 3), ("objection_rejected", 9), ("accepted", 11)),
        {"today": 11},
        [
            ("sign", 1, 3, 2, 2, 0),
            ("objection", 3, 9, 4, 3, 1),
            ("sign", 9, 11, 2, 2, 0),
            ("work", 11, None, 0, None, 0),
        ],
    ),
    "an objection taken back leaves the time to sign as it was": (
        (("dispatched", 1), ("objected", 3), ("objection_withdrawn", 4), ("accepted", 5)),
        {"today": 5},
        [
            ("sign", 1, 3, 2, 2, 0),
            ("objection", 3, 4, 1, 3, 0),
            ("sign", 4, 5, 1, 2, 1),
            ("work", 5, None, 0, None, 0),
        ],
    ),
    "an objection upheld ends it": (
        (("dispatched", 1), ("objected", 2), ("objection_upheld", 4)),
        {},
        [("sign", 1, 2, 1, 2, 0), ("objection", 2, 4, 2, 3, 0)],
    ),
    "between completing and reopening it lies on nobody's desk": (
        (*SIGNED, ("submitted", 3), ("approved", 3), ("completed", 4), ("reopened", 16)),
        {"today": 22, "due": [(june(1), june(5)), (june(16), june(18))]},
        [
            ("sign", 1, 2, 1, 2, 0),
            ("work", 2, 3, 1, None, 0),
            ("review", 3, 3, 0, 5, 0),
            ("check", 3, 4, 1, 10, 0),
            ("work", 16, None, 4, None, 2),
        ],
    ),
    "a late extension does not take back the days before it": (
        SIGNED,
        {"today": 22, "due": [(june(1), june(5)), (june(10), june(18))]},
        [("sign", 1, 2, 1, 2, 0), ("work", 2, None, 14, None, 5)],
    ),
    "what is no step is passed over": (
        (("reminded", 1), *SIGNED, ("escalated", 3)),
        {"today": 3},
        [("sign", 1, 2, 1, 2, 0), ("work", 2, None, 1, None, 0)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_on_whose_desk_it_lay(name):
    acts, more, expected = CASES[name]
    assert told(*acts, **more) == expected


def test_rest_days_and_make_up_days_count_by_the_calendar():
    calendar = WorkingCalendar({june(8): False, june(13): True})
    assert told(*SIGNED, ("submitted", 5), ("approved", 15), calendar=calendar, today=15)[2] == (
        "review", 5, 15, 6, 5, 1
    )  # fmt: skip


def test_totals_by_desk_add_up_to_the_whole_time():
    acts, more, _expected = CASES[
        "suspended inside a review: the review goes on with the days it had used"
    ]
    spans = spans_of(
        [Act(kind, june(n)) for kind, n in acts],
        today=june(more["today"]), calendar=PLAIN, limits=LIMITS,
    )  # fmt: skip

    found = totals(spans)

    assert found == {Desk.BODY: Total(2, 0), Desk.OFFICE: Total(7, 2), Desk.HOLD: Total(5, 0)}
    assert sum(t.working_days for t in found.values()) == PLAIN.between(june(1), june(19))
    assert totals([]) == dict.fromkeys(Desk, Total())


def test_its_kinds_are_those_of_the_events():
    from supervision.models import EventKind
    from supervision.rules.desks import KINDS

    assert set(KINDS) <= set(EventKind.values)
    assert set(BEGINS) < set(KINDS)
