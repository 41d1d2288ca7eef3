import pytest

from supervision.rules.lights import Freshness, Light, LightVerdict, Reason
from supervision.rules.public_status import PublicStatus, public_status


def shown(light, code="on_track", time=None, progress=None, freshness=None):
    return LightVerdict(
        light,
        Reason(code),
        time_reason=Reason(time) if time else None,
        progress_light=progress,
        freshness=freshness,
    )


@pytest.mark.parametrize(
    ("verdict", "more", "expected"),
    [
        (shown(Light.GREY, "not_dispatched"), {}, PublicStatus.NOT_STARTED),
        (shown(Light.GREEN), {"status": "initiated"}, PublicStatus.NOT_STARTED),
        (shown(Light.GREEN), {"status": "in_progress"}, PublicStatus.ON_TRACK),
        (shown(Light.BLUE, "due_in", "due_in"), {}, PublicStatus.ON_TRACK),
        (shown(Light.YELLOW, "due_today", "due_today"), {}, PublicStatus.ON_TRACK),
        (shown(Light.YELLOW, "behind", progress=Light.YELLOW), {}, PublicStatus.BEHIND),
        (shown(Light.RED, "behind", progress=Light.RED), {}, PublicStatus.BEHIND),
        (shown(Light.BLUE, "behind", progress=Light.BLUE), {}, PublicStatus.ON_TRACK),
        (shown(Light.YELLOW, "shares_overdue"), {}, PublicStatus.BEHIND),
        (shown(Light.BLUE, "shares_behind"), {}, PublicStatus.ON_TRACK),
        (shown(Light.GREEN, "shares_open"), {}, PublicStatus.ON_TRACK),
        (shown(Light.RED, "overdue", "overdue"), {}, PublicStatus.OVERDUE),
        (
            shown(Light.RED, "overdue", "overdue", Light.RED, Freshness.NEVER),
            {},
            PublicStatus.OVERDUE,
        ),
        (shown(Light.GREY, "stale", freshness=Freshness.STALE), {}, PublicStatus.NO_RECENT_REPORT),
        (
            shown(Light.YELLOW, "due_in", "due_in", freshness=Freshness.NEVER),
            {},
            PublicStatus.NO_RECENT_REPORT,
        ),
        (shown(Light.GREEN, freshness=Freshness.FRESH), {}, PublicStatus.ON_TRACK),
        (shown(Light.DONE, "completed"), {"status": "archived"}, PublicStatus.DONE),
        (shown(Light.DONE_LATE, "completed_late"), {}, PublicStatus.DONE_LATE),
        (shown(Light.DONE, "completed"), {"outcome": "done_late"}, PublicStatus.DONE_LATE),
        (shown(Light.DONE_LATE, "completed_late"), {"outcome": "done"}, PublicStatus.DONE),
        (shown(Light.SUSPENDED, "suspended"), {}, None),
        (shown(Light.RED, "overdue", "overdue"), {"status": "suspended"}, None),
        (shown(Light.GREEN), {"status": "cancelled"}, None),
    ],
)
def test_the_public_word(verdict, more, expected):
    assert public_status(verdict, **more) is expected
