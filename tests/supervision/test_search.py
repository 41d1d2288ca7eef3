"""Search on the desk: kept true by the acts, found by those who may see it, by nobody else."""

from datetime import date, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supervision.models import (
    Assignment,
    Letter,
    ProgressReport,
    ReportPeriod,
    SearchEntry,
    SearchKind,
    SupervisionItem,
)
from supervision.rules.search import LONGEST_QUERY
from supervision.services import (
    assignments,
    documents,
    items,
    letters,
    milestones,
    reports,
    requests,
)
from supervision.services.search import rebuild_search
from supervision.services.settings import sync_settings
from supervision.timebox import TookTooLong, at_most
from supervision.views import search as search_view
from tasks.jobs import sweep
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    ClauseFactory,
    DocumentFactory,
    ExtensionFactory,
    ItemFactory,
    MilestoneFactory,
    ObjectionFactory,
    OrganizationFactory,
    PartyFactory,
    PeriodFactory,
    ReportFactory,
)

pytestmark = pytest.mark.django_db
ADDRESS = "/desk/search/"
EVERYBODY = (
    "officer",
    "office_head",
    "principal",
    "leader",
    "other_leader",
    "liaison",
    "body_head",
    "other_liaison",
    "county_liaison",
    "publisher",
    "reviewer",
    "auditor",
    "administrator",
    "stranger",
)


@pytest.fixture(autouse=True)
def now(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def world(city):
    """An item of the leader; the bureau leads it, the county has a share."""
    city.document = DocumentFactory()
    city.item = ItemFactory(
        dispatched=True,
        clause=ClauseFactory(
            document=city.document, title="培育高企", theme="", summary="按年培育。"
        ),
        leader=city.leader,
        requirement="扶持孵化器。",
    )
    city.share = AssignmentFactory(item=city.item, organization=city.bureau)
    city.county_share = AssignmentFactory(
        item=city.item, organization=city.county, role="county", status="in_progress"
    )
    return city


def found_by(user, word: str) -> set[str]:
    return set(SearchEntry.objects.visible_to(user).matching([word]).values_list("kind", flat=True))


def kinds_found(word: str) -> list[str]:
    return sorted(SearchEntry.objects.matching([word]).values_list("kind", flat=True))


def is_true() -> bool:
    return not any(changes.total for changes in rebuild_search(is_dry=True).values())


# Kept true by the acts


def test_a_return_is_found_from_the_moment_it_is_handed_in(world):
    period = PeriodFactory(assignment=world.share)
    report = reports.open_report(period=period, by=world.liaison, at=NOON)
    reports.save_report(
        report=report, by=world.liaison, at=NOON, progress_text="新建研发机构三家。"
    )
    reports.ask_sign_off(report=report, by=world.liaison, at=NOON)
    assert kinds_found("研发") == []

    reports.submit_report(report=report, by=world.body_head, at=NOON)

    assert kinds_found("研发") == ["return"]
    entry = SearchEntry.objects.get(kind=SearchKind.RETURN)
    assert (entry.item, entry.assignment, entry.label) == (world.item, world.share, period.label)
    assert entry.subject_date == TODAY


def test_what_is_written_on_a_returned_report_is_nobodys_business_yet(world):
    period = PeriodFactory(assignment=world.share)
    report = reports.open_report(period=period, by=world.liaison, at=NOON)
    report = reports.save_report(
        report=report, by=world.liaison, at=NOON, progress_text="新建研发机构。"
    )
    reports.submit_report(report=report, by=world.body_head, at=NOON)
    reports.send_back_report(report=report, by=world.officer, at=NOON, reason="写明家数。")
    reports.save_report(report=report, by=world.liaison, at=NOON, progress_text="量子中心三家。")
    rebuild_search()

    assert kinds_found("量子") == []
    assert kinds_found("研发") == ["return"]
    reports.submit_report(report=report, by=world.body_head, at=NOON)
    assert kinds_found("量子") == ["return"]
    assert kinds_found("研发") == []


def test_an_item_and_its_clause_are_found_from_the_draft_on(city):
    document = DocumentFactory()
    clause = ClauseFactory(document=document, title="量子计算", theme="", summary="建设平台。")
    row = items.create_item(
        document=document,
        clause=clause,
        by=city.officer,
        at=NOON,
        kind="task",
        title="量子平台",
        requirement="",
        parties=[],
    )
    assert kinds_found("量子") == ["clause", "item"]
    assert SearchEntry.objects.get(kind="clause").item == row

    items.edit_item(item=row, by=city.officer, at=NOON, title="超算平台", requirement="量子线路")

    entry = SearchEntry.objects.get(kind="item")
    assert (entry.title, entry.text) == ("超算平台", "量子线路")


def test_an_approved_item_is_found_by_its_number(city):
    row = ItemFactory(
        status="under_approval", submitted_at=NOON, drafted_by=city.officer, leader=city.leader
    )
    PartyFactory(item=row, organization=city.bureau, role="lead", position=1)

    row = items.approve_item(item=row, by=city.office_head, at=NOON)

    assert found_by(city.officer, row.number.lower().replace(" ", "")) == {"item"}


def test_the_clauses_own_words_are_found_once_somebody_brings_them(world):
    rebuild_search()
    world.item.clause.number = "二（一）"
    world.item.clause.save()
    from supervision.rules.policy_text import split_clauses

    text = "二、主要任务\n（一）培育高企。支持量子通信。\n（二）其他。另行规定。"
    assert "二（一）" in split_clauses(text), "the splitter knows this form"

    documents.import_text(document=world.document, text=text, by=world.officer, at=NOON)

    assert "clause" in kinds_found("量子")


def test_a_plan_filed_again_replaces_the_steps_that_were_found(world):
    first = milestones.Step(title="量子选址", planned_date=TODAY + timedelta(days=9))
    second = milestones.Step(title="超算选址", planned_date=TODAY + timedelta(days=9))
    milestones.file_plan(assignment=world.share, by=world.liaison, at=NOON, steps=[first])
    assert kinds_found("量子") == ["milestone"]

    milestones.file_plan(assignment=world.share, by=world.liaison, at=NOON, steps=[second])

    assert kinds_found("量子") == []
    assert kinds_found("超算") == ["milestone"]


def test_the_evidence_of_a_step_is_found(world):
    step = MilestoneFactory(assignment=world.share, status="in_progress")

    milestones.submit_milestone(
        milestone=step, by=world.liaison, at=NOON, actual_date=TODAY, evidence_text="量子批文"
    )

    assert kinds_found("量子") == ["milestone"]


def test_a_request_is_found_when_its_head_has_filed_it(world):
    given = {
        "asked_date": world.share.due_date + timedelta(days=30),
        "cause": "funds",
        "reason": "量子设备未到。",
        "progress_text": "八成。",
    }
    row = requests.ask_extension(assignment=world.share, by=world.liaison, at=NOON, **given)
    rebuild_search()
    assert kinds_found("量子") == []

    requests.submit_extension(extension=row, by=world.body_head, at=NOON)
    assert kinds_found("量子") == ["extension"]

    requests.endorse_extension(extension=row, by=world.officer, at=NOON, opinion="建议超算替代。")
    assert kinds_found("超算") == ["extension"]


def test_an_objection_is_found_with_its_decision(world):
    share = AssignmentFactory(
        item=world.item,
        organization=OrganizationFactory(),
        role="support",
        status="pending",
        objection_due_date=TODAY,
    )
    world.body_head.organization = share.organization
    world.body_head.save()
    row = assignments.object_to_assignment(
        assignment=share, by=world.body_head, at=NOON, reason="量子不归我局。"
    )
    assert kinds_found("量子") == ["objection"]

    assignments.reject_objection(
        objection=row, by=world.office_head, at=NOON, opinion="超算归你局。"
    )

    assert kinds_found("超算") == ["objection"]


def test_a_closing_report_is_found_while_the_office_has_it_and_when_it_stands(world):
    rebuild_search()
    row = assignments.submit_assignment(
        assignment=world.county_share, by=world.county_head, at=NOON, closing_text="车间已投产。"
    )
    assert kinds_found("投产") == ["closing"]
    row = assignments.send_back_assignment(
        assignment=row, by=world.officer, at=NOON, reason="缺凭证"
    )
    assert kinds_found("投产") == []
    assert is_true()
    row = assignments.submit_assignment(
        assignment=row, by=world.county_head, at=NOON, closing_text="车间已投产，附凭证。"
    )
    row = assignments.approve_assignment(assignment=row, by=world.officer, at=NOON)
    row = assignments.complete_assignment(assignment=row, by=world.office_head, at=NOON)
    assert kinds_found("附凭证") == ["closing"]
    assert is_true()


def test_a_letter_is_found_from_its_issue_on_with_its_reply_even_when_void(world):
    rebuild_search()
    Assignment.objects.filter(pk=world.county_share.pk).update(due_date=TODAY - timedelta(days=9))
    sync_settings(at=NOON)
    sweep(TODAY, at=NOON)
    letter = Letter.objects.get(assignment=world.county_share)
    assert found_by(world.county_liaison, letter.number) == {"letter"}
    assert found_by(world.liaison, letter.number) == set()
    assert kinds_found(letter.number) == ["letter"]
    letter = letters.accept_letter(letter=letter, by=world.county_liaison, at=NOON)
    letter = letters.reply_letter(
        letter=letter, by=world.county_liaison, at=NOON, text="已排查原因。"
    )
    assert kinds_found("排查原因") == ["letter"]
    letters.void_letter(letter=letter, by=world.office_head, at=NOON, reason="文号有误")
    assert kinds_found("文号有误") == ["letter"]
    assert is_true()


def test_an_act_stands_even_when_the_search_table_fails(world, monkeypatch):
    period = PeriodFactory(assignment=world.share)
    report = ReportFactory(period=period, progress_text="研发。", filled_by=world.liaison)

    def fail(event):
        SearchEntry.objects.create(kind="return", key=None)

    from supervision.services import search

    monkeypatch.setitem(search.HEARD, "report_submitted", fail)
    reports.submit_report(report=report, by=world.body_head, at=NOON)

    assert ProgressReport.objects.get().status == "submitted"
    assert not is_true()


# The command


def test_the_rebuild_puts_right_what_differs_and_then_nothing_more(world, capsys):
    ReportFactory(period=PeriodFactory(assignment=world.share), status="approved")
    with pytest.raises(CommandError):
        call_command("search_index", "--check")
    assert not SearchEntry.objects.exists()

    call_command("search_index")
    assert "return: 1 missing" in capsys.readouterr().out
    call_command("search_index", "--check")

    ProgressReport.objects.update(progress_text="另一段。")
    step = MilestoneFactory(assignment=world.share)
    rebuild_search()
    step.delete()
    changes = rebuild_search(is_dry=True)
    assert (changes["return"].total, changes["milestone"].surplus) == (0, 1)
    assert SearchEntry.objects.get(kind="return").text == "另一段。"
    rebuild_search()
    assert is_true()


# Who finds what


@pytest.fixture
def canaries(world):
    """A word of its own in everything somebody may not see."""
    hidden = ItemFactory(
        dispatched=True,
        leader=world.other_leader,
        clause=ClauseFactory(title="玄鸟条款"),
        requirement="玄鸟要求。",
    )
    other = AssignmentFactory(item=hidden, organization=world.other_bureau)
    ReportFactory(
        period=PeriodFactory(assignment=other), status="approved", progress_text="玄鸟报送。"
    )
    # The neighbour in the same item: a county whose return the leading bureau must not read.
    ReportFactory(
        period=PeriodFactory(assignment=world.county_share),
        status="submitted",
        progress_text="白泽报送。",
    )
    MilestoneFactory(assignment=world.county_share, title="白泽节点")
    ExtensionFactory(assignment=world.county_share, reason="白泽延期。", submitted_at=NOON)
    ObjectionFactory(assignment=world.county_share, reason="白泽异议。")
    # Drafts: of the bureau itself, and a request that waits for its head.
    ReportFactory(period=PeriodFactory(assignment=world.share), progress_text="麒麟草稿。")
    ExtensionFactory(assignment=world.share, status="draft", reason="麒麟草稿。", submitted_at=None)
    ItemFactory(clause=None, document=world.document, title="重明草案")
    moved = AssignmentFactory(
        item=world.item, organization=world.other_bureau, role="support", status="cancelled"
    )
    ReportFactory(
        period=PeriodFactory(assignment=moved), status="approved", progress_text="夔牛报送。"
    )
    taken_by = OrganizationFactory()
    Assignment.objects.filter(pk=moved.pk).update(
        transferred_to=AssignmentFactory(item=world.item, organization=taken_by, role="support")
    )
    rebuild_search()
    return world


ALL_SEEING = ("officer", "office_head", "principal")
# word: who finds it, and the kinds of what is found
FINDERS = {
    "玄鸟": ((*ALL_SEEING, "other_leader", "other_liaison"), {"item", "clause", "return"}),
    "白泽": (
        (*ALL_SEEING, "leader", "county_liaison"),
        {"return", "milestone", "extension", "objection"},
    ),
    "麒麟": ((), set()),
    "重明": (ALL_SEEING, {"item"}),
    "夔牛": ((*ALL_SEEING, "leader"), {"return"}),
    "孵化": ((*ALL_SEEING, "leader", "liaison", "body_head", "county_liaison"), {"item"}),
}


@pytest.mark.parametrize("word", FINDERS)
def test_each_finds_what_each_may_see(canaries, client, word):
    finders, kinds = FINDERS[word]
    for who in EVERYBODY:
        expected = kinds if who in finders else set()
        client.force_login(getattr(canaries, who))

        page = client.get(ADDRESS, {"q": word}).content.decode()

        assert found_by(getattr(canaries, who), word) == expected, who
        assert (f"<mark>{word}</mark>" in page) == bool(expected), who
        assert page.count('class="search-hit"') == len(expected), who
        if not expected:
            assert "chip-count" not in page, who


def test_the_leading_bureau_counts_only_its_own_returns(canaries, client):
    """A hit of a neighbour shows neither in a chip nor in the number of pages."""
    for share in (canaries.share, canaries.county_share):
        ReportFactory(
            period=PeriodFactory(assignment=share, label="2026-03", start_date=date(2026, 3, 1)),
            status="approved",
            progress_text="共同词语。",
        )
    rebuild_search()
    client.force_login(canaries.liaison)

    answer = client.get(ADDRESS, {"q": "共同词语"})

    assert answer.context["total"] == 1
    assert [chip.count for chip in answer.context["kind_chips"]] == [1, 1]


def test_a_return_in_the_bodys_hands_again_leads_to_the_share(world, client):
    period = PeriodFactory(assignment=world.share)
    report = ReportFactory(period=period, progress_text="研发。", filled_by=world.liaison)
    reports.submit_report(report=report, by=world.body_head, at=NOON)
    client.force_login(world.officer)
    address = reverse("supervision:report", args=[report.uid])
    assert address in client.get(ADDRESS, {"q": "研发"}).content.decode()

    reports.send_back_report(report=report, by=world.officer, at=NOON, reason="补充。")
    reports.ask_sign_off(report=report, by=world.liaison, at=NOON)

    page = client.get(ADDRESS, {"q": "研发"}).content.decode()
    assert address not in page
    assert reverse("supervision:assignment", args=[world.share.uid]) + "#returns" in page


def test_every_hit_leads_to_a_page_the_finder_may_open(canaries, client):
    for who in ("officer", "leader", "liaison", "county_liaison"):
        client.force_login(getattr(canaries, who))
        for word in ("白泽", "孵化", "夔牛", "高企"):
            for hit in client.get(ADDRESS, {"q": word}).context.get("hits", []):
                assert client.get(hit.url).status_code == 200, (who, hit.kind)


# The page


def test_hits_in_a_title_come_first_and_are_counted_by_kind(world, client):
    ReportFactory(
        period=PeriodFactory(assignment=world.share), status="approved", progress_text="高企十家。"
    )
    rebuild_search()
    client.force_login(world.officer)

    answer = client.get(ADDRESS, {"q": " 高企 "})

    assert [hit.kind for hit in answer.context["hits"]] == ["item", "clause", "return"]
    assert [chip.count for chip in answer.context["kind_chips"]] == [3, 1, 1, 1]
    only = client.get(ADDRESS, {"q": "高企", "kind": "return"})
    assert [hit.kind for hit in only.context["hits"]] == ["return"]
    assert [chip.count for chip in only.context["kind_chips"]] == [3, 1, 1, 1]
    assert "本月" not in only.content.decode()


def test_every_word_must_occur_and_width_and_case_do_not_matter(world, client):
    ReportFactory(
        period=PeriodFactory(assignment=world.share),
        status="approved",
        progress_text="Ｒ＆Ｄ投入１２家，新增研 发机构。",
    )
    rebuild_search()
    client.force_login(world.liaison)

    def hits(query: str) -> int:
        return len(client.get(ADDRESS, {"q": query}).context.get("hits", []))

    assert hits("r&d 12家 研发") == 1
    assert hits("r&d 量子") == 0
    assert hits("%") == hits("_") == 0


def test_questions_that_cannot_be_answered_are_answered_in_plain_words(world, client):
    client.force_login(world.officer)
    assert "请输入要查找的内容" in client.get(ADDRESS).content.decode()
    assert "搜索内容过长" in client.get(ADDRESS, {"q": "研" * 61}).content.decode()
    page = client.get(ADDRESS, {"q": "<b>无此词"}).content.decode()
    assert "未找到“&lt;b&gt;无此词”" in page
    assert client.get(ADDRESS, {"q": "\x00"}).status_code == 200
    assert client.get(ADDRESS, {"q": "研发", "kind": "x", "page": "99"}).status_code == 200
    assert LONGEST_QUERY == 60


def test_markup_in_a_text_stays_text(world, client):
    ReportFactory(
        period=PeriodFactory(assignment=world.share),
        status="approved",
        progress_text="<script>研发</script>",
    )
    rebuild_search()
    client.force_login(world.officer)

    page = client.get(ADDRESS, {"q": "研发"}).content.decode()

    assert "&lt;script&gt;<mark>研发</mark>" in page


def test_a_search_that_takes_too_long_is_stopped(world, client, monkeypatch):
    many = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 30000000) "
    with pytest.raises(TookTooLong), at_most(0.2), connection.cursor() as cursor:
        cursor.execute(many + "SELECT max(n) FROM t")
    with at_most(5.0):
        assert SupervisionItem.objects.count() == 1
    # Afterwards nothing is bounded any more.
    with connection.cursor() as cursor:
        cursor.execute(many.replace("30000000", "900000") + "SELECT max(n) FROM t")

    def stopped(*args):
        raise TookTooLong

    monkeypatch.setattr(search_view, "_found", stopped)
    client.force_login(world.officer)
    assert "搜索时间过长" in client.get(ADDRESS, {"q": "研发"}).content.decode()


def test_the_number_of_statements_does_not_grow_with_the_hits(world, client):
    def add(count: int) -> None:
        for _ in range(count):
            item = ItemFactory(dispatched=True, leader=world.leader, number=None)
            for share in (
                AssignmentFactory(item=item, organization=world.bureau),
                AssignmentFactory(item=item, organization=OrganizationFactory(), role="support"),
            ):
                MilestoneFactory(assignment=share, title="研发节点")
                ReportFactory(period=PeriodFactory(assignment=share), status="approved")
                ExtensionFactory(assignment=share, reason="研发延期", submitted_at=NOON)

    def count(who: str) -> int:
        client.force_login(getattr(world, who))
        question = {"q": "研发", "kind": "return"}
        client.get(ADDRESS, question)
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(ADDRESS, question)
        assert answer.context["hits"]
        return len(captured)

    add(1)
    rebuild_search()
    few = {who: count(who) for who in ("officer", "leader", "liaison")}
    add(12)
    rebuild_search()

    assert {who: count(who) for who in few} == few
    assert max(few.values()) <= 14


def test_the_rebuild_costs_by_batches(world):
    def statements() -> int:
        SearchEntry.objects.all().delete()
        with CaptureQueriesContext(connection) as captured:
            rebuild_search()
        return len(captured)

    few = statements()
    for number in range(20):
        ReportFactory(
            period=PeriodFactory(assignment=world.share, label=f"m{number}"), status="approved"
        )

    assert statements() <= few + 4
    assert ReportPeriod.objects.count() == SearchEntry.objects.filter(kind="return").count()


def test_the_field_in_the_top_bar_is_there_for_whoever_has_something_to_find(city, client):
    for who in EVERYBODY:
        client.force_login(getattr(city, who))
        page = client.get("/desk/components/").content.decode()
        has_items = who not in ("publisher", "reviewer", "auditor", "administrator", "stranger")
        assert ('id="desk-search"' in page) == has_items, who
