"""What the office's late answer costs is the office's: the days are credited to the body."""

from datetime import timedelta

import pytest

from cms.snapshot import CAUSES
from supervision.history import sentence
from supervision.models import DateChange, Event, EventKind, ExtensionRequest
from supervision.services import requests
from supervision.services.settings import working_calendar
from supervision.why import explain
from tests.factories import NOON, TODAY, AssignmentFactory, ExtensionFactory, ItemFactory

pytestmark = pytest.mark.django_db
Status = ExtensionRequest.Status


def working(n):
    """NOON of the n-th working day after the fixed one."""
    return NOON + (working_calendar().add(TODAY, n) - TODAY)


def asked(city, *, role="lead", due=20, **facts):
    """A request filed at the fixed noon; the share is due `due` working days later."""
    day = working(due).date()
    item = ItemFactory(dispatched=True, leader=city.leader, due_date=day)
    row = AssignmentFactory(item=item, organization=city.bureau, role=role)
    return ExtensionFactory(
        assignment=row, asked_by=city.body_head, **{"submitted_at": NOON} | facts
    )


def refuse(extension, by, day):
    requests.refuse_extension(extension=extension, by=by, at=working(day), opinion="理由不足。")
    extension.refresh_from_db()
    return extension.assignment


@pytest.mark.parametrize(("answered", "credit"), [(0, 0), (3, 0), (4, 1), (9, 6)])
def test_the_office_s_days_beyond_its_limit_are_credited(city, answered, credit):
    extension = asked(city)

    row = refuse(extension, city.officer, answered)

    assert row.due_date == working(20 + credit).date()
    assert row.original_due_date == working(20).date()
    assert row.episode == (2 if credit else 1)
    changes = list(row.date_changes.values_list("cause", "old_date", "new_date", "working_days"))
    moved = ("review", working(20).date(), working(20 + credit).date(), credit)
    assert changes == ([moved] if credit else [])
    event = Event.objects.get(kind=EventKind.EXTENSION_REFUSED)
    assert event.data.get("credit_days", 0) == credit


@pytest.mark.parametrize(
    ("endorsed", "refused", "credit"),
    [(3, 6, 0), (3, 8, 2), (5, 6, 2), (5, 10, 4)],
)
def test_each_desk_has_its_own_limit(city, endorsed, refused, credit):
    """The office's from filing, the leader's from the endorsement."""
    extension = asked(city, status=Status.ENDORSED, endorsed_at=working(endorsed))

    assert refuse(extension, city.leader, refused).due_date == working(20 + credit).date()


def test_a_late_request_gets_nothing(city):
    extension = asked(city, due=-2, is_late=True)

    row = refuse(extension, city.officer, 30)

    assert (row.due_date, row.episode) == (working(-2).date(), 1)
    assert not row.date_changes.exists()
    assert "credit_days" not in Event.objects.get(kind=EventKind.EXTENSION_REFUSED).data


def test_the_frozen_overdue_mark_stays(city):
    extension = asked(city, due=1)
    row = extension.assignment
    mark = Event.objects.create(
        kind=EventKind.BECAME_OVERDUE,
        fact_key=f"overdue:{row.pk}:1",
        assignment=row,
        organization=row.organization,
        happened_at=working(2),
        recorded_at=working(2),
    )

    row = refuse(extension, city.officer, 10)

    assert row.due_date == working(8).date()
    assert Event.objects.get(kind=EventKind.BECAME_OVERDUE) == mark


def test_days_of_a_suspension_are_not_credited_twice(city):
    extension = asked(city)
    extension.assignment.holds.create(
        start_date=working(1).date(),
        end_date=working(5).date(),
        expected_end_date=working(9).date(),
        basis="依据",
        decided_by=city.leader,
    )

    # Nine working days, four of them on hold: five used, two beyond the limit of three.
    assert refuse(extension, city.officer, 9).due_date == working(22).date()


def test_an_ended_share_is_left_alone(city):
    extension = asked(city)
    row = extension.assignment
    type(row).objects.filter(pk=row.pk).update(
        status="completed", outcome="on_time", completed_date=TODAY, days_late=0,
        days_late_original=0,
    )  # fmt: skip

    row = refuse(extension, city.officer, 10)

    assert row.due_date == working(20).date()


def test_the_lead_s_credit_moves_the_item_and_another_s_does_not(city):
    lead = refuse(asked(city), city.officer, 5)
    support = refuse(asked(city, role="support"), city.officer, 5)

    lead.item.refresh_from_db()
    support.item.refresh_from_db()
    assert lead.item.due_date == lead.due_date == working(22).date()
    assert support.item.due_date == working(20).date() < support.due_date


def test_the_credit_is_told_in_history_receipt_letter_and_public_edition(city):
    row = refuse(asked(city), city.officer, 5)

    event = Event.objects.get(kind=EventKind.EXTENSION_REFUSED)
    new = working(22).date()
    assert new.isoformat() in sentence(event)
    told = explain(row.due_receipt, row.due_date)
    assert "2" in told.sentence
    assert told.base is not None
    letter = row.letters.get()
    paragraphs = "".join(paragraph["text"] for paragraph in letter.content["paragraphs"])
    assert f"{new.month}月{new.day}日" in paragraphs
    assert CAUSES[DateChange.Cause.REVIEW]


def test_a_granted_request_moves_to_the_granted_day_only(city):
    extension = asked(city, status=Status.ENDORSED, endorsed_at=working(9))
    granted = extension.asked_date + timedelta(days=1)

    requests.grant_extension(
        extension=extension, by=city.leader, at=working(20), granted_date=granted
    )

    row = type(extension.assignment).objects.get(pk=extension.assignment_id)
    assert row.due_date == granted
    assert [change.cause for change in row.date_changes.all()] == ["extension"]
