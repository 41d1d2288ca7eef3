"""Sending: once, to those who should still get it, with honest states."""

import socket
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller
from django.core import mail

from notifications import channels, sending
from notifications.models import Delivery, Digest, SendStatus
from notifications.sending import next_attempt, send_pending
from supervision.models import Assignment, EventKind
from supervision.services.acts import record_event
from supervision.services.settings import working_calendar
from tests.factories import NOON, TODAY, AssignmentFactory, UserFactory

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def late(city):
    return AssignmentFactory(organization=city.bureau, due_date=TODAY - timedelta(days=1))


def happen(kind, row, **data):
    return record_event(kind, assignment=row, by=None, at=NOON, data={"episode": 1, **data})


def states() -> dict[str, str]:
    return dict(Delivery.objects.values_list("recipient__username", "status"))


def test_one_digest_a_person_a_day_however_many_events(city, late):
    for kind in (EventKind.BECAME_OVERDUE, EventKind.REMINDED, EventKind.REPORT_SENT_BACK):
        happen(kind, late)
    result = send_pending(NOON)
    assert (result["mails"], result["sent"]) == (2, 6)
    assert sorted(message.to[0] for message in mail.outbox) == [
        "body_head@example.org",
        "liaison@example.org",
    ]
    message = mail.outbox[0]
    assert (
        message.extra_headers["Message-ID"]
        == Digest.objects.get(user__email=message.to[0]).message_id
    )
    html = message.alternatives[0][0]
    assert late.item.title in message.body and late.item.title in html
    assert "/desk/" in message.body

    happen(EventKind.REMINDED, late)
    assert send_pending(NOON + timedelta(hours=1))["waiting"] == 2
    assert len(mail.outbox) == 2
    send_pending(NOON + timedelta(days=1))
    assert len(mail.outbox) == 4


def test_red_does_not_wait_for_the_next_digest(city, late):
    happen(EventKind.REMINDED, late)
    send_pending(NOON)
    mail.outbox.clear()
    happen(EventKind.ESCALATION_PROPOSED, late, level=3, is_sent=True)
    send_pending(NOON + timedelta(hours=1))
    assert [message.to for message in mail.outbox] == [["office_head@example.org"]]
    delivery = Delivery.objects.get(recipient=city.office_head)
    assert mail.outbox[0].extra_headers["Message-ID"].startswith(f"<delivery-{delivery.pk}@")


@pytest.mark.parametrize(
    ("hour", "minute", "day", "leaves"),
    [
        (8, 29, 10, False),
        (8, 30, 10, True),
        (17, 30, 10, True),
        (17, 31, 10, False),
        (12, 0, 13, False),  # a Saturday
        (12, 0, 19, False),  # Dragon Boat Festival 2026
    ],
)
def test_mail_leaves_in_the_hours_of_working_days_only(city, late, hour, minute, day, leaves):
    happen(EventKind.REMINDED, late)
    result = send_pending(datetime(2026, 6, day, hour, minute, tzinfo=SHANGHAI))
    assert result["is_in_window"] is leaves
    assert bool(mail.outbox) is leaves
    assert result["waiting"] == (0 if leaves else 2)


def test_a_muted_copy_sends_nothing_and_says_so(city, late, settings):
    settings.SEND_MAIL = False
    happen(EventKind.REMINDED, late)
    result = send_pending(NOON)
    assert (result["is_muted"], result["waiting"], mail.outbox) == (True, 2, [])
    assert set(states().values()) == {"pending"}


def expired(row_reason: str) -> set:
    return set(
        Delivery.objects.filter(status="expired", error=row_reason).values_list(
            "recipient__username", flat=True
        )
    )


def test_recipients_are_looked_at_again_at_the_last_moment(city, late):
    third = UserFactory(username="third", roles=["liaison"], organization=city.bureau)
    moved = UserFactory(username="moved", roles=["liaison"], organization=city.bureau)
    demoted = UserFactory(username="demoted", roles=["liaison"], organization=city.bureau)
    happen(EventKind.REMINDED, late)
    third.is_active = False
    third.save()
    moved.organization = city.county
    moved.save()
    demoted.groups.clear()
    send_pending(NOON)
    assert sorted(message.to[0] for message in mail.outbox) == [
        "body_head@example.org",
        "liaison@example.org",
    ]
    assert expired("inactive") == {"third"}
    assert expired("duty") == {"moved", "demoted"}


@pytest.mark.parametrize(
    "change",
    [
        {"status": "under_review"},
        {"status": "suspended"},
        {"status": "cancelled", "outcome": "cancelled"},
        {"due_date": TODAY + timedelta(days=9)},
        {"episode": 2},
    ],
)
def test_what_is_settled_meanwhile_is_not_pressed_for(city, late, change):
    happen(EventKind.BECAME_OVERDUE, late)
    Assignment.objects.filter(pk=late.pk).update(**change)
    assert send_pending(NOON)["expired"] == 2
    assert mail.outbox == []
    assert expired("settled") == {"liaison", "body_head"}


def test_an_old_message_expires_unsent(city, late):
    happen(EventKind.REMINDED, late)
    assert send_pending(NOON + timedelta(days=33))["expired"] == 2
    assert mail.outbox == []


class Host:
    """A mail host that refuses some recipients."""

    def __init__(self, refused=()):
        self.refused = set(refused)
        self.accepted = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refused:
            return "451 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.accepted += envelope.rcpt_tos
        return "250 OK"


@pytest.fixture
def host(settings):
    """A real SMTP host on this machine; `host.refused` may be filled."""
    sink = Host()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    yield sink
    controller.stop()


def test_check_6_mail_refuses_one_of_three_and_that_one_alone_is_tried_again(city, late, host):
    UserFactory(username="third", roles=["liaison"], organization=city.bureau)
    host.refused = {"liaison@example.org"}
    happen(EventKind.REMINDED, late)
    result = send_pending(NOON)
    assert (result["sent"], result["failed"]) == (2, 1)
    assert sorted(host.accepted) == ["body_head@example.org", "third@example.org"]
    assert states() == {"liaison": "failed", "body_head": "sent", "third": "sent"}
    assert send_pending(NOON + timedelta(seconds=30))["mails"] == 0

    host.refused.clear()
    send_pending(NOON + timedelta(seconds=61))
    assert sorted(host.accepted) == [
        "body_head@example.org",
        "liaison@example.org",
        "third@example.org",
    ]
    assert set(states().values()) == {"sent"}


def test_a_host_that_is_down_costs_one_attempt_and_loses_nothing(city, late, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    happen(EventKind.REMINDED, late)
    send_pending(NOON)
    assert sorted(states().values()) == ["failed", "pending"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    send_pending(NOON + timedelta(minutes=2))
    assert set(states().values()) == {"sent"}
    assert len(mail.outbox) == 2


def test_attempts_grow_apart_and_end(settings_loaded):
    calendar = working_calendar()
    friday = datetime(2026, 6, 12, 16, 0, tzinfo=SHANGHAI)
    waits = [next_attempt(n, friday, calendar) for n in range(1, 7)]
    assert [wait - friday for wait in waits[:4]] == [
        timedelta(minutes=1),
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
    ]
    assert waits[4] == datetime(2026, 6, 15, 8, 30, tzinfo=SHANGHAI)
    assert waits[5] is None


def test_what_is_refused_for_good_is_given_up_visibly(city, late, host):
    host.refused = {"liaison@example.org"}
    happen(EventKind.REMINDED, late)
    now = NOON
    for _ in range(8):
        send_pending(now)
        row = Delivery.objects.get(recipient=city.liaison)
        now = max(now, row.next_attempt_at or now) + timedelta(seconds=1)
        while not sending.in_window(now, working_calendar()):
            now += timedelta(minutes=30)
    assert (row.status, row.attempts) == ("dead", 6)
    assert "451" in row.error


def test_accepted_but_not_committed_becomes_unknown_and_is_never_sent_again(
    city, late, monkeypatch
):
    happen(EventKind.REMINDED, late)
    mail_channel = channels.channel("digest")
    real = mail_channel.send

    def dies_after(message):
        real(message)
        raise SystemExit("killed")

    with monkeypatch.context() as patch:
        patch.setattr(mail_channel, "send", dies_after)
        with pytest.raises(SystemExit):
            send_pending(NOON)
    assert len(mail.outbox) == 1
    assert sorted(states().values()) == ["pending", "sending"]
    send_pending(NOON + timedelta(minutes=9))
    assert sorted(states().values()) == ["sending", "sent"]
    assert send_pending(NOON + timedelta(minutes=11))["unknown"] == 1
    assert sorted(states().values()) == ["sent", "unknown"]
    assert len(mail.outbox) == 2


def test_only_who_changed_the_row_sends(city, late):
    happen(EventKind.REMINDED, late)
    mine = Delivery.objects.filter(recipient=city.liaison)
    assert len(sending._claim(mine, NOON)) == 1
    assert sending._claim(mine, NOON) == []


def test_far_more_than_usual_is_held_until_a_person_releases_it(city, late, settings):
    settings.MAIL_BREAKER_FLOOR = 3
    for _ in range(2):
        happen(EventKind.REMINDED, late)
    result = send_pending(NOON)
    assert (result["held"], mail.outbox) == (4, [])
    assert set(states().values()) == {"held"}
    assert send_pending(NOON + timedelta(minutes=1))["waiting"] == 0
    assert send_pending(NOON + timedelta(minutes=2), is_released=True)["mails"] == 2


def test_nobody_gets_more_mails_a_day_than_the_cap(city, late, settings):
    settings.MAIL_DAILY_CAP = 2
    for minute in (0, 1, 2):
        happen(EventKind.ESCALATION_PROPOSED, late, level=3, is_sent=True)
        send_pending(NOON + timedelta(minutes=minute))
    assert len(mail.outbox) == 2
    send_pending(NOON + timedelta(hours=1))
    assert len(mail.outbox) == 2
    send_pending(NOON + timedelta(days=1))
    assert len(mail.outbox) == 3


def test_red_messages_that_wait_together_are_one_mail(city, late):
    for level in (3, 4, 4):
        happen(EventKind.ESCALATION_PROPOSED, late, level=level, is_sent=True)
    send_pending(NOON)
    assert len(mail.outbox) == 1
    assert set(Delivery.objects.values_list("status", flat=True)) == {SendStatus.SENT}
