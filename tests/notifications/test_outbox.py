"""What a person does about messages, and the pages on which he does it."""

import json
from datetime import date, datetime, time, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from notifications import outbox
from notifications.models import Delivery, GroupRobot, InboxEntry, MessageHold, Preference
from notifications.sending import send_pending
from notifications.texts import REASONS, reason_of
from notifications.upcoming import upcoming
from supervision.models import Event, EventKind
from supervision.services.acts import ActRefused, record_event
from tasks.jobs import sweep
from tests.conftest import SHANGHAI
from tests.factories import NOON, TODAY, AssignmentFactory, OrganizationFactory, UserFactory

OUTBOX = reverse("notifications:outbox")
UPCOMING = reverse("notifications:upcoming")
ACT = reverse("notifications:outbox_act")
HOLD = reverse("notifications:hold")
ROBOTS = reverse("notifications:robots")
PREFERENCES = reverse("notifications:preferences")


@pytest.fixture
def now():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def late(city):
    return AssignmentFactory(organization=city.bureau, due_date=TODAY - timedelta(days=1))


def happen(row, kind=EventKind.REMINDED, **data):
    return record_event(kind, assignment=row, by=None, at=NOON, data={"episode": 1, **data})


def morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=SHANGHAI)


def state_of(person) -> str:
    return Delivery.objects.get(recipient=person).status


# Sending again, giving up


def broken(city, late, status="dead", error="refused: 550 no such user") -> Delivery:
    happen(late)
    row = Delivery.objects.get(recipient=city.liaison)
    Delivery.objects.filter(pk=row.pk).update(status=status, error=error, attempts=6)
    Delivery.objects.exclude(pk=row.pk).delete()
    return row


@pytest.mark.parametrize("status", ["dead", "unknown"])
def test_a_repeat_is_marked_and_on_record_and_has_a_number_of_its_own(
    city, late, mailoutbox, status
):
    row = broken(city, late, status)
    outbox.resend(delivery=row, by=city.officer, at=NOON)
    send_pending(NOON)
    (message,) = mailoutbox
    assert message.subject.startswith("【重发】")
    assert message.extra_headers["Message-ID"].startswith(f"<delivery-{row.pk}.1@")
    assert state_of(city.liaison) == "sent"
    event = Event.objects.get(kind=EventKind.MESSAGE_RESENT)
    assert (event.by, event.data["recipient"]) == (city.officer, "liaison")
    assert event.assignment is None  # the body does not read the office's housekeeping


@pytest.mark.parametrize("status", ["sent", "pending", "sending", "failed", "expired", "cancelled"])
def test_nothing_else_is_sent_again(city, late, status):
    row = broken(city, late, status, "")
    with pytest.raises(ActRefused):
        outbox.resend(delivery=row, by=city.officer, at=NOON)
    assert state_of(city.liaison) == status


def test_two_clicks_send_once(city, late, mailoutbox):
    row = broken(city, late)
    outbox.resend(delivery=row, by=city.officer, at=NOON)
    with pytest.raises(ActRefused):
        outbox.resend(delivery=row, by=city.office_head, at=NOON)
    send_pending(NOON)
    assert len(mailoutbox) == 1


def test_a_repeat_of_what_is_settled_does_not_leave(city, late, mailoutbox):
    row = broken(city, late)
    type(late).objects.filter(pk=late.pk).update(status="under_review")
    outbox.resend(delivery=row, by=city.officer, at=NOON)
    send_pending(NOON)
    assert (state_of(city.liaison), mailoutbox) == ("expired", [])


def test_an_old_letter_sent_again_is_not_too_old(city, late, mailoutbox):
    row = broken(city, late)
    later = NOON + timedelta(days=40)
    outbox.resend(delivery=row, by=city.officer, at=later)
    send_pending(later)
    assert len(mailoutbox) == 1


def test_giving_up_needs_a_reason(city, late):
    row = broken(city, late)
    with pytest.raises(ActRefused):
        outbox.give_up(delivery=row, by=city.officer, at=NOON, reason=" ")
    outbox.give_up(delivery=row, by=city.officer, at=NOON, reason="已电话通知")
    assert state_of(city.liaison) == "cancelled"
    assert Event.objects.get(kind=EventKind.MESSAGE_GIVEN_UP).reason == "已电话通知"
    with pytest.raises(ActRefused):
        outbox.resend(delivery=row, by=city.officer, at=NOON)


def test_only_the_office_may(city, late):
    row = broken(city, late)
    for who in (city.liaison, city.body_head, city.leader, city.auditor, city.administrator):
        with pytest.raises(PermissionDenied):
            outbox.resend(delivery=row, by=who, at=NOON)
        with pytest.raises(PermissionDenied):
            outbox.hold_message(key="overdue:1:1", by=who, at=NOON, reason="理由")


def test_what_the_breaker_held_is_released_on_the_page_and_leaves(
    client, city, late, settings, mailoutbox, now
):
    settings.MAIL_BREAKER_FLOOR = 1
    happen(late)
    send_pending(NOON)
    client.force_login(city.officer)
    assert "数量异常" in client.get(OUTBOX).content.decode()
    assert client.post(ACT, {"act": "release"}).status_code == 302
    assert Event.objects.get(kind=EventKind.MESSAGES_RELEASED).data == {"count": 2}
    send_pending(NOON)  # the breaker does not catch them a second time
    assert len(mailoutbox) == 2
    answer = client.post(ACT, {"act": "release"}, follow=True)
    assert "没有因数量异常" in answer.content.decode()


# Holding back


def test_a_held_fact_is_written_and_its_messages_wait(city, late, mailoutbox):
    key = f"overdue:{late.pk}:1"
    hold = outbox.hold_message(key=key, by=city.officer, at=NOON, reason="正在协调")
    sweep(TODAY, at=NOON)
    event = Event.objects.get(fact_key=key)
    assert InboxEntry.objects.filter(event=event, user=city.liaison).exists()
    held = Delivery.objects.filter(event=event)
    assert set(held.values_list("status", "error")) == {("held", "hold")}
    send_pending(NOON)
    assert all(row.status == "held" for row in held.all())
    assert outbox.release_hold(hold=hold, by=city.office_head, at=NOON) == 2
    send_pending(NOON + timedelta(days=1))
    assert set(held.values_list("status", flat=True)) == {"sent"}
    with pytest.raises(ActRefused):
        outbox.release_hold(hold=hold, by=city.officer, at=NOON)


def test_what_waits_already_can_be_held_too_and_the_breaker_does_not_free_it(
    city, late, mailoutbox
):
    event = happen(late)
    outbox.hold_message(key=f"event:{event.pk}", by=city.officer, at=NOON, reason="正在协调")
    send_pending(NOON, is_released=True)
    assert mailoutbox == []
    assert state_of(city.liaison) == "held"


def test_a_hold_needs_a_reason_and_is_there_once(city):
    with pytest.raises(ActRefused):
        outbox.hold_message(key="overdue:1:1", by=city.officer, at=NOON, reason="")
    hold = outbox.hold_message(key="overdue:1:1", by=city.officer, at=NOON, reason="甲")
    with pytest.raises(ActRefused):
        outbox.hold_message(key="overdue:1:1", by=city.officer, at=NOON, reason="乙")
    with pytest.raises(IntegrityError), transaction.atomic():
        MessageHold.objects.create(
            key="overdue:1:1", reason="丙", created_by=city.officer, created_at=NOON
        )
    outbox.release_hold(hold=hold, by=city.officer, at=NOON)
    outbox.hold_message(key="overdue:1:1", by=city.officer, at=NOON, reason="丁")


def test_what_ends_a_share_cancels_what_is_held(city, late):
    event = happen(late)
    outbox.hold_message(key=f"event:{event.pk}", by=city.officer, at=NOON, reason="正在协调")
    record_event(EventKind.COMPLETED, assignment=late, by=city.office_head, at=NOON)
    assert Delivery.objects.get(event=event, recipient=city.liaison).status == "cancelled"


# What will leave


def test_the_forecast_is_what_then_leaves(city):
    """For a week: foreseen keys, days and people against what sweep and outbox really wrote."""
    for days in (-3, 0, 2, 4, 12):
        AssignmentFactory(organization=city.bureau, due_date=TODAY + timedelta(days=days))
    AssignmentFactory(status="pending", organization=city.county, accept_due_date=TODAY)
    foreseen = {
        (row.key, name)
        for row in upcoming(morning(TODAY), days=7)
        for name in {reader.name for reader in row.readers}
    }
    written = set()
    for number in range(7):
        day = TODAY + timedelta(days=number)
        sweep(day, at=morning(day))
    written = set(Delivery.objects.values_list("event__fact_key", "recipient__display_name"))
    last = TODAY + timedelta(days=6)
    # Facts of the last days whose messages leave only after them are not “leaving” yet.
    sent_later = {
        (row.key, reader.name)
        for row in upcoming(morning(last), days=1)
        for reader in row.readers
        if row.leaves_date > last
    }
    assert foreseen == written - sent_later
    assert len({key for key, _name in foreseen}) >= 8


def test_a_weekends_facts_leave_on_monday(city):
    friday = date(2026, 6, 12)
    share = AssignmentFactory(organization=city.bureau, due_date=friday)
    row = next(
        row for row in upcoming(morning(friday), days=7) if row.key == f"overdue:{share.pk}:1"
    )
    assert row.fact_date == date(2026, 6, 13)
    assert row.leaves_at == datetime(2026, 6, 15, 8, 30, tzinfo=SHANGHAI)
    assert {reader.name for reader in row.readers} == {"liaison", "body_head"}


def test_looking_ahead_writes_nothing(city, late):
    before = Event.objects.count(), Delivery.objects.count()
    upcoming(NOON, days=7)
    assert (Event.objects.count(), Delivery.objects.count()) == before


def test_the_page_holds_and_lets_go_and_keeps_what_was_typed(client, city, late, now):
    key = f"overdue:{late.pk}:1"
    client.force_login(city.officer)
    page = client.get(UPCOMING).content.decode()
    assert late.item.title in page and "您是市工信局的联络员" in page and key in page
    assert client.post(HOLD, {"key": key, "reason": "正在协调"}).status_code == 302
    hold = MessageHold.objects.get()
    page = client.get(UPCOMING).content.decode()
    assert "正在协调" in page and "恢复发送" in page
    again = client.post(HOLD, {"key": key, "reason": "再试一次"})
    assert again.status_code == 200 and "已暂缓" in again.content.decode()
    release = reverse("notifications:hold_release", args=[hold.uid])
    assert client.get(release).status_code == 405
    client.post(release)
    assert MessageHold.objects.get().released_by == city.officer
    empty = client.post(HOLD, {"key": key, "reason": ""})
    assert empty.status_code == 200 and "field-error" in empty.content.decode()


def test_the_command_prints_the_same(city, late, now, capsys):
    call_command("letters", "--days", "7")
    table = capsys.readouterr().out
    assert late.item.title in table and "liaison" in table
    call_command("letters", "--days", "7", "--json")
    rows = json.loads(capsys.readouterr().out)
    assert [row["key"] for row in rows] == [row.key for row in upcoming(NOON, days=7)]


def queries(client, address) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("address", [OUTBOX, UPCOMING, ROBOTS])
def test_the_number_of_queries_does_not_grow(client, city, now, address):
    def add(count):
        for number in range(count):
            body = OrganizationFactory()
            UserFactory(roles=["liaison"], organization=body)
            share = AssignmentFactory(organization=body, due_date=TODAY - timedelta(days=1))
            AssignmentFactory(organization=body, due_date=TODAY + timedelta(days=number % 5))
            happen(share)
            GroupRobot.objects.create(
                organization=body,
                kind="feishu",
                name="群",
                address="x",
                created_by=city.officer,
                created_at=NOON,
            )

    client.force_login(city.officer)
    add(6)  # something on every day
    few = queries(client, address)
    add(20)
    assert queries(client, address) == few


# The list


def test_the_list_says_why_and_is_filtered(client, city, late, now):
    broken(city, late)
    client.force_login(city.officer)
    page = client.get(OUTBOX, {"state": "dead", "channel": "digest", "who": "liai"})
    assert "邮件服务器拒收（550 no such user）" in page.content.decode()
    for query in ({"state": "sent"}, {"channel": "sms"}, {"who": "nobody"}, {"day": "2020-01-01"}):
        assert late.item.title not in client.get(OUTBOX, query).content.decode()
    assert client.get(OUTBOX, {"day": "2026-02-30", "page": "x", "state": "?"}).status_code == 200


def test_the_page_sends_again_and_gives_up(client, city, late, now):
    row = broken(city, late)
    client.force_login(city.officer)
    client.post(ACT, {"act": "give_up", "delivery": [row.pk], "reason": ""})
    assert state_of(city.liaison) == "dead"
    client.post(ACT, {"act": "resend", "delivery": [row.pk, "x"]})
    assert state_of(city.liaison) == "pending"
    assert client.post(ACT, {"act": "nonsense"}).status_code == 404


def test_every_reason_has_words(city):
    for code in REASONS:
        assert reason_of(code) != code
        assert "（12）" in reason_of(f"{code}: 12")
    assert "因后续办理取消" in reason_of(EventKind.COMPLETED)
    assert reason_of("演示回放") == "演示回放"


def test_red_that_nobody_read_is_listed(client, city, late, now):
    happen(late, EventKind.BECAME_OVERDUE)
    client.force_login(city.officer)
    assert late.item.title in client.get(OUTBOX, {"unread": "red"}).content.decode()
    InboxEntry.objects.update(read_at=NOON)
    assert late.item.title not in client.get(OUTBOX, {"unread": "red"}).content.decode()


def test_the_share_shows_its_messages_to_its_own_body_and_the_office(client, city, late, now):
    happen(late)
    send_pending(NOON)
    address = reverse("supervision:assignment", args=[late.uid])
    for who, sees in ((city.officer, True), (city.liaison, True)):
        client.force_login(who)
        page = client.get(address).content.decode()
        assert ("提醒记录" in page and "body_head" in page) is sees


# Robots


def test_the_key_of_a_robot_is_never_shown_again(client, city, now):
    client.force_login(city.officer)
    typed = {
        "organization": city.bureau.pk,
        "kind": "dingtalk",
        "name": "工作群",
        "address": "abcdef0123456789",
        "secret": "SEC987654321",
    }
    assert client.post(ROBOTS, typed).status_code == 302
    robot = GroupRobot.objects.get()
    assert (robot.address, robot.secret) == (typed["address"], typed["secret"])
    wrong = client.post(ROBOTS, typed | {"name": "", "address": "zzz-not-dingtalk"})
    for page in (client.get(ROBOTS), wrong):
        text = page.content.decode()
        for secret in ("abcdef0123456789", "SEC987654321", "zzz-not-dingtalk"):
            assert secret not in text
    added = Event.objects.get(kind=EventKind.ROBOT_ADDED)
    assert "abcdef" not in json.dumps(added.data)


def test_a_key_that_cannot_be_one_is_refused_in_words(client, city, now):
    client.force_login(city.officer)
    typed = {"organization": city.bureau.pk, "kind": "wecom", "name": "工作群"}
    page = client.post(ROBOTS, typed | {"address": "https://qyapi.weixin.qq.com/x?key=1"})
    assert "密钥格式不符" in page.content.decode() and "工作群" in page.content.decode()
    assert not GroupRobot.objects.exists()
    client.post(ROBOTS, typed | {"address": "abc"})
    assert "同名" in client.post(ROBOTS, typed | {"address": "abc"}).content.decode()


def test_a_robot_is_taken_out_of_use(client, city, now):
    client.force_login(city.officer)
    client.post(
        ROBOTS,
        {"organization": city.bureau.pk, "kind": "feishu", "name": "群", "address": "abc"},
    )
    robot = GroupRobot.objects.get()
    address = reverse("notifications:robot_act", args=[robot.uid])
    for act, is_active in (("off", False), ("on", True)):
        client.post(address, {"act": act})
        robot.refresh_from_db()
        assert robot.is_active is is_active


# Own choices


def test_duty_messages_cannot_be_switched_off(city, late):
    Preference.objects.create(user=city.officer, is_digest_on=False, is_sms_on=False)
    Preference.objects.create(user=city.liaison, is_digest_on=False, is_sms_on=False)
    happen(late, EventKind.SUBMITTED)  # ordinary, to the officer
    happen(late, EventKind.REMINDED)  # duty, to the liaison
    happen(late, EventKind.ESCALATED, level=3, is_sent=True, audience=["liaison"])
    assert not Delivery.objects.filter(recipient=city.officer).exists()
    assert InboxEntry.objects.filter(user=city.officer).exists()
    assert set(
        Delivery.objects.filter(recipient=city.liaison).values_list("channel", flat=True)
    ) == {"digest", "mail"}


def test_the_digest_waits_for_the_persons_own_hour_and_red_does_not(city, late, mailoutbox):
    Preference.objects.create(user=city.office_head, digest_time=time(15))
    happen(late, EventKind.APPROVED)
    happen(late, EventKind.ESCALATION_PROPOSED, level=3, is_sent=True)
    send_pending(NOON)
    assert len(mailoutbox) == 1
    assert Delivery.objects.get(recipient=city.office_head, channel="digest").status == "pending"
    send_pending(NOON + timedelta(hours=3))
    assert len(mailoutbox) == 2


def test_the_page_keeps_choices_and_refuses_what_cannot_be(client, city, now):
    client.force_login(city.liaison)
    page = client.get(PREFERENCES).content.decode()
    assert "不能关闭" in page and "liaison@example.org" in page
    good = {"digest_time": "10:30", "mobile_phone": "13800000000"}
    assert client.post(PREFERENCES, good).status_code == 302
    kept = Preference.objects.get(user=city.liaison)
    assert (kept.is_digest_on, kept.digest_time, kept.is_sms_on) == (False, time(10, 30), False)
    city.liaison.refresh_from_db()
    assert city.liaison.mobile_phone == "13800000000"
    for wrong in ({"digest_time": "23:00"}, {"mobile_phone": "12345"}, {"digest_time": "25:00"}):
        answer = client.post(PREFERENCES, good | wrong)
        assert answer.status_code == 200
        assert next(iter(wrong.values())) in answer.content.decode()
    assert Preference.objects.get(user=city.liaison).digest_time == time(10, 30)
