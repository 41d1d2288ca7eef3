"""Lists read together are the lists read alone, value by value."""

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Count, F
from django.test.utils import CaptureQueriesContext

from supervision.models import (
    Assignment,
    ExtensionRequest,
    Letter,
    Organization,
    ReportPeriod,
    SupervisionItem,
)
from supervision.together import read_together
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    DocumentFactory,
    ExtensionFactory,
    ItemFactory,
    LetterFactory,
    MilestoneFactory,
    ObjectionFactory,
    PeriodFactory,
    ReportFactory,
    TargetFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def share(city):
    row = AssignmentFactory(organization=city.bureau, item=ItemFactory(dispatched=True))
    MilestoneFactory(assignment=row, weight=12)
    MilestoneFactory(assignment=row, status="completed")
    ExtensionFactory(assignment=row, submitted_at=NOON)
    ExtensionFactory(assignment=row, status="refused", decided_at=NOON)
    ObjectionFactory(assignment=row)
    LetterFactory(assignment=row)
    PeriodFactory(assignment=row, label="2026-04")
    ReportFactory(period=PeriodFactory(assignment=row), status="submitted", self_percent=40)
    TargetFactory(document=row.item.document, clause=row.item.clause)
    DocumentFactory()
    return row


def values_of(row) -> dict:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_every_value_of_every_model_comes_back_as_it_was(share):
    models = list(apps.get_app_config("supervision").get_models())
    lists = {model.__name__: model.objects.order_by("pk") for model in models}

    found = read_together(**lists)

    filled = [name for name, rows in lists.items() if rows]
    assert len(filled) > 15
    for name, rows in lists.items():
        assert [values_of(row) for row in found[name]] == [values_of(row) for row in rows], name
        kinds = [{key: type(value) for key, value in values_of(row).items()} for row in rows]
        assert [
            {key: type(value) for key, value in values_of(row).items()} for row in found[name]
        ] == kinds, name


def test_it_is_one_statement_with_what_was_selected_beside_it(share):
    with CaptureQueriesContext(connection) as captured:
        found = read_together(
            asked=ExtensionRequest.objects.select_related("assignment__item", "asked_by"),
            letters=Letter.objects.defer("content").select_related("organization"),
            periods=ReportPeriod.objects.select_related("report").order_by("label"),
            nothing=Assignment.objects.none(),
        )
        assert {row.assignment.item for row in found["asked"]} == {share.item}
        assert found["letters"][0].organization == share.organization
        april, may = found["periods"]
        assert not hasattr(april, "report")
        assert may.report.self_percent == 40
        assert found["nothing"] == []

    assert len(captured) == 1
    assert found["letters"][0].get_deferred_fields() == {"content"}


def test_order_slice_annotations_and_plain_values_hold(share):
    newest = ExtensionRequest.objects.order_by("-pk").annotate(title=F("assignment__item__title"))
    counts = ExtensionRequest.objects.values_list("status").annotate(Count("pk"))
    found = read_together(
        newest=newest[:1],
        counts=counts.order_by("status"),
        bodies=Organization.objects.order_by("-position", "pk"),
        titles=SupervisionItem.objects.values_list("title", "due_date").order_by("pk"),
    )

    assert found["newest"] == list(newest[:1])
    assert found["newest"][0].title == share.item.title
    assert found["counts"] == [("refused", 1), ("submitted", 1)]
    assert found["bodies"] == list(Organization.objects.order_by("-position", "pk"))
    assert (share.item.title, share.item.due_date) in found["titles"]


def test_what_would_not_be_one_statement_is_refused(share):
    with pytest.raises(ValueError, match="together"):
        read_together(shares=Assignment.objects.prefetch_related("milestones"))
    with pytest.raises(ValueError, match="together"):
        read_together(shares=Assignment.objects.distinct())
    assert read_together(shares=Assignment.objects.none(), days=Letter.objects.none()) == {
        "shares": [],
        "days": [],
    }
    assert share.due_date >= TODAY
