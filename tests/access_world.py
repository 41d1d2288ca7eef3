"""Two of everything, for the access table: bureau A's under the leader, county C's under another.

`own` is what concerns bureau A, `other` what concerns county C. Each row stands in the state in
which its act is possible, so that what is answered depends on the person alone.
"""

import hashlib
from datetime import date, timedelta
from uuid import uuid4

from django.core.files.base import ContentFile
from django.urls import reverse

from cms.dress import exit_address
from notifications.models import GroupRobot, MessageHold
from supervision.models import (
    Attachment,
    Delegation,
    ExportRun,
    FollowedTopic,
    Handover,
    HelpRequest,
    MeetingPack,
    MeetingPackFile,
    Organization,
    Release,
    ReportPeriod,
    SavedView,
)
from supervision.rules.calendar_file import NoticeDay
from supervision.services.feeds import make_token
from supervision.services.followers import ask_to_follow, confirm_token, leave_token
from supervision.services.notices import draft_notice
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
    ObjectionFactory,
    PartyFactory,
    PeriodFactory,
    ReportFactory,
)

ROLES = (
    "anonymous",
    "stranger",
    "liaison",
    "body_head",
    "other_liaison",
    "county_liaison",
    "officer",
    "office_head",
    "leader",
    "other_leader",
    "principal",
    "publisher",
    "reviewer",
    "auditor",
    "administrator",
)
LATER = (TODAY + timedelta(days=60)).isoformat()
# Enough for every form; a form takes what it knows.
TYPED = {
    "reason": "理由",
    "opinion": "意见",
    "basis": "依据",
    "title": "题目",
    "due_date": LATER,
    "granted_date": LATER,
    "period": "2026-05",
}


def of(city, body: Organization, leader, label: str) -> dict:
    """One of each kind of row that concerns `body`, with the address and what is posted."""
    document = DocumentFactory()

    def item(**fields):
        if fields.get("dispatched"):  # the office's own numbers are for the items it approves
            fields["number"] = uuid4().hex[:8]
        return ItemFactory(
            clause=ClauseFactory(document=document),
            leader=leader,
            drafted_by=city.officer,
            **fields,
        )

    def share(status="in_progress"):
        return AssignmentFactory(item=item(dispatched=True), organization=body, status=status)

    working = share()
    draft = item()
    PartyFactory(item=draft, organization=body)
    initiated = item(status="under_approval", submitted_at=NOON)
    PartyFactory(item=initiated, organization=body)
    month = {"start_date": date(2026, 4, 1), "end_date": date(2026, 4, 30), "label": label}
    returned = ReportFactory(period=PeriodFactory(assignment=working, **month), status="submitted")
    unwritten = PeriodFactory(assignment=working)
    attachment = Attachment.objects.create(
        assignment=working,
        uploaded_by=city.officer,
        uploaded_at=NOON,
        original_name="证明.pdf",
        kind="pdf",
        size_bytes=5,
        sha256="0" * 64,
        file=ContentFile(b"%PDF-", name="x.pdf"),
    )
    step = MilestoneFactory(assignment=working)
    extension = ExtensionFactory(assignment=working, submitted_at=NOON, asked_by=city.body_head)
    objection = ObjectionFactory(assignment=share("disputed"), submitted_by=city.body_head)
    letter = LetterFactory(assignment=working, number=f"政督催〔2026〕{body.pk}号", n=body.pk)
    helped = HelpRequest.objects.create(
        assignment=working,
        organization=city.other_bureau,
        text="请协助",
        due_date=TODAY,
        asked_by=city.officer,
        asked_at=NOON,
    )
    version = {"version": ""}
    name = "supervision:{}".format
    return {
        "item": (reverse(name("item"), args=[working.item.uid]), {}),
        "item_milestones": (reverse(name("item_milestones"), args=[working.item.uid]), {}),
        "item_edit": (reverse(name("item_edit"), args=[draft.uid]), {}),
        "openness_review": (reverse(name("openness_review"), args=[draft.uid]), version),
        "item_act": (reverse(name("item_act"), args=[draft.uid, "submit"]), version),
        "review_act": (
            reverse(name("review_act"), args=["approvals", initiated.uid, "approve"]),
            version,
        ),
        "review": (reverse(name("review"), args=["reports", returned.uid]), {}),
        "document": (reverse(name("document"), args=[document.uid]), {}),
        "document_act": (reverse(name("document_act"), args=[document.uid, "close"]), version),
        "assignment": (reverse(name("assignment"), args=[working.uid]), {}),
        "assignment_act": (
            reverse(name("assignment_act"), args=[share("pending").uid, "accept"]),
            version,
        ),
        "milestone_act": (reverse(name("milestone_act"), args=[step.uid, "start"]), version),
        "extension_act": (reverse(name("extension_act"), args=[extension.uid, "endorse"]), version),
        "objection_act": (reverse(name("objection_act"), args=[objection.uid, "reject"]), version),
        "period_act": (reverse(name("period_act"), args=[unwritten.uid, "skip"]), version),
        "returns_of": (reverse(name("returns_of"), args=[label]), {"act": "save"}),
        "help_request": (reverse(name("help_request"), args=[helped.uid]), {}),
        "help_act": (reverse(name("help_act"), args=[helped.uid, "answer"]), {"text": "答复"}),
        "act_form": (reverse(name("act_form"), args=["assignment", working.uid, "files"]), {}),
        "return_draft": (
            reverse(name("return_draft"), args=[unwritten.label, unwritten.uid]),
            {f"r{unwritten.pk}-progress_text": "本期进展"},
        ),
        "workbook_xlsx": (reverse(name("workbook_xlsx"), args=[label]), {}),
        "report": (reverse(name("report"), args=[returned.uid]), {}),
        "report_act": (reverse(name("report_act"), args=[returned.uid, "approve"]), version),
        "file": (reverse(name("file"), args=[attachment.uid]), {}),
        "why_date": (reverse(name("why_date"), args=["due", working.uid]), {}),
        "letter": (reverse(name("letter"), args=[letter.uid]), {}),
        "letter_docx": (reverse(name("letter_docx"), args=[letter.uid]), {}),
        "letter_act": (reverse(name("letter_act"), args=[letter.uid, "accept"]), version),
    }


def build(city, release: Release, slug: str) -> dict[tuple[str, str], tuple[str, dict]]:
    """(name of the address, object) → (address, what is posted)."""
    rows = {
        (f"supervision:{name}", tag): found
        for tag, world in (
            ("own", of(city, city.bureau, city.leader, "2026-04")),
            ("other", of(city, city.county, city.other_leader, "2026-4b")),
        )
        for name, found in world.items()
    }
    assert ReportPeriod.objects.count() == 4
    for name in (
        "components",
        "guides",
        "home",
        "items",
        "item_new",
        "items_dispatch",
        "matrix",
        "clocks",
        "reviews",
        "documents",
        "releases",
        "release_propose",
        "audit",
        "sign_in",
        "sign_out",
        "password",
        "deputies",
        "stand_down",
        "mine",
        "handovers",
        "sections",
        "calendar_feed",
        "accept_chosen",
        "release_chosen",
        "returns",
        "ledger",
        "ledger_xlsx",
        "ledgers",
        "ledgers_xlsx",
        "exports",
        "packs",
        "tables",
        "tables_preview",
        "tables_apply",
        "workbook",
        "workbook_preview",
        "workbook_apply",
        "settings",
        "organizations",
        "organizations_change",
        "timeline",
        "instruct",
        "ladder",
        "limits",
        "lights",
        "calendar",
        "calendar_load",
        "calendar_moves",
        "letters",
        "letter_circular",
        "letter_templates",
        "search",
    ):
        rows[f"supervision:{name}", "-"] = (reverse(f"supervision:{name}"), {"act": "approve"})
    rows["supervision:reviews_bulk", "-"] = (
        reverse("supervision:reviews_bulk", args=["reports"]),
        {},
    )
    rows["supervision:release", "-"] = (reverse("supervision:release", args=[release.uid]), {})
    rows["supervision:guide", "-"] = (reverse("supervision:guide", args=["liaison"]), {})
    rows["supervision:release_edit", "-"] = (
        reverse("supervision:release_edit", args=[release.uid]),
        {},
    )
    rows["supervision:release_act", "-"] = (
        reverse("supervision:release_act", args=[release.uid, "approve-first"]),
        {"version": ""},
    )
    rows["supervision:light_scheme", "-"] = (reverse("supervision:light_scheme", args=["ship"]), {})
    notice = draft_notice(
        year=2027,
        days=[NoticeDay(date(2027, 1, 1), False, "元旦")],
        title="通知",
        by=city.officer,
        at=NOON,
    )
    rows["supervision:calendar_notice", "-"] = (notice.get_absolute_url(), {})
    rows["supervision:calendar_act", "-"] = (
        reverse("supervision:calendar_act", args=[notice.uid, "confirm"]),
        {"version": ""},
    )
    rows["supervision:letter_template", "-"] = (
        reverse("supervision:letter_template", args=["circular"]),
        {"act": "preview"},
    )
    for name in (
        "notifications:inbox",
        "notifications:mark",
        "notifications:outbox",
        "notifications:upcoming",
        "notifications:robots",
        "notifications:preferences",
        "tasks:healthz",
    ):
        rows[name, "-"] = (reverse(name), {})
    rows["notifications:outbox_act", "-"] = (
        reverse("notifications:outbox_act"),
        {"act": "resend", "delivery": "0"},
    )
    rows["notifications:hold", "-"] = (reverse("notifications:hold"), {"key": "overdue:0:0"})
    hold = MessageHold.objects.create(
        key="overdue:1:1", reason="理由", created_by=city.officer, created_at=NOON
    )
    rows["notifications:hold_release", "-"] = (
        reverse("notifications:hold_release", args=[hold.uid]),
        {},
    )
    robot = GroupRobot.objects.create(
        organization=city.bureau,
        kind="wecom",
        name="工作群",
        address="key",
        created_by=city.officer,
        created_at=NOON,
    )
    rows["notifications:robot_act", "-"] = (
        reverse("notifications:robot_act", args=[robot.uid]),
        {"act": "off"},
    )
    for tag, user, deputy in (
        ("own", city.liaison, city.body_head),
        ("other", city.county_liaison, city.county_head),
    ):
        handed = Handover.objects.create(
            organization=user.organization,
            from_user=user,
            to_user=deputy,
            created_by=user,
            created_at=NOON,
        )
        rows["supervision:handover", tag] = (handed.get_absolute_url(), {})
        rows["supervision:handover_act", tag] = (
            reverse("supervision:handover_act", args=[handed.uid, "drop"]),
            {"version": ""},
        )
        delegation = Delegation.objects.create(
            user=user,
            deputy=deputy,
            start_date=TODAY,
            end_date=TODAY,
            created_by=user,
            created_at=NOON,
        )
        for name in ("deputy_end", "stand_in"):
            rows[f"supervision:{name}", tag] = (
                reverse(f"supervision:{name}", args=[delegation.uid]),
                {},
            )
    for tag, token in (("own", make_token(user=city.liaison, at=NOON)), ("other", "unknown")):
        rows["supervision:calendar_ics", tag] = (
            reverse("supervision:calendar_ics", args=[token]),
            {},
        )
    rows["supervision:saved_views", "-"] = (
        reverse("supervision:saved_views"),
        {"page": "items", "query": "light=red", "name": "红灯"},
    )
    for tag, owner in (("own", city.liaison), ("other", city.officer)):
        view = SavedView.objects.create(
            owner=owner, page="items", name="视图", is_shared=tag == "other", created_at=NOON
        )
        rows["supervision:saved_view_act", tag] = (
            reverse("supervision:saved_view_act", args=[view.uid, "rename"]),
            {"name": "新名"},
        )
    for tag, owner in (("own", city.liaison), ("other", city.officer)):
        run = ExportRun.objects.create(
            owner=owner, sheet="ledger", title="台账", requested_at=NOON, beat_at=NOON
        )
        rows["supervision:export_act", tag] = (
            reverse("supervision:export_act", args=[run.uid, "cancel"]),
            {},
        )
        ready = ExportRun.objects.create(
            owner=owner,
            sheet="ledger",
            title="台账",
            status="ready",
            requested_at=NOON,
            file=ContentFile(b"PK", name="x"),
            file_name="台账.xlsx",
            sha256="0" * 64,
            expires_at=NOON + timedelta(days=1),
        )
        rows["supervision:export_file", tag] = (
            reverse("supervision:export_file", args=[ready.uid]),
            {},
        )
    pack = MeetingPack.objects.create(
        label="2026-05", number=1, as_of_date=TODAY, sha256="0" * 64, made_at=NOON
    )
    file = MeetingPackFile.objects.create(
        pack=pack,
        position=1,
        name="台账.xlsx",
        file=ContentFile(b"PK", name="x"),
        size_bytes=2,
        sha256=hashlib.sha256(b"PK").hexdigest(),
    )
    rows["supervision:pack_file", "-"] = (reverse("supervision:pack_file", args=[file.uid]), {})
    for name in (
        "items_csv",
        "items_xlsx",
        "site_map",
        "sitemap_xml",
        "robots",
        "changes",
        "corrections",
        "editions",
        "search",
        "open_data",
        "feed_all",
        "fragment",
    ):
        rows[f"cms:{name}", "-"] = (reverse(f"cms:{name}"), {})
    for tag, key, subject in (("own", "2026-06", slug), ("other", "1999-01", "0123456789")):
        rows["cms:edition", tag] = (reverse("cms:edition", args=[key]), {})
        table = reverse("cms:open_data_file", args=[key, "items", "csv"])
        rows["cms:open_data_file", tag] = (table, {})
        rows["cms:feed", tag] = (reverse("cms:feed", args=["item", subject]), {})
    rows["cms:page", "-"] = (reverse("cms:page", args=["about/"]), {})
    rows["supervision:release_month", "-"] = (
        reverse("supervision:release_month", args=[release.label]),
        {},
    )
    rows["supervision:release_month_act", "-"] = (
        reverse("supervision:release_month_act", args=[release.label, "submit"]),
        {},
    )
    for name in ("follow", "follow_sent"):
        rows[f"cms:{name}", "-"] = (reverse(f"cms:{name}"), {})
    ask_to_follow(email="reader@example.org", kind="all", key="", at=NOON)
    topic = FollowedTopic.objects.get()
    rows["cms:follow_confirm", "own"] = (
        reverse("cms:follow_confirm", args=[confirm_token(topic)]),
        {},
    )
    rows["cms:follow_leave", "own"] = (
        reverse("cms:follow_leave", args=[leave_token(topic.follower)]),
        {},
    )
    rows["cms:leaving", "-"] = (exit_address("https://other.example/"), {})
    for name in ("item", "item_json"):
        rows[f"cms:{name}", "own"] = (reverse(f"cms:{name}", args=[slug]), {})
        rows[f"cms:{name}", "other"] = (reverse(f"cms:{name}", args=["0123456789"]), {})
    return rows
