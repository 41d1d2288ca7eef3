"""A bureau, without any script: sign, plan, report, be sent back, report again."""

from supervision.models import Assignment, ProgressReport
from tests.journeys.stories import dispatched
from tests.journeys.visitor import fill


def test_a_return_goes_to_the_head_the_office_and_back(visit, town):
    dispatched(town, town.bureau, town.county)
    share = Assignment.objects.get(organization=town.bureau)
    liaison = visit("liaison", has_script=False)
    liaison.press("签收")
    assert Assignment.objects.get(pk=share.pk).status == "in_progress"

    liaison.go(share.get_absolute_url())
    liaison.act(
        "报送细化方案",
        **{
            "handler_name": "李四",
            "steps-0-title": "完成选址",
            "steps-0-planned_date": "2026-06-15",
            "steps-1-title": "设备到位",
            "steps-1-planned_date": "2026-06-25",
        },
    )
    officer = visit("officer", has_script=False)
    officer.go("/desk/reviews/?kind=plans")
    officer.act("同意计划")
    assert set(share.milestones.values_list("title", "status")) == {
        ("完成选址", "planned"),
        ("设备到位", "planned"),
    }

    period = share.periods.order_by("start_date").first()
    page = f"/desk/returns/{period.label}/"
    prefix = f"r{period.pk}"
    liaison.go(page)
    fill(
        liaison.page.locator("main form"),
        {f"{prefix}-progress_text": "已完成选址。", f"{prefix}-self_percent": "40"},
    )
    liaison.press("保存草稿")
    assert liaison.page.locator(f"[name={prefix}-progress_text]").input_value() == "已完成选址。"
    fill(liaison.page.locator("main form"), {f"{prefix}-is_complete": True})
    liaison.page.locator("button[value=hand_on]").last.click()
    liaison.look()
    report = ProgressReport.objects.get()
    assert report.status == "under_sign_off"

    head = visit("body_head", has_script=False)
    assert "已完成选址。" in head.text
    head.press("签发所选")
    report.refresh_from_db()
    assert report.status == "submitted"

    officer.go(f"/desk/reviews/?kind=reports&open={report.uid}")
    officer.act("退回", reason_class="evidence", reason="请写明选址在何处，附批复。")
    liaison.go(page)
    assert "请写明选址在何处，附批复。" in liaison.text
    assert liaison.page.locator(f"[name={prefix}-progress_text]").input_value() == "已完成选址。"
    fill(
        liaison.page.locator("main form"),
        {f"{prefix}-progress_text": "已选址在高新区东路1号。", f"{prefix}-is_complete": True},
    )
    liaison.page.locator("button[value=hand_on]").last.click()
    liaison.look()
    head.go("/desk/")
    head.press("签发所选")

    officer.go("/desk/reviews/?kind=reports")
    assert "已选址在高新区东路1号。" in officer.text
    officer.act("通过并核定进度", verified_percent="35")
    report.refresh_from_db()
    assert (report.status, report.verified_percent) == ("approved", 35)
    officer.go(share.get_absolute_url())
    assert "已选址在高新区东路1号。" in officer.text


def test_two_people_on_one_return_see_both_texts(visit, town):
    dispatched(town, town.bureau)
    share = Assignment.objects.get(organization=town.bureau)
    Assignment.objects.filter(pk=share.pk).update(status="in_progress")
    period = share.periods.order_by("start_date").first()
    name, page = f"r{period.pk}-progress_text", f"/desk/returns/{period.label}/"
    liaison, head = visit("liaison"), visit("body_head")
    liaison.go(page)
    head.go(page)

    liaison.expected.append("409")  # the row that saves itself is told first
    fill(head.page.locator("main form"), {name: "负责人先写的"})
    head.press("保存草稿")
    fill(liaison.page.locator("main form"), {name: "联络员后写的"})
    liaison.press("保存草稿")

    assert "负责人先写的" in liaison.text
    assert liaison.page.locator(f"[name={name}]").input_value() == "联络员后写的"
    assert ProgressReport.objects.get().progress_text == "负责人先写的"


def test_a_whole_page_of_returns_by_keyboard_alone(visit, town):
    """Text, mark, next row, one submit: typed as saved, and nothing but keys."""
    dispatched(town, town.bureau)
    share = Assignment.objects.get(organization=town.bureau)
    Assignment.objects.filter(pk=share.pk).update(status="in_progress")
    period = share.periods.order_by("start_date").first()
    prefix = f"r{period.pk}"
    liaison = visit("liaison")
    liaison.go(f"/desk/returns/{period.label}/")
    keys = liaison.page.keyboard

    def tab_to(name: str, value: str = "") -> None:
        for _press in range(80):
            keys.press("Tab")
            found = liaison.page.evaluate(
                "[document.activeElement.name || '', document.activeElement.value || '']"
            )
            if found[0] == name and value in found[1]:
                return
        raise AssertionError(f"{name} is not reached by the Tab key")

    tab_to(f"{prefix}-progress_text")
    keys.type("已完成选址，正在办理用地手续。")
    tab_to(f"{prefix}-self_percent")
    liaison.page.locator(".save-state", has_text="已保存").wait_for()
    assert ProgressReport.objects.get().progress_text == "已完成选址，正在办理用地手续。"
    tab_to(f"{prefix}-is_complete")
    keys.press("Space")
    while liaison.page.evaluate("document.activeElement.value") != "hand_on":
        tab_to("act", "hand_on")
    with liaison.page.expect_navigation():
        keys.press("Enter")
    liaison.look()
    assert ProgressReport.objects.get().status == "under_sign_off"
