"""Time asked and granted on a phone, an objection rejected, a late end made public, a new start."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from supervision.models import Assignment, Objection, PublicItem, Release, SupervisionItem
from supervision.services import assignments as acts
from tests.journeys.stories import dispatched

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_more_time_is_asked_endorsed_and_granted_on_a_phone(visit, town):
    item = dispatched(town, town.bureau)
    share = Assignment.objects.get(organization=town.bureau)
    acts.accept_assignment(assignment=share, by=town.liaison, at=item.dispatched_at)

    liaison = visit("liaison", is_phone=True)
    liaison.go(share.get_absolute_url())
    liaison.act(
        "申请延期",
        asked_date="2026-08-31",
        cause="funds",
        reason="配套资金七月到位。",
        progress_text="已完成选址。",
    )
    head = visit("body_head", is_phone=True)
    assert "配套资金七月到位。" in head.text
    head.press("签发所选")

    officer = visit("officer")
    officer.go("/desk/reviews/?kind=extensions")
    officer.act("提出初审意见，报领导决定", opinion="情况属实，拟同意。")

    leader = visit("leader", is_phone=True)
    assert "建设研发机构" in leader.text
    leader.go("/desk/reviews/?kind=extensions")
    assert "情况属实，拟同意。" in leader.text
    leader.act("同意延期", granted_date="2026-07-31", opinion="同意延至七月底。")

    share.refresh_from_db()
    assert (share.due_date, share.original_due_date) == (date(2026, 7, 31), date(2026, 6, 30))
    leader.go(item.get_absolute_url())
    assert "2026-07-31" in leader.text and "2026-06-30" in leader.text


def test_an_objection_is_raised_and_rejected(visit, town):
    dispatched(town, town.bureau, town.county, at=datetime(2026, 6, 9, 12, tzinfo=SHANGHAI))
    share = Assignment.objects.get(organization=town.county)
    county = visit("county_head")
    county.go(share.get_absolute_url())
    county.act("提出异议", reason="此项不属本区职责。")
    assert Objection.objects.get().reason == "此项不属本区职责。"

    head = visit("office_head")
    head.go("/desk/reviews/?kind=objections")
    assert "此项不属本区职责。" in head.text
    head.act("不采纳，仍由该单位承办", opinion="三定方案已明确。")

    county.go("/desk/")
    county.press("签收")
    share.refresh_from_db()
    assert share.status == "in_progress"
    county.go(share.get_absolute_url())
    assert "三定方案已明确。" in county.text


def test_late_is_late_everywhere_until_a_new_instruction(visit, town, at):
    item = dispatched(town, town.bureau)
    share = Assignment.objects.get(organization=town.bureau)
    acts.accept_assignment(assignment=share, by=town.liaison, at=item.dispatched_at)
    at(datetime(2026, 7, 10, 10, tzinfo=SHANGHAI))

    body = visit("body_head")
    body.go(share.get_absolute_url())
    body.act("申请办结", closing_text="研究院已建成并投入使用。")
    officer = visit("officer")
    officer.go("/desk/reviews/?kind=closings")
    officer.act("材料审核通过")
    head = visit("office_head")
    head.go("/desk/reviews/?kind=checks")
    head.act("核查通过，予以办结", opinion="现场核查属实。")
    head.go(item.get_absolute_url())
    head.act("事项销号")

    assert "逾期办结" in head.text
    for person in (officer, body):
        person.go("/desk/items/")
        assert "逾期办结" in person.text
    stranger = visit()
    stranger.go("/progress/")
    assert "建设研发机构" not in stranger.text

    publisher = visit("publisher")
    publisher.go("/desk/releases/")
    publisher.act("编制公开稿", document=str(item.document_id))
    release = Release.objects.get()
    publisher.act("提交审核")
    assert publisher.page.locator("summary", has_text="已通读").count() == 0
    for who, act in (("reviewer", "已通读，一审通过"), ("second_reviewer", "已通读，二审通过")):
        reader = visit(who)
        reader.go(f"/desk/releases/{release.uid}/")
        assert "建设研发机构" in reader.text
        reader.act(act)
    reader = visit("third_reviewer")
    reader.go(f"/desk/releases/{release.uid}/")
    reader.page.locator("summary", has_text="填写保密审查单").click()
    for answer in reader.page.locator("input[value=no]").all():
        answer.check()
    reader.page.locator("select[name=attribute]").select_option("proactive")
    reader.page.locator("textarea[name=finding]").fill("不涉密，可以公开。")
    reader.page.locator("form", has=reader.page.locator("select[name=attribute]")).locator(
        "button[type=submit]"
    ).click()
    reader.page.wait_for_load_state()
    publisher.go(f"/desk/releases/{release.uid}/")
    publisher.act("发布")

    stranger.go("/progress/")
    assert "逾期完成" in stranger.text
    stranger.press("建设研发机构")
    assert stranger.path == f"/progress/{PublicItem.objects.get().slug}/"
    assert "逾期完成" in stranger.text

    leader = visit("leader")
    leader.go(item.get_absolute_url())
    leader.act("重新办理", instruction="回头看发现设备未到位，限期整改。", due_date="2026-09-30")
    item = SupervisionItem.objects.get()
    assert (item.status, item.due_date) == ("in_progress", date(2026, 9, 30))
    body.go("/desk/")
    assert "建设研发机构" in body.text or "建设研发机构" in body.go("/desk/items/").text
    stranger.go("/progress/")
    assert "逾期完成" in stranger.text  # the public reads the edition, not the live row
