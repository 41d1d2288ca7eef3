"""A dispatched item with three bodies, and one matter in every queue of the office."""

from datetime import timedelta
from types import SimpleNamespace

from supervision.models import Event, EventKind
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    ClauseFactory,
    ExtensionFactory,
    ItemFactory,
    MilestoneFactory,
    ObjectionFactory,
    OrganizationFactory,
    PartyFactory,
    PeriodFactory,
    ReportFactory,
)


def dispatched_item(city, **fields):
    """In progress: the bureau leads, the other bureau supports, the county has its share."""
    item = ItemFactory(dispatched=True, leader=city.leader, drafted_by=city.officer, **fields)
    lead = AssignmentFactory(item=item, organization=city.bureau, role="lead")
    support = AssignmentFactory(item=item, organization=city.other_bureau, role="support")
    county = AssignmentFactory(item=item, organization=city.county, role="county")
    return SimpleNamespace(item=item, lead=lead, support=support, county=county)


def draft_item(city, **fields):
    """A draft that can be submitted: one lead, one support."""
    item = ItemFactory(drafted_by=city.officer, leader=city.leader, **fields)
    PartyFactory(item=item, organization=city.bureau, role="lead", position=1)
    PartyFactory(item=item, organization=city.other_bureau, role="support", position=2)
    return item


def filed_report(assignment, **fields):
    """A return of an assignment that waits for the office."""
    period = PeriodFactory(assignment=assignment)
    return ReportFactory(period=period, status="submitted", **fields)


def every_queue(city):
    """One matter in each queue; the return has waited longer than its limit."""
    world = dispatched_item(city)
    under_approval = draft_item(city, status="under_approval", submitted_at=NOON)
    report = filed_report(
        world.support, submitted_at=NOON - timedelta(days=20), progress_text="本月开工。"
    )
    closing = AssignmentFactory(
        status="under_review",
        closing_text="已全部完成。",
        item=ItemFactory(dispatched=True, leader=city.leader),
        organization=city.bureau,
    )
    check = AssignmentFactory(
        status="approved",
        closing_text="已全部完成。",
        item=ItemFactory(dispatched=True, leader=city.leader),
        organization=city.bureau,
    )
    milestone = MilestoneFactory(
        assignment=world.lead, status="under_review", submitted_at=NOON, evidence_text="验收单"
    )
    plan = MilestoneFactory(assignment=world.county, status="draft", title="拟定选址")
    extension = ExtensionFactory(assignment=world.lead, submitted_at=NOON, asked_by=city.body_head)
    disputed = AssignmentFactory(
        item=ItemFactory(dispatched=True, leader=city.leader),
        status="disputed",
        organization=city.bureau,
    )
    objection = ObjectionFactory(assignment=disputed, submitted_by=city.body_head)
    late = AssignmentFactory(
        item=ItemFactory(dispatched=True, leader=city.leader, due_date=TODAY - timedelta(days=30)),
        organization=city.county,
    )
    Event.objects.create(
        kind=EventKind.ESCALATION_PROPOSED,
        item=late.item,
        assignment=late,
        organization=late.organization,
        data={"level": 3, "code": "red"},
        fact_key=f"proposed:{late.pk}:3:{late.episode}",
        happened_at=NOON - timedelta(days=2),
        recorded_at=NOON,
    )
    done = AssignmentFactory(
        status="completed",
        item=ItemFactory(dispatched=True, leader=city.leader),
        organization=city.bureau,
    )
    return SimpleNamespace(
        item=under_approval,
        report=report,
        closing=closing,
        check=check,
        milestone=milestone,
        plan=plan.assignment,
        extension=extension,
        objection=objection,
        late=late,
        done=done.item,
        world=world,
    )


def many_items(city, count: int):
    """`count` dispatched items, each with its own bodies, a return, a milestone and an event."""
    for number in range(count):
        item = ItemFactory(
            dispatched=True,
            clause=ClauseFactory(document=city.document),
            leader=city.leader,
            due_date=TODAY - timedelta(days=number % 3),
        )
        for role in ("lead", "support"):
            share = AssignmentFactory(item=item, role=role, organization=OrganizationFactory())
            MilestoneFactory(assignment=share)
            filed_report(share, submitted_at=NOON)
            Event.objects.create(
                kind=EventKind.ACCEPTED,
                item=item,
                assignment=share,
                organization=share.organization,
                happened_at=NOON,
                recorded_at=NOON,
            )
