"""No page costs more statements because there is more to show; the sweep costs what is due.

Pages are counted with the lights of the day kept, after acts, and before any are kept.
"""

from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supervision.models import (
    Assignment,
    Event,
    EventKind,
    ExportRun,
    Handover,
    HeadingMapping,
    HelpRequest,
    KeptLight,
    MeetingPack,
    MeetingPackFile,
    SavedView,
    Section,
    SupervisionItem,
)
from supervision.services.kept_lights import forget_lights, keep_lights
from supervision.services.search import rebuild_search
from supervision.waiting import _Reader
from tasks.jobs import sweep
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    ClauseFactory,
    DocumentFactory,
    ExtensionFactory,
    ItemFactory,
    LetterFactory,
    MilestoneFactory,
    OrganizationFactory,
    PeriodFactory,
    ReportFactory,
    TargetFactory,
)

pytestmark = pytest.mark.django_db
FEW, MANY = 4, 40
NEXT_YEAR = TODAY + timedelta(days=365)


@pytest.fixture
def now(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def world(city):
    """One item with a share of the bureau, to which rows are added."""
    city.document = DocumentFactory()
    city.item = ItemFactory(
        dispatched=True,
        clause=ClauseFactory(document=city.document),
        leader=city.leader,
        number="甲",
    )
    city.share = AssignmentFactory(item=city.item, organization=city.bureau)
    city.letter = LetterFactory(assignment=city.share)
    Section.objects.create(organization=city.bureau, name="综合科")
    city.handover = Handover.objects.create(
        organization=city.bureau,
        from_user=city.liaison,
        to_user=city.body_head,
        created_by=city.liaison,
        created_at=NOON,
    )
    city.help = HelpRequest.objects.create(
        assignment=city.share,
        organization=city.county,
        text="请协助",
        due_date=TODAY,
        asked_by=city.liaison,
        asked_at=NOON,
    )
    return city


def share_of_another(item) -> Assignment:
    return AssignmentFactory(item=item, role="support", organization=OrganizationFactory())


def add_rows(city, count: int) -> None:
    """More of everything a page could show, each with bodies, people and papers of its own."""
    have = Assignment.objects.count()
    for number in range(have, have + count):
        late = TODAY - timedelta(days=number % 5)
        item = ItemFactory(
            dispatched=True,
            clause=ClauseFactory(document=city.document),
            leader=city.leader,
            due_date=late,
        )
        TargetFactory(document=city.document, clause=item.clause)
        AssignmentFactory(
            item=item,
            role="county",
            organization=OrganizationFactory(county=True),
            status=("pending", "in_progress", "under_review", "returned")[number % 4],
        )
        own = AssignmentFactory(item=item, organization=city.bureau)
        MilestoneFactory(assignment=own, status="under_review", submitted_at=NOON)
        ReportFactory(
            period=PeriodFactory(assignment=own, label="2026-04", start_date=date(2026, 4, 1)),
            status="approved",
            reviewed_at=NOON,
        )
        ReportFactory(
            period=PeriodFactory(assignment=own),
            status=("submitted", "draft", "under_sign_off", "returned")[number % 4],
        )
        LetterFactory(assignment=own)
        for asker, body in ((own, city.county), (share_of_another(item), city.bureau)):
            HelpRequest.objects.create(
                assignment=asker,
                organization=body,
                text="请协助",
                due_date=TODAY,
                asked_by=city.officer,
                asked_at=NOON,
            )
        LetterFactory(assignment=city.share).copied_to.add(OrganizationFactory())
        ExtensionFactory(assignment=own, submitted_at=NOON, asked_by=city.body_head)
        # More on the one item and the one share as well.
        share = AssignmentFactory(
            item=city.item, role="support", organization=OrganizationFactory()
        )
        MilestoneFactory(assignment=share)
        MilestoneFactory(assignment=city.share)
        TargetFactory(document=city.document, clause=city.item.clause)
        ReportFactory(
            period=PeriodFactory(
                assignment=city.share, label=f"m{number}", start_date=date(2025, 1, number % 28 + 1)
            ),
            status="approved",
            reviewed_at=NOON,
        )
        pack = MeetingPack.objects.create(
            label="2026-05", number=number, as_of_date=TODAY, sha256="0" * 64, made_at=NOON
        )
        for position in range(3):
            MeetingPackFile.objects.create(
                pack=pack, position=position, name="台账.xlsx", size_bytes=1, sha256="0" * 64
            )
        HeadingMapping.objects.create(source=f"来源{number}", changed_at=NOON)
        for who in (city.officer, city.liaison):
            ExportRun.objects.create(
                owner=who, sheet="ledger", title="台账", requested_at=NOON, beat_at=NOON
            )
            for page in SavedView.Page.values:
                SavedView.objects.create(
                    owner=who, page=page, name=f"视图{number}", is_shared=True, created_at=NOON
                )
        for row in (own, city.share):
            Event.objects.create(
                kind=EventKind.ACCEPTED,
                item=row.item,
                assignment=row,
                organization=row.organization,
                by=city.liaison,
                happened_at=NOON,
                recorded_at=NOON,
            )
            Event.objects.create(
                kind=EventKind.DATE_RECOUNTED,
                item=row.item,
                assignment=row,
                organization=row.organization,
                data={"date_name": "due", "old_date": "2026-06-12", "new_date": "2026-06-14"},
                happened_at=NOON,
                recorded_at=NOON,
            )


PAGES = {
    "home": ("officer", "office_head", "leader", "principal", "liaison", "body_head"),
    "items": ("officer", "leader", "liaison"),
    "item": ("officer", "leader", "liaison"),
    "item_milestones": ("officer",),
    "ledger": ("officer", "liaison"),
    "ledger, red": ("officer", "leader", "liaison"),
    "items, red": ("officer", "liaison"),
    "timeline": ("officer", "leader"),
    "matrix": ("officer", "leader"),
    "clocks": ("officer", "leader"),
    "reviews": ("officer", "office_head", "leader"),
    "documents": ("officer",),
    "document": ("officer", "liaison"),
    "audit": ("auditor", "officer"),
    "mine": ("liaison", "body_head"),
    "sections": ("liaison", "body_head"),
    "handover": ("liaison", "officer"),
    "help_request": ("liaison", "officer"),
    "returns": ("liaison",),
    "returns_of": ("liaison", "body_head"),
    "assignment": ("officer", "liaison"),
    "calendar": ("officer", "administrator"),
    "calendar_moves": ("officer", "liaison"),
    "why_date": ("officer", "liaison"),
    "inbox": ("liaison", "officer"),
    "outbox": ("officer",),
    "releases": ("officer", "publisher", "reviewer"),
    "deputies": ("liaison", "body_head"),
    "letters": ("officer", "leader", "liaison"),
    "letter": ("office_head", "liaison"),
    "letter_templates": ("officer",),
    "search": ("officer", "leader", "liaison"),
    "saved_views": ("officer", "liaison"),
    "ledgers": ("officer", "leader", "liaison"),
    "exports": ("officer", "liaison"),
    "packs": ("officer",),
    "tables": ("officer",),
}


# The promise of issue 4, session and settings included; the proof "queries" opens every address of
# the desk at 28,600 assignments.
AIM = 12


def keep_all() -> None:
    """As the tick leaves it."""
    # The rows came by no act that would have thrown the old lights away.
    KeptLight.objects.all().delete()
    keep_lights(TODAY)


def forget_some() -> None:
    """As acts on some items leave it until the next tick."""
    keep_all()
    items = SupervisionItem.objects.order_by("pk").values_list("pk", flat=True)
    for item in items[::3]:
        forget_lights(EventKind.SUBMITTED, item)


def forget_all() -> None:
    """As midnight, changed rules or a new calendar leave it until the next tick."""
    forget_lights(EventKind.RULES_CHANGED, None)


LIGHTS = {"kept": keep_all, "after acts": forget_some, "not kept": forget_all}


def addresses(city) -> dict[str, str]:
    given = {
        "item": [city.item.uid],
        "item_milestones": [city.item.uid],
        "document": [city.document.uid],
        "returns_of": ["2026-05"],
        "handover": [city.handover.uid],
        "help_request": [city.help.uid],
        "assignment": [city.share.uid],
        "why_date": ["due", city.share.uid],
        "letter": [city.letter.uid],
    }
    found = {
        name: reverse(f"notifications:{name}")
        if name in ("inbox", "outbox")
        else reverse(f"supervision:{name}", args=given.get(name, []))
        for name in PAGES
        if "," not in name
    }
    return found | {
        "search": found["search"] + "?q=研发&kind=return",
        "ledger, red": found["ledger"] + "?light=red",
        "items, red": found["items"] + "?light=red",
    }


def count_all(client, city) -> dict[tuple[str, str, str], int]:
    """Statements of every page by name, reader and state of the lights."""
    rebuild_search()
    counts = {}
    for lights, leave in LIGHTS.items():
        leave()
        for name, address in addresses(city).items():
            for who in PAGES[name]:
                client.force_login(getattr(city, who))
                if lights == "kept":
                    client.get(address)
                with CaptureQueriesContext(connection) as captured:
                    answer = client.get(address)
                assert answer.status_code == 200, (name, who)
                counts[name, who, lights] = len(captured)
    return counts


def test_no_page_costs_more_with_ten_times_the_rows(client, world, now):
    add_rows(world, FEW)
    few = count_all(client, world)
    add_rows(world, MANY - FEW)

    many = count_all(client, world)

    assert {page: (few[page], many[page]) for page in few if few[page] != many[page]} == {}
    over = {page: count for page, count in many.items() if count > AIM}
    assert over == {}, over


def test_a_sweep_with_nothing_due_costs_the_same_at_40_and_400(world):
    def add(count: int) -> None:
        item = ItemFactory(dispatched=True, due_date=NEXT_YEAR, number=f"乙{count}")
        bodies = [OrganizationFactory() for _ in range(count)]
        for body in bodies:
            AssignmentFactory(item=item, organization=body, role="support", due_date=NEXT_YEAR)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert sweep(TODAY, at=NOON)["due"] == {}
        return len(captured)

    Assignment.objects.filter(pk=world.share.pk).update(due_date=NEXT_YEAR)
    add(39)
    few = queries()
    add(360)
    assert Assignment.objects.count() == 400

    assert queries() == few


def test_for_the_office_a_queue_begins_with_what_waits_and_not_with_the_shares(world):
    """Who sees every share compares none: nothing is looked up for 28,600 quiet ones."""
    queues = _Reader(world.officer, TODAY).queues()
    of_leader = _Reader(world.leader, TODAY).queues()
    of_shares = ("reports", "milestones", "extensions", "objections", "escalations")

    for queue in of_shares:
        assert " IN (SELECT" not in str(queues[queue].query), queue
        assert " IN (SELECT" in str(of_leader[queue].query), queue


def test_home_counts_the_open_the_late_and_the_unsigned_shares(client, world, now):
    """A share left open under a cancelled item is no share of the office's count."""
    late = TODAY - timedelta(days=3)
    add_rows(world, FEW)
    gone = ItemFactory(dispatched=True, status="cancelled", outcome="cancelled")
    AssignmentFactory(item=gone, organization=world.bureau, due_date=late)
    AssignmentFactory(
        item=gone, organization=world.county, status="pending", accept_due_date=late, role="county"
    )
    AssignmentFactory(
        item=world.item,
        organization=world.county,
        role="county",
        status="pending",
        accept_due_date=late,
    )
    shares = Assignment.objects.exclude(item=gone)
    expected = {
        "bodies_total": shares.open().count(),
        "bodies_late": shares.with_the_body().filter(due_date__lt=TODAY).count(),
        "unsigned_count": shares.filter(status="pending", accept_due_date__lt=TODAY).count(),
    }
    client.force_login(world.officer)

    context = client.get(reverse("supervision:home")).context

    assert {name: context[name] for name in expected} == expected
    assert all(expected.values())
