"""A desk full of work, for the proof of its statements: the access table's rows and many more.

Every address of the access table is there (`tests/access_world.py`). The document it speaks of, the
leader and both bodies own as much of the mass as anybody.
"""

from datetime import date, timedelta
from types import SimpleNamespace

from tests.proofs.common import TODAY, build_world, empty, noon

# One share of so many has papers lying about; of the measured body's own it is one of OWN_EACH.
EACH, OWN_EACH = 40, 4
STATES = ("submitted", "draft", "approved", "returned", "under_sign_off")
# Queues of which one matter is opened on a page of its own.
REVIEWED = (
    "approvals",
    "reports",
    "closings",
    "checks",
    "milestones",
    "plans",
    "extensions",
    "objections",
    "escalations",
    "close-outs",
)
LAST_MONTH = {
    "label": "2026-05",
    "start_date": date(2026, 5, 1),
    "end_date": date(2026, 5, 31),
    "due_date": date(2026, 6, 5),
}


def build_desk(shares: int) -> tuple[SimpleNamespace, dict[tuple[str, str], str]]:
    """An emptied database with so many shares in it.

    Returns the city and the addresses by (name, object) as in the access table; `city.more_pages`
    names pages of the same addresses with other matters on them.
    """
    from django.db import transaction

    from supervision.models import Assignment, CalendarNotice
    from supervision.services.kept_lights import keep_lights
    from supervision.services.releases import propose_release
    from supervision.services.search import rebuild_search
    from tests.access_world import build
    from tests.cms.world import item_of
    from tests.factories import DocumentFactory, build_city

    empty()
    CalendarNotice.objects.filter(status=CalendarNotice.Status.DRAFT).delete()
    with transaction.atomic():
        city = build_city()
        open_item = item_of(city, DocumentFactory(), "公开的事项", number="甲").item
        proposed = propose_release(document=open_item.document, by=city.publisher, at=noon(TODAY))
        rows = build(city, proposed, "0123456789")
        own = Assignment.objects.filter(organization=city.bureau, item__drafted_by=city.officer)[0]
        before = list(Assignment.objects.values_list("pk", flat=True))
        build_world(
            shares - len(before),
            city=city,
            bodies=[city.bureau, city.county],
            document=own.item.document,
        )
        added = Assignment.objects.exclude(pk__in=before).order_by("pk")
        shares_added = list(added.select_related("item", "organization"))
        _lay_papers(city, shares_added)
        city.more_pages = _more_pages(city, shares_added)
    keep_lights(TODAY)
    rebuild_search()
    return city, {key: address for key, (address, _data) in rows.items()}


def _more_pages(city, shares: list) -> list[tuple[str, str]]:
    """One matter of each queue of reviews, items in other states, acts on other rows."""
    from django.urls import reverse

    from supervision.models import Assignment, Event, EventKind, SupervisionItem
    from supervision.waiting import waiting_for
    from tests.factories import AssignmentFactory, ClauseFactory, ItemFactory, MilestoneFactory

    document = shares[0].item.document

    def item(**fields):
        return ItemFactory(clause=ClauseFactory(document=document), leader=city.leader, **fields)

    def share(status: str):
        return AssignmentFactory(
            item=item(dispatched=True, number=f"外{status}"),
            organization=city.bureau,
            status=status,
        )

    share("under_review")
    share("approved")
    AssignmentFactory(
        item=item(dispatched=True, number="外结"), organization=city.bureau, status="completed"
    )
    MilestoneFactory(assignment=shares[0], status="draft")
    proposed = shares[1]
    Event.objects.create(
        kind=EventKind.ESCALATION_PROPOSED,
        item=proposed.item,
        assignment=proposed,
        organization=proposed.organization,
        fact_key=f"proposed:{proposed.pk}:3:{proposed.episode}",
        data={"level": 3, "code": "red", "episode": proposed.episode},
        happened_at=noon(TODAY),
        recorded_at=noon(TODAY),
    )
    found = []
    waiting = waiting_for(city.officer, today=TODAY)
    for queue in REVIEWED:
        first = next(one for one in waiting if one.queue == queue)
        found.append((f"review/{queue}", reverse("supervision:review", args=[queue, first.uid])))
    for status in ("draft", "under_approval", "initiated"):
        row = SupervisionItem.objects.filter(status=status).first() or item(status=status)
        found.append((f"item/{status}", reverse("supervision:item", args=[row.uid])))
    for status in ("pending", "under_review", "completed", "disputed"):
        row = Assignment.objects.filter(status=status)[0]
        found.append((f"assignment/{status}", reverse("supervision:assignment", args=[row.uid])))
    return found


def _write_return(city, period, status: str) -> None:
    """A return with a goal, its figure and a file, unlike every other one."""
    from supervision.models import Attachment, ReportFigure
    from tests.factories import ReportFactory, TargetFactory

    share = period.assignment
    report = ReportFactory(
        period=period,
        status=status,
        progress_text=f"第{period.pk}项：本期新增{period.pk * 7}家，累计{period.pk * 31}家。",
        filled_by=city.liaison,
        sign_off_asked_at=noon(TODAY) - timedelta(days=1),
    )
    target = TargetFactory(document=share.item.document, clause=share.item.clause)
    ReportFigure.objects.create(report=report, target=target, value=12)
    Attachment.objects.create(
        assignment=share,
        report=report,
        uploaded_by=city.liaison,
        uploaded_at=noon(TODAY),
        original_name="证明.pdf",
        kind="pdf",
        size_bytes=5,
        sha256="0" * 64,
        file="x.pdf",
    )


def _lay_papers(city, shares: list) -> None:
    """What lies on the desks: some of every kind, in proportion to the shares."""
    from notifications.models import InboxEntry
    from supervision.models import (
        Event,
        EventKind,
        ExportRun,
        HelpRequest,
        SavedView,
    )
    from tests.factories import (
        ExtensionFactory,
        LetterFactory,
        MilestoneFactory,
        ObjectionFactory,
        PeriodFactory,
    )

    yesterday = noon(TODAY) - timedelta(days=1)
    own = [share for share in shares if share.organization_id == city.bureau.pk]
    others = [share for share in shares if share.organization_id != city.bureau.pk]
    for number, share in enumerate(own):
        period = PeriodFactory(assignment=share, **LAST_MONTH)
        if number % OWN_EACH == 1:
            _write_return(city, period, STATES[number // OWN_EACH % len(STATES)])
    for number, share in enumerate([*own[::OWN_EACH], *others[::EACH]]):
        period = PeriodFactory(
            assignment=share,
            label="2026-03",
            start_date=date(2026, 3, 1),
            end_date=date(2026, 3, 31),
            due_date=date(2026, 4, 5),
        )
        _write_return(city, period, STATES[number % len(STATES)])
        MilestoneFactory(assignment=share)
        MilestoneFactory(assignment=share, status="under_review", submitted_at=yesterday)
        LetterFactory(assignment=share)
        ExtensionFactory(assignment=share, submitted_at=yesterday, asked_by=city.body_head)
        ObjectionFactory(assignment=share, submitted_by=city.body_head)
        HelpRequest.objects.create(
            assignment=share,
            organization=city.bureau if share.organization_id != city.bureau.pk else city.county,
            text="请协助",
            due_date=TODAY,
            asked_by=city.officer,
            asked_at=yesterday,
        )
        for kind in (EventKind.ACCEPTED, EventKind.BECAME_OVERDUE, EventKind.DATE_RECOUNTED):
            event = Event.objects.create(
                kind=kind,
                item=share.item,
                assignment=share,
                organization=share.organization,
                by=city.liaison if kind == EventKind.ACCEPTED else None,
                data={"date_name": "due", "old_date": "2026-06-12", "new_date": "2026-06-14"},
                happened_at=yesterday,
                recorded_at=yesterday,
            )
            for reader in (city.officer, city.liaison):
                InboxEntry.objects.create(
                    user=reader, event=event, reason_code="officer", created_at=yesterday
                )
        for owner in (city.officer, city.liaison):
            ExportRun.objects.create(
                owner=owner, sheet="ledger", title="台账", requested_at=yesterday
            )
            if number < 20:
                SavedView.objects.create(
                    owner=owner, page="items", name=f"视图{number}", created_at=yesterday
                )
