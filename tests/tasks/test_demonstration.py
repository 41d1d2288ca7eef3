"""The demonstration shows everything, is the same every time, and never touches real work."""

from datetime import date

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction

from supervision.models import (
    Assignment,
    Demonstration,
    Event,
    EventKind,
    ExtensionRequest,
    Milestone,
    Objection,
    Organization,
    PolicyDocument,
    ProgressReport,
    PublicItem,
    Release,
    SupervisionItem,
)
from supervision.overview import light_up, light_up_items
from supervision.services.settings import ladder
from tasks import demonstration

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def demonstration_loaded(django_db_setup, django_db_blocker):
    """Two years replayed once for all tests of this module, taken back at the end."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield demonstration.load(today=TODAY)
        transaction.set_rollback(True)


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demonstration_loaded")]


def states(model) -> set[str]:
    return set(model.objects.values_list("status", flat=True))


def test_the_real_document_is_at_work():
    document = PolicyDocument.objects.get(doc_number="衡政字〔2017〕1号")

    assert document.items.count() == 22
    assert document.issued_date < TODAY < document.horizon_date
    kinds = Organization.objects.values_list("kind", flat=True)
    bodies = [kind for kind in kinds if kind != Organization.Kind.OFFICE]
    assert (bodies.count("bureau"), bodies.count("county"), bodies.count("zone")) == (18, 11, 2)
    assert document.items.filter(assignments__isnull=False).distinct().count() == 22


def test_every_state_of_an_item_occurs():
    assert states(SupervisionItem) == set(SupervisionItem.Status.values)


def test_every_state_of_an_assignment_occurs():
    assert states(Assignment) >= set(Assignment.Status.values)


def test_returns_milestones_and_requests_are_at_every_stage():
    assert states(ProgressReport) >= {"under_sign_off", "submitted", "approved"}
    assert states(Milestone) >= {"planned", "under_review", "completed"}
    assert states(ExtensionRequest) >= {"granted", "refused"}
    assert states(Objection) >= {"submitted", "rejected", "upheld"}


def test_every_light_of_the_shipped_scheme_occurs():
    lights = {row.lamp.code for row in light_up(Assignment.objects.all(), today=TODAY)}

    assert lights >= {
        "red",
        "yellow",
        "blue",
        "green",
        "grey",
        "suspended",
        "done",
        "done_late",
    }


def test_some_items_themselves_are_red_and_some_done_late():
    lights = [item.lamp.code for item in light_up_items(SupervisionItem.objects.all(), today=TODAY)]

    assert lights.count("red") >= 2
    assert lights.count("done_late") >= 1


def test_every_step_of_the_ladder_was_climbed():
    reached = {
        event.data["code"]
        for event in Event.objects.filter(
            kind__in=[
                EventKind.REMINDER_DUE,
                EventKind.ESCALATED,
                EventKind.ESCALATION_PROPOSED,
            ]
        )
    }

    # Accountability is never reached by counting.
    assert reached == {level.code for level in ladder()} - {"accountability"}


def test_editions_were_reviewed_and_released():
    assert Release.objects.filter(status="released").count() == 1
    assert Release.objects.filter(status="superseded").count() >= 10
    assert PublicItem.objects.public().count() == 22


def test_it_says_that_it_is_invented():
    assert Demonstration.objects.get().today_date == TODAY


def test_a_second_load_is_refused():
    with pytest.raises(CommandError, match="演示数据只能装入空库"):
        call_command("demo", "--today", TODAY.isoformat())
