"""The screens of the working calendar and the page that says why a date is this one."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from notifications.models import InboxEntry
from supervision.models import CalendarNotice, EventKind
from supervision.rules.calendar_file import NoticeDay, notice_of_package
from supervision.rules.recount import given_receipt
from supervision.services import assignments as acts
from supervision.services import items, notices
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    ItemFactory,
    PartyFactory,
)

pytestmark = pytest.mark.django_db
FRIDAY = date(2026, 6, 12)


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def share(city):
    item = ItemFactory(status="initiated", leader=city.leader, number="甲")
    PartyFactory(item=item, organization=city.bureau)
    items.dispatch_item(item=item, by=city.officer, at=NOON)
    return item.assignments.get()


def draft(city, by=None):
    days = [*notice_of_package(2026), NoticeDay(FRIDAY, False, "加放假")]
    return notices.draft_notice(
        year=2026, days=days, title="补充通知", by=by or city.officer, at=NOON
    )


def text(response) -> str:
    return response.content.decode()


def why(client, field, row):
    return client.get(reverse("supervision:why_date", args=[field, row.uid]))


# Years


def test_each_year_says_where_it_stands(client, city):
    draft(city)
    client.force_login(city.office_head)

    page = text(client.get(reverse("supervision:calendar")))

    assert "已生效，第1版" in page
    assert "第2版待核对" in page
    assert page.count("暂定</span>") == 4  # 2027 to 2030
    assert "尚未生效。" not in page  # June: no alarm yet


@pytest.mark.parametrize(
    ("day", "tone"),
    [(date(2026, 11, 1), "light-yellow"), (date(2026, 12, 1), "light-red")],
)
def test_next_years_missing_notice_alarms(client, city, day, tone):
    with time_machine.travel(datetime(day.year, day.month, day.day, 9, tzinfo=NOON.tzinfo)):
        client.force_login(city.officer)
        page = text(client.get(reverse("supervision:calendar")))
        home = text(client.get(reverse("supervision:home")))

    assert "2027年放假安排尚未生效" in page and tone in page
    assert reverse("supervision:calendar") in home
    place = home.index("2027 年")
    assert tone in home[place - 600 : place]


# Loading


def load(client, content=None, **fields):
    data = {"year": "2027", "title": "关于2027年的通知"} | fields
    if content is not None:
        data["file"] = SimpleUploadedFile("2027.csv", content, content_type="text/csv")
    return client.post(reverse("supervision:calendar_load"), data)


def test_a_year_is_loaded_as_a_draft(client, city):
    client.force_login(city.officer)

    response = load(client, "date,is_working,name\n2027-01-01,0,元旦\n".encode())

    notice = CalendarNotice.objects.get(year=2027)
    assert response.url == notice.get_absolute_url()
    assert (notice.status, notice.loaded_by) == ("draft", city.officer)


def test_a_bad_file_is_named_line_by_line_and_what_was_typed_stays(client, city):
    client.force_login(city.officer)

    page = text(load(client, b"date,is_working,name\n2027-02-30,0,x\n2026-01-01,0,x\n"))

    assert "第 2 行" in page and "不存在" in page
    assert "第 3 行" in page and "不在2027年内" in page
    assert "关于2027年的通知" in page
    assert not CalendarNotice.objects.filter(year=2027).exists()


def test_a_year_the_package_does_not_know(client, city):
    client.force_login(city.officer)

    page = text(load(client))

    assert "尚未收录2027年" in page and "关于2027年的通知" in page


# Review


def test_the_review_shows_months_oddities_and_moves(client, city, share):
    client.force_login(city.office_head)

    page = text(client.get(draft(city).get_absolute_url()))

    assert page.count('<table class="cal-sheet">') == 12
    assert "将调整2个时限" in page
    assert "<strong>2026-06-15</strong>" in page
    assert "上班改为休息" in page
    assert "确认生效" in page


def test_who_loaded_is_told_that_another_confirms(client, city):
    notice = draft(city, by=city.office_head)
    client.force_login(city.office_head)

    page = text(client.get(notice.get_absolute_url()))

    assert "须由另一人确认" in page
    assert "确认生效</button>" not in page


def test_confirming_moves_what_was_shown(client, city, share):
    notice = draft(city)
    client.force_login(city.office_head)
    page = client.get(notice.get_absolute_url())
    expected = page.context["confirm_form"].initial["expected"]
    address = reverse("supervision:calendar_act", args=[notice.uid, "confirm"])

    response = client.post(address, {"version": "0", "expected": expected}, follow=True)

    assert "调整时限2个" in text(response)
    share.refresh_from_db()
    assert share.accept_due_date == date(2026, 6, 15)
    assert "调整时限" not in text(client.post(address, {"version": "0"}, follow=True))


def test_a_changed_preview_is_refused_in_plain_words(client, city, share):
    notice = draft(city)
    client.force_login(city.office_head)
    address = reverse("supervision:calendar_act", args=[notice.uid, "confirm"])

    page = text(client.post(address, {"version": "0", "expected": "0" * 16}, follow=True))

    assert "本次未作任何更改" in page
    share.refresh_from_db()
    assert share.accept_due_date == FRIDAY


def test_dropping_asks_for_a_reason(client, city):
    notice = draft(city)
    client.force_login(city.officer)
    address = reverse("supervision:calendar_act", args=[notice.uid, "drop"])

    assert client.post(address, {"reason": ""}).status_code == 200
    notice.refresh_from_db()
    assert notice.status == "draft"

    client.post(address, {"reason": "日期有误", "version": "0"})
    notice.refresh_from_db()
    assert notice.status == "dropped"


def test_an_unknown_act(client, city):
    client.force_login(city.officer)
    address = reverse("supervision:calendar_act", args=[draft(city).uid, "burn"])

    assert client.post(address).status_code == 404


# After it


@pytest.fixture
def moved(city, share):
    notices.confirm_notice(notice=draft(city), by=city.office_head, at=NOON)
    share.refresh_from_db()
    return share


def test_a_body_reads_what_moved_and_only_its_own(client, city, moved):
    address = reverse("supervision:calendar_moves")
    client.force_login(city.liaison)
    own = text(client.get(address))
    client.force_login(city.other_liaison)
    other = text(client.get(address))

    assert "2026-06-12" in own and "2026-06-15" in own
    assert "2026-06-12" not in other


def test_its_message_leads_there(client, city, moved):
    client.force_login(city.liaison)
    assert InboxEntry.objects.filter(
        user=city.liaison, event__kind=EventKind.CALENDAR_CHANGED
    ).exists()

    page = text(client.get(reverse("notifications:inbox")))

    assert "市工信局有2个时限随之调整" in page
    assert reverse("supervision:calendar_moves") in page


# Why this day


def test_why_tells_the_rule_the_days_and_the_notice(client, city, moved):
    client.force_login(city.liaison)

    page = text(why(client, "accept", moved))

    assert "自2026-06-10起2个工作日" in page
    assert "2026-06-12 周五（加放假）" in page
    assert "2026-06-13 周六（周末）" in page
    assert "2026年放假安排（第2版）" in page
    assert "由2026-06-12调整为2026-06-15" in page
    assert page.count('<table class="cal-sheet">') == 1
    assert "暂定" not in page


def test_why_names_make_up_days(client, city):
    october = datetime(2026, 9, 30, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
    item = ItemFactory(status="initiated", leader=city.leader, number="甲")
    PartyFactory(item=item, organization=city.bureau)
    items.dispatch_item(item=item, by=city.officer, at=october)
    client.force_login(city.liaison)

    page = text(why(client, "object", item.assignments.get()))

    assert "2026-10-10 周六（国庆节）" in page
    assert "2026-10-01 周四（国庆节）" in page


def test_a_provisional_date_is_marked_where_it_is_shown(client, city):
    december = datetime(2026, 12, 30, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
    item = ItemFactory(
        status="initiated", leader=city.leader, number="甲", due_date=date(2027, 12, 31)
    )
    PartyFactory(item=item, organization=city.bureau)
    client.force_login(city.officer)
    before = text(client.get(item.get_absolute_url()))
    assert "暂定：2027年放假安排尚未生效" in before
    assert "如今天交办，签收时限为2026-06-12" in before
    items.dispatch_item(item=item, by=city.officer, at=december)
    share = item.assignments.get()

    page = text(client.get(share.get_absolute_url()))
    told = text(why(client, "accept", share))

    assert page.count("◇") == 2  # to sign, to object
    assert "2027年：放假安排尚未生效" in told
    assert "日期为暂定" in told


def test_why_of_a_day_a_person_named(client, city, share):
    client.force_login(city.liaison)

    page = text(why(client, "due", share))

    assert "立项时确定的日期" in page
    assert "原定时限2026-12-31始终不变" in page


def test_why_of_rework_shows_both_dates(client, city):
    share = AssignmentFactory(
        item=ItemFactory(dispatched=True, due_date=TODAY),
        organization=city.bureau,
        status="under_review",
        due_receipt=given_receipt(TODAY, "item"),
    )
    acts.send_back_assignment(assignment=share, by=city.officer, at=NOON, reason="数据不实")
    client.force_login(city.liaison)

    share.refresh_from_db()
    page = text(why(client, "due", share))

    assert "整改时限：2026-06-17" in page
    assert "调整前的日期：2026-06-10" in page
    assert "退回整改" in page


def test_why_of_returns_and_objections(client, city, share):
    period = share.periods.get(label="2026-06")
    objection = acts.object_to_assignment(
        assignment=share, by=city.body_head, at=NOON, reason="不属本局"
    )
    client.force_login(city.liaison)

    assert "次月5日前报送" in text(why(client, "return", period))
    assert "2026-07-05" in text(why(client, "return", period))  # the Sunday it first fell on
    assert "3个工作日" in text(why(client, "decide", objection))


def test_why_without_a_receipt_says_so(client, city):
    share = AssignmentFactory(organization=city.bureau)
    client.force_login(city.liaison)

    assert "未留存推算依据" in text(why(client, "accept", share))


@pytest.mark.parametrize("field", ["accept", "object", "due"])
def test_a_stranger_learns_nothing(client, city, share, field):
    client.force_login(city.other_liaison)

    assert why(client, field, share).status_code == 404


def test_a_date_that_is_not_there(client, city, share):
    client.force_login(city.liaison)

    assert why(client, "plan", share).status_code == 404
    assert why(client, "nonsense", share).status_code == 404


def test_the_page_of_a_share_links_each_date(client, city, share):
    acts.accept_assignment(assignment=share, by=city.liaison, at=NOON + timedelta(minutes=1))
    client.force_login(city.liaison)

    page = text(client.get(share.get_absolute_url()))

    for field in ("due", "plan"):
        assert reverse("supervision:why_date", args=[field, share.uid]) in page
    period = share.periods.order_by("start_date").first()
    assert reverse("supervision:why_date", args=["return", period.uid]) in page
