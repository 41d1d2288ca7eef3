"""The supervision office: from a draft to every body's desk; two officers on one draft."""

from supervision.models import SupervisionItem
from tests.factories import DocumentFactory, ItemFactory
from tests.journeys.visitor import fill


def test_an_item_from_the_draft_to_the_bodies(visit, town):
    document = DocumentFactory()
    officer = visit("officer")
    officer.go("/desk/items/")
    officer.press("新建事项")
    fill(
        officer.page.locator("main form"),
        {
            "document": str(document.pk),
            "kind": "task",
            "title": "建设产业技术研究院",
            "requirement": "年内建成并投入使用。",
            "due_date": "2026-12-31",
            "leader": str(town.leader.pk),
            "is_declared_free_of_secrets": True,
            "party-0-organization": str(town.bureau.pk),
            "party-0-role": "lead",
            "party-1-organization": str(town.other_bureau.pk),
            "party-1-role": "support",
            "party-2-organization": str(town.county.pk),
            "party-2-role": "county",
        },
    )
    officer.press("保存拟办稿")
    address = officer.path
    officer.act("报请审批")
    assert "待审批" in officer.text or "审批" in officer.text
    assert officer.page.locator("summary", has_text="同意立项").count() == 0

    head = visit("office_head")
    head.go("/desk/reviews/?kind=approvals")
    assert "建设产业技术研究院" in head.text
    head.act("同意立项", opinion="同意")

    officer.go(address)
    officer.act("交办各单位")
    assert "已交办全部承办单位。" in officer.text
    for body in (town.bureau, town.other_bureau, town.county):
        assert str(body) in officer.text
    item = SupervisionItem.objects.get()
    assert (item.status, item.assignments.count()) == ("in_progress", 3)
    assert item.number

    for person in ("liaison", "other_liaison", "county_liaison"):
        body = visit(person)
        assert "建设产业技术研究院" in body.text
        assert "签收" in body.text
    outsider = visit("publisher")
    outsider.expected.append("404")
    outsider.go(address)
    assert "建设产业技术研究院" not in outsider.text


def test_the_second_of_two_on_one_draft_keeps_what_was_typed(visit, town):
    item = ItemFactory(drafted_by=town.officer, title="原来的题目")
    address = f"/desk/items/{item.uid}/edit/"
    first, second = visit("officer"), visit("officer")
    first.go(address)
    second.go(address)

    fill(first.page.locator("main form"), {"title": "先保存的题目"})
    first.press("保存拟办稿")
    fill(
        second.page.locator("main form"),
        {"title": "后保存的题目", "requirement": "写了半个小时的要求。"},
    )
    second.press("保存拟办稿")

    assert "其他人" in second.text or "他人" in second.text
    assert second.page.locator("[name=title]").input_value() == "后保存的题目"
    assert second.page.locator("[name=requirement]").input_value() == "写了半个小时的要求。"
    assert SupervisionItem.objects.get().title == "先保存的题目"

    second.press("保存拟办稿")
    assert SupervisionItem.objects.get().requirement == "写了半个小时的要求。"


def test_a_filter_works_as_it_is_chosen_and_stays_in_the_address(visit, town):
    kept = ItemFactory(title="要找的事项", status="draft")
    ItemFactory(title="别的事项", dispatched=True)
    officer = visit("officer")
    officer.go("/desk/items/")
    assert "别的事项" in officer.text

    officer.page.select_option("#filter-state", "draft")
    officer.page.wait_for_url("**state=draft**")

    assert kept.title in officer.text
    assert "别的事项" not in officer.text
    officer.page.reload()
    assert "别的事项" not in officer.text


def test_without_script_the_same_filter_needs_its_button(visit, town):
    ItemFactory(title="要找的事项", status="draft")
    ItemFactory(title="别的事项", dispatched=True)
    officer = visit("officer", has_script=False)
    officer.go("/desk/items/")
    officer.page.select_option("#filter-state", "draft")
    officer.press("查询")

    assert "state=draft" in officer.page.url
    assert "别的事项" not in officer.text
