"""Lateness by desk: the office's own line first, the bodies after it, each charged with its own."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse

from supervision.clocks import BODY_FACTS, read_clocks
from supervision.models import Event, EventKind
from supervision.services.settings import working_calendar
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    ExtensionFactory,
    ItemFactory,
    PeriodFactory,
    ReportFactory,
)

pytestmark = pytest.mark.django_db
YEAR = TODAY.year


def ago(n):
    """NOON of the n-th working day before the fixed one."""
    return NOON - (TODAY - working_calendar().add(TODAY, -n))


def share(city, leader=None, body=None, **facts):
    item = ItemFactory(dispatched=True, leader=leader or city.leader, due_date=date(2026, 12, 31))
    return AssignmentFactory(item=item, organization=body or city.bureau, **facts)


def fact(kind, row, *, at=NOON, **data):
    return Event.objects.create(
        kind=kind, item=row.item, assignment=row, organization=row.organization, data=data,
        happened_at=at, recorded_at=NOON,
    )  # fmt: skip


def read(user, year=YEAR):
    return read_clocks(user, today=TODAY, year=year)


def office(found, queue_name):
    (row,) = (row for row in found.office if row.queue_name == queue_name)
    return row.waiting, row.over, row.year_over


def bodies(found):
    return {row.body.short_name: row for row in found.bodies}


@pytest.mark.parametrize(("days", "over"), [(3, 0), (4, 1)])
def test_what_waits_is_over_after_the_limit_of_its_desk(city, days, over):
    for _ in range(2):
        ReportFactory(
            period=PeriodFactory(assignment=share(city)), status="submitted", submitted_at=ago(days)
        )

    found = read(city.officer)

    assert office(found, "进展报告待审核") == (2, 2 * over, 0)
    assert found.office_total == {"waiting": 2, "over": 2 * over, "year_over": 0}


def test_the_leader_s_desk_counts_from_the_endorsement(city):
    ExtensionFactory(
        assignment=share(city), status="endorsed", submitted_at=ago(9), endorsed_at=ago(2)
    )
    assert office(read(city.officer), "延期待审批") == (1, 0, 0)


def test_a_body_is_charged_with_what_lies_with_itself(city):
    share(city, due_date=TODAY, original_due_date=TODAY)
    yesterday = TODAY - timedelta(days=1)
    share(city, due_date=yesterday, original_due_date=yesterday)
    share(city, status="pending", accept_due_date=yesterday)
    share(city, status="under_review", due_date=yesterday, original_due_date=yesterday)
    waits = share(city, body=city.county, is_sign_off_requested=True)
    fact(EventKind.CLOSING_DRAFTED, waits, at=ago(3))

    found = bodies(read(city.officer))

    assert (found["市工信局"].waiting, found["市工信局"].over) == (3, 2)
    assert (found["桃城区"].waiting, found["桃城区"].over) == (1, 0)
    assert [found[name].sign_off_over for name in ("市工信局", "桃城区")] == [0, 1]


def test_the_facts_of_a_year_go_to_the_desk_they_lay_on(city):
    row = share(city)
    for kind, data in (
        (EventKind.ACCEPT_OVERDUE, {}),
        (EventKind.BECAME_OVERDUE, {}),
        (EventKind.BECAME_OVERDUE, {}),
        (EventKind.MILESTONE_MISSED, {}),
        (EventKind.PERIOD_CLOSED, {"is_filed": False}),
        (EventKind.PERIOD_CLOSED, {"is_filed": True}),
        (EventKind.REVIEW_OVERDUE, {"queue": "sign-offs"}),
        (EventKind.REVIEW_OVERDUE, {"queue": "closing-sign-offs"}),
        (EventKind.REVIEW_OVERDUE, {"queue": "reports"}),
        (EventKind.REVIEW_NEAR, {"queue": "reports"}),
    ):
        fact(kind, row, **data)

    found = read(city.officer)

    assert office(found, "进展报告待审核") == (0, 0, 1)
    assert bodies(found)["市工信局"].cells == (1, 2, 1, 1, 2)
    assert bodies(found)["市工信局"].year_over == 7
    assert found.bodies_total["cells"] == [1, 2, 1, 1, 2]
    assert len(BODY_FACTS) == 5


def test_a_year_ends_at_local_midnight(city):
    row = share(city)
    shanghai = ZoneInfo("Asia/Shanghai")
    fact(EventKind.BECAME_OVERDUE, row, at=datetime(2026, 1, 1, tzinfo=shanghai))
    fact(EventKind.BECAME_OVERDUE, row, at=datetime(2025, 12, 31, 23, 59, tzinfo=shanghai))

    assert read(city.officer).years == [2026, 2025]
    for year in (2026, 2025):
        assert bodies(read(city.officer, year))["市工信局"].cells[1] == 1


def test_a_leader_sees_the_desks_of_the_own_items_only(city):
    for leader, body in ((city.leader, city.bureau), (city.other_leader, city.county)):
        row = share(city, leader=leader, body=body)
        ReportFactory(period=PeriodFactory(assignment=row), status="submitted", submitted_at=ago(9))
        ItemFactory(status="under_approval", submitted_at=ago(9), leader=leader)
        fact(EventKind.BECAME_OVERDUE, row)
        fact(EventKind.REVIEW_OVERDUE, row, queue="reports")

    found = read(city.leader)

    assert list(bodies(found)) == ["市工信局"]
    assert office(found, "进展报告待审核") == (1, 1, 1)
    assert found.office_total == {"waiting": 2, "over": 2, "year_over": 1}
    assert read(city.principal).office_total == {"waiting": 4, "over": 4, "year_over": 2}


@pytest.mark.parametrize("year", ["", "2025", "1999", "9999", "abc", "²⁰²⁵", "0"])
def test_the_page_reads_whatever_year_is_asked(client, city, year):
    fact(EventKind.BECAME_OVERDUE, share(city), at=NOON - timedelta(days=300))
    client.force_login(city.officer)

    with time_machine.travel(NOON, tick=False):
        page = client.get(reverse("supervision:clocks"), {"year": year})

    assert page.status_code == 200
    assert page.context["year"] == (2025 if year == "2025" else 2026)
    text = page.content.decode()
    assert text.index("督查室合计") < text.index("承办单位合计")


def test_the_way_from_the_home_page_and_to_the_queue(client, city):
    ReportFactory(
        period=PeriodFactory(assignment=share(city)), status="submitted", submitted_at=ago(9)
    )
    address = reverse("supervision:clocks")
    queue = reverse("supervision:reviews") + "?kind=reports"
    with time_machine.travel(NOON, tick=False):
        client.force_login(city.officer)
        assert address in client.get(reverse("supervision:home")).content.decode()
        assert queue in client.get(address).content.decode()
        client.force_login(city.leader)
        assert address in client.get(reverse("supervision:home")).content.decode()
        assert queue not in client.get(address).content.decode()


def test_the_page_of_a_share_says_where_its_time_went(client, city):
    row = share(city, status="under_review", submitted_at=ago(6), submitted_date=ago(6).date())
    for kind, days in (("dispatched", 12), ("accepted", 11), ("submitted", 6)):
        fact(kind, row, at=ago(days))

    with time_machine.travel(NOON, tick=False):
        for who in (city.officer, city.liaison, city.leader):
            client.force_login(who)
            text = client.get(row.get_absolute_url()).content.decode()
            assert "单位用时6个工作日（超限0个），督查室用时6个工作日（超限1个）。" in text
