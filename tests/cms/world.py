"""A document whose items cover every public word, with canaries in everything that stays inside."""

import io
import re
from datetime import date, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qsl, urljoin, urlsplit

from openpyxl import load_workbook

from supervision.models import (
    Clause,
    DateChange,
    Event,
    EventKind,
    PolicyDocument,
    SupervisionItem,
)
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    ClauseFactory,
    DocumentFactory,
    ExtensionFactory,
    ItemFactory,
    MilestoneFactory,
    OrganizationFactory,
    PeriodFactory,
    ReportFactory,
    TargetFactory,
    UserFactory,
)

CANARY = "金丝雀"
OPEN = SupervisionItem.Openness.PROACTIVE
START = (
    "/",
    "/progress/",
    "/bulletins/",
    "/about/",
    "/site-map/",
    "/sitemap.xml",
    "/robots.txt",
    "/progress/items.csv",
    "/progress/items.xlsx",
    "/changes/",
    "/corrections/",
    "/editions/",
    "/open-data/",
    "/search/",
    "/feeds/all.xml",
)


def item_of(city, document, title, *, openness=OPEN, clause_fields=None, **fields):
    """A dispatched item of the document with a lead, a support and a county."""
    share_fields = fields.pop("share", {})
    clause = ClauseFactory(document=document, title=title, **(clause_fields or {}))
    fields.setdefault("due_date", date(2026, 12, 31))
    item = ItemFactory(
        dispatched=True,
        clause=clause,
        kind=clause.kind,
        title=title,
        leader=city.leader,
        openness=openness,
        **fields,
    )
    lead = AssignmentFactory(item=item, organization=city.bureau, role="lead", **share_fields)
    AssignmentFactory(item=item, organization=city.other_bureau, role="support")
    AssignmentFactory(item=item, organization=city.county, role="county")
    return SimpleNamespace(item=item, lead=lead)


def accepted(assignment, text: str, **fields):
    """A return of May that the office has accepted."""
    period = assignment.periods.filter(label="2026-05").first() or PeriodFactory(
        assignment=assignment
    )
    return ReportFactory(
        period=period,
        status="approved",
        progress_text=text,
        reviewed_at=NOON - timedelta(days=3),
        **fields,
    )


def public_world(city) -> SimpleNamespace:
    document = DocumentFactory()
    on_track = item_of(city, document, "建设十个院士工作站")
    MilestoneFactory(assignment=on_track.lead, title="完成选址", planned_date=date(2026, 9, 1))
    accepted(on_track.lead, "已建成研发机构四个。")
    TargetFactory(document=document, clause=on_track.item.clause, name="院士工作站")
    TargetFactory(document=document, name="全社会研发投入")
    overdue = item_of(
        city,
        document,
        "培育高新技术企业",
        due_date=TODAY - timedelta(days=10),
        clause_fields={"theme": "企业培育"},
    )
    late = item_of(
        city,
        document,
        "完善科技金融服务",
        status="completed",
        outcome="late",
        completed_date=date(2026, 6, 1),
        due_date=date(2026, 5, 20),
        share={
            "status": "completed",
            "outcome": "late",
            "completed_date": date(2026, 6, 1),
            "days_late": 12,
            "days_late_original": 12,
        },
    )
    measure = item_of(city, document, "强化组织领导", clause_fields={"kind": Clause.Kind.MEASURE})
    hidden = {
        openness: item_of(city, document, f"{CANARY}题目{openness}", openness=openness)
        for openness in SupervisionItem.Openness.values
        if openness != OPEN
    }
    plant_canaries(city, document, on_track, hidden["withheld"])
    return SimpleNamespace(
        document=document,
        on_track=on_track,
        overdue=overdue,
        late=late,
        measure=measure,
        hidden=hidden,
    )


def plant_canaries(city, document, shown, hidden) -> None:
    """Internal words around an item that is public, and around one that is not."""
    for number, case in enumerate((shown, hidden)):
        share = case.item.assignments.get(role="county")
        share.handler_name = f"{CANARY}经办人"
        share.closing_text = f"{CANARY}结项草稿"
        share.save()
        for label, status in (
            ("2026-03", "draft"),
            ("2026-04", "under_sign_off"),
            ("2026-05", "submitted"),
            ("2026-02", "returned"),
        ):
            period = PeriodFactory(assignment=share, label=label)
            ReportFactory(period=period, status=status, progress_text=f"{CANARY}未采纳{status}")
        month = PeriodFactory(
            assignment=case.lead,
            label="2026-06",
            start_date=date(2026, 6, 1),
            end_date=date(2026, 6, 30),
            due_date=date(2026, 7, 5),
        )
        ReportFactory(
            period=month,
            status="submitted",
            progress_text=f"{CANARY}待审进展",
            problem_text=f"{CANARY}问题",
            coordination_text=f"{CANARY}协调",
        )
        ExtensionFactory(
            assignment=case.lead,
            reason=f"{CANARY}延期理由",
            progress_text=f"{CANARY}延期进展",
            asked_by=UserFactory(display_name=f"{CANARY}姓名{number}"),
        )
        MilestoneFactory(assignment=case.lead, status="draft", title=f"{CANARY}节点草案")
        DateChange.objects.create(
            assignment=case.lead,
            cause="extension",
            old_date=date(2026, 11, 30),
            new_date=date(2026, 12, 31),
            working_days=23,
            reason=f"{CANARY}变更理由",
            agreed_by=city.leader,
            changed_at=NOON - timedelta(days=20),
        )
        Event.objects.create(
            kind=EventKind.REMINDED,
            item=case.item,
            assignment=case.lead,
            organization=case.lead.organization,
            reason=f"{CANARY}催办",
            happened_at=NOON,
            recorded_at=NOON,
        )
    accepted(hidden.lead, f"{CANARY}不公开事项的进展")
    ItemFactory(clause=ClauseFactory(document=document), title=f"{CANARY}草稿", openness=OPEN)
    other = DocumentFactory(title=f"{CANARY}另一文件", status=PolicyDocument.Status.ACTIVE)
    item_of(city, other, f"{CANARY}未发布文件的事项")
    OrganizationFactory(short_name=f"{CANARY}局")


# Reading the site as anybody can


def workbook_text(content: bytes) -> str:
    book = load_workbook(io.BytesIO(content))
    return "\n".join(
        str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value
    )


def text_of(response) -> str:
    """What an answer says, whatever its kind; headers too."""
    content = b"".join(response) if response.streaming else response.content
    kind = response.headers.get("Content-Type", "")
    body = workbook_text(content) if "spreadsheetml" in kind else content.decode()
    return "\n".join([*(f"{name}: {value}" for name, value in response.headers.items()), body])


def crawl(client, *more: str) -> dict[str, tuple[int, str]]:
    """Every address an anonymous reader can find from the public pages: status and text.

    Filters are followed one at a time: two at once show no other rows. The modes of reading are
    not followed: they show the same page (test_modes).
    """
    todo, found = [*START, *more], {}
    while todo:
        address = todo.pop()
        if address in found:
            continue
        response = client.get(address)
        text = text_of(response)
        found[address] = (response.status_code, text)
        links = re.findall(r'href="([^"]*)"', text) + re.findall(r"<loc>([^<]*)</loc>", text)
        for link in links:
            target = urlsplit(urljoin("http://testserver" + address, link.replace("&amp;", "&")))
            if target.netloc != "testserver" or target.path.startswith("/static/"):
                continue
            if target.path.startswith(("/elder", "/contrast", "/text-")):
                continue
            if len(parse_qsl(target.query)) <= 1:
                todo.append(target.path + (f"?{target.query}" if target.query else ""))
    return found
