"""Group robots and text messages against a real receiver; mail hosts that hang or drop."""

import contextlib
import logging
import socket
import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from notifications import channels
from notifications.channels import sms, webhook
from notifications.models import Delivery, GroupRobot, Preference
from notifications.sending import send_pending
from supervision.models import EventKind, User
from supervision.services.acts import record_event
from tests.factories import NOON, TODAY, AssignmentFactory
from tests.notifications.receiver import closed_port, listening

KEY = "0123456789abcdef0123456789abcdef"
OK = {
    "wecom": {"errcode": 0, "errmsg": "ok"},
    "dingtalk": {"errcode": 0, "errmsg": "ok"},
    "feishu": {"StatusCode": 0, "StatusMessage": "success", "code": 0, "msg": "success"},
}


@pytest.fixture
def late(city):
    return AssignmentFactory(organization=city.bureau, due_date=TODAY - timedelta(days=1))


@pytest.fixture
def receiver(settings, monkeypatch):
    monkeypatch.setattr(webhook, "ANSWER_SECONDS", 0.4)
    monkeypatch.setattr(sms, "ANSWER_SECONDS", 0.4)
    with listening() as found:
        settings.WEBHOOK_HOSTS = dict.fromkeys(OK, found.address)
        yield found


def robot(city, kind="wecom", *, body=None, **fields) -> GroupRobot:
    return GroupRobot.objects.create(
        organization=body or city.bureau,
        kind=kind,
        name=fields.pop("name", f"工作群{kind}"),
        address=KEY,
        created_by=city.officer,
        created_at=NOON,
        **fields,
    )


def happen(kind, row, **data):
    return record_event(kind, assignment=row, by=None, at=NOON, data={"episode": 1, **data})


def to_group() -> Delivery:
    return Delivery.objects.get(channel="webhook")


# Group robots


@pytest.mark.parametrize(
    ("kind", "path", "where"),
    [
        ("wecom", f"/cgi-bin/webhook/send?key={KEY}", ("text", "content")),
        ("dingtalk", f"/robot/send?access_token={KEY}", ("text", "content")),
        ("feishu", f"/open-apis/bot/v2/hook/{KEY}/", ("content", "text")),
    ],
)
def test_each_product_gets_its_own_payload_and_no_person_is_named(
    city, late, receiver, kind, path, where
):
    robot(city, kind)
    receiver.body = OK[kind]
    User.objects.update(display_name="王五", mobile_phone="13800000000")
    happen(EventKind.BECAME_OVERDUE, late)
    result = send_pending(NOON)
    assert to_group().status == "sent"
    assert result["sent"] == 3
    (request,) = receiver.requests
    assert request["path"] == path
    assert request["json"].get("msgtype", request["json"].get("msg_type")) == "text"
    text = request["json"][where[0]][where[1]]
    assert "市工信局" in text and late.item.title in text
    assert f"/desk/assignments/{late.uid}/" in text
    assert "王五" not in text and "13800000000" not in text and "@" not in text


def test_a_signed_robot_signs(city, late, receiver):
    robot(city, "dingtalk", secret="SEC0123456789")
    happen(EventKind.BECAME_OVERDUE, late)
    send_pending(NOON)
    assert "sign=" in receiver.requests[0]["path"] and "timestamp=" in receiver.requests[0]["path"]
    assert "SEC0123456789" not in receiver.requests[0]["path"]


@pytest.mark.parametrize(
    ("mood", "status", "body", "state", "error"),
    [
        ("answer", 500, {}, "failed", "http: 500"),
        ("answer", 429, {}, "failed", "busy: 429"),
        ("answer", 404, {}, "dead", "http: 404"),
        ("answer", 504, {}, "unknown", "no_answer: 504"),
        ("answer", 302, {}, "dead", "http: 302"),
        ("answer", 200, {"errcode": 93000}, "dead", "robot: 93000"),
        ("answer", 200, {"errcode": 45009}, "failed", "busy: 45009"),
        ("answer", 200, b"<html>login</html>", "unknown", "answer: 200"),
        ("answer", 200, [], "unknown", "answer: 200"),
        ("hang", 200, {}, "unknown", "no_answer: ReadTimeout"),
        ("drop", 200, {}, "unknown", "no_answer: ConnectionError"),
    ],
)
def test_the_state_says_what_is_known(city, late, receiver, mood, status, body, state, error):
    robot(city)
    receiver.mood, receiver.status, receiver.body = mood, status, body
    happen(EventKind.BECAME_OVERDUE, late)
    send_pending(NOON)
    row = to_group()
    assert (row.status, row.error, row.attempts) == (state, error, 1)
    assert bool(row.next_attempt_at) is (state == "failed")
    # What was refused is tried again, what may have arrived never is.
    receiver.mood, receiver.status, receiver.body = "answer", 200, OK["wecom"]
    send_pending(NOON + timedelta(minutes=2))
    assert to_group().status == ("sent" if state == "failed" else state)
    assert len(receiver.requests) == (2 if state == "failed" else 1)


def test_a_closed_door_is_a_failure_and_mail_still_leaves(city, late, settings):
    robot(city)
    settings.WEBHOOK_HOSTS = {"wecom": f"http://127.0.0.1:{closed_port()}"}
    happen(EventKind.BECAME_OVERDUE, late)
    send_pending(NOON)
    assert (to_group().status, to_group().error) == ("failed", "host_down: ConnectionError")
    assert len(mail.outbox) == 2


def test_no_key_and_no_secret_appears_in_a_log_or_on_the_row(city, late, settings, caplog):
    robot(city, "dingtalk", secret="SEC0123456789")
    settings.WEBHOOK_HOSTS = {"dingtalk": f"http://127.0.0.1:{closed_port()}"}
    happen(EventKind.BECAME_OVERDUE, late)
    with caplog.at_level(logging.DEBUG):
        send_pending(NOON)
    assert "not sent" in caplog.text
    assert KEY not in caplog.text and "SEC0123456789" not in caplog.text
    assert KEY not in to_group().error


def test_a_key_of_the_wrong_form_is_given_up_at_once_and_not_logged(city, late, receiver, caplog):
    found = robot(city)
    GroupRobot.objects.filter(pk=found.pk).update(address="not a key!")
    happen(EventKind.BECAME_OVERDUE, late)
    with caplog.at_level(logging.DEBUG):
        send_pending(NOON)
    assert (to_group().status, to_group().error) == ("dead", "misconfigured")
    assert "not a key!" not in caplog.text
    assert receiver.requests == []


def test_a_group_hears_of_ordinary_matters_once_a_day_and_of_red_at_once(city, late, receiver):
    robot(city)
    happen(EventKind.BECAME_OVERDUE, late)
    happen(EventKind.REMINDED, late)
    send_pending(NOON)
    happen(EventKind.REMINDED, late)
    send_pending(NOON + timedelta(hours=1))
    assert len(receiver.requests) == 1
    happen(EventKind.ESCALATION_DECIDED, late, level=3, is_issued=True)
    send_pending(NOON + timedelta(hours=2))
    assert len(receiver.requests) == 2
    happen(EventKind.REMINDED, late)
    send_pending(NOON + timedelta(days=1))
    assert len(receiver.requests) == 3


def test_the_group_of_another_body_and_a_robot_out_of_use_hear_nothing(city, late, receiver):
    robot(city, body=city.county)
    gone = robot(city)
    happen(EventKind.BECAME_OVERDUE, late)
    assert to_group().robot == gone
    gone.is_active = False
    gone.save()
    send_pending(NOON)
    assert (to_group().status, to_group().error) == ("expired", "robot_off")
    assert receiver.requests == []


def test_a_long_list_fits_the_smallest_product(city, receiver):
    robot(city)
    for _ in range(40):
        row = AssignmentFactory(organization=city.bureau, due_date=TODAY - timedelta(days=1))
        happen(EventKind.BECAME_OVERDUE, row)
    send_pending(NOON)
    (request,) = receiver.requests
    text = request["json"]["text"]["content"]
    assert 1000 < len(text.encode()) <= 2048
    assert "40" in text


def test_the_database_allows_one_person_or_one_group_and_each_once(city, late):
    event = happen(EventKind.REMINDED, late)
    found = robot(city)
    row = {"event": event, "created_at": NOON, "duty": "liaison"}
    wrong = [
        {"channel": "mail"},
        {"channel": "webhook", "robot": found, "recipient": city.liaison},
        {"channel": "mail", "robot": found},
        {"channel": "digest", "recipient": city.liaison},
    ]
    for fields in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            Delivery.objects.create(**row, **fields)
    Delivery.objects.create(**row, channel="webhook", robot=found)
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.create(**row, channel="webhook", robot=found)


# Text messages


@pytest.fixture
def gateway(settings, receiver, city):
    settings.SMS_GATEWAY_URL = f"{receiver.address}/sms"
    settings.SMS_GATEWAY_TOKEN = "token-of-the-gateway"
    User.objects.filter(pk=city.office_head.pk).update(mobile_phone="13800000000")
    return receiver


def sms_row() -> Delivery:
    return Delivery.objects.get(channel="sms")


def test_red_also_goes_as_a_text_message_and_nothing_else_does(city, late, gateway):
    User.objects.filter(pk=city.liaison.pk).update(mobile_phone="13900000000")
    happen(EventKind.REMINDED, late)
    happen(EventKind.ESCALATION_PROPOSED, late, level=3, is_sent=True)
    send_pending(NOON)
    assert (sms_row().recipient, sms_row().status) == (city.office_head, "sent")
    (request,) = gateway.requests
    assert request["headers"]["Authorization"] == "Bearer token-of-the-gateway"
    assert request["json"]["phone"] == "13800000000"
    assert late.item.title in request["json"]["content"]
    assert request["json"]["id"].startswith(f"delivery-{sms_row().pk}@")


@pytest.mark.parametrize(
    ("mood", "status", "state"),
    [
        ("answer", 200, "sent"),
        ("answer", 202, "sent"),
        ("answer", 503, "failed"),
        ("answer", 429, "failed"),
        ("answer", 400, "dead"),
        ("hang", 200, "unknown"),
        ("drop", 200, "unknown"),
    ],
)
def test_a_text_message_has_an_honest_state(city, late, gateway, mood, status, state):
    gateway.mood, gateway.status = mood, status
    happen(EventKind.ESCALATION_PROPOSED, late, level=3, is_sent=True)
    send_pending(NOON)
    assert sms_row().status == state
    assert Delivery.objects.get(channel="mail").status == "sent"


def test_without_a_gateway_or_against_the_persons_choice_no_text_message_waits(
    city, late, gateway, settings
):
    Preference.objects.create(user=city.office_head, is_sms_on=False)
    happen(EventKind.ESCALATION_PROPOSED, late, level=3, is_sent=True)
    Preference.objects.all().delete()
    settings.SMS_GATEWAY_URL = ""
    happen(EventKind.ESCALATION_PROPOSED, late, level=4, is_sent=True)
    assert not Delivery.objects.filter(channel="sms").exists()


def test_text_messages_have_a_cap_of_their_own(city, late, gateway, settings):
    settings.SMS_DAILY_CAP = 1
    for level in (3, 4):
        happen(EventKind.ESCALATION_PROPOSED, late, level=level, is_sent=True)
    send_pending(NOON)
    assert len(gateway.requests) == 1
    assert len(mail.outbox) == 1  # the two red matters go in one mail
    send_pending(NOON + timedelta(days=1))
    assert len(gateway.requests) == 2


# Mail hosts


class Script(threading.Thread):
    """A mail host that speaks line by line and falls silent or drops where it is told."""

    def __init__(self, *, ends_at: str, answer: bytes = b""):
        super().__init__(daemon=True)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.ends_at, self.answer = ends_at, answer
        self.has_content = False

    def run(self):
        with contextlib.suppress(OSError):
            self._talk()

    def _talk(self):
        while True:
            connection, _address = self.server.accept()
            with connection, connection.makefile("rb") as lines:
                connection.sendall(b"220 here\r\n")
                for line in lines:
                    verb = line[:4].upper().decode("ascii", "replace").strip()
                    if verb == self.ends_at:
                        connection.sendall(self.answer)
                        break
                    if verb == "DATA":
                        connection.sendall(b"354 go on\r\n")
                        while lines.readline() not in (b".\r\n", b""):
                            pass
                        self.has_content = True
                        if self.ends_at == "content":
                            connection.sendall(self.answer)
                            break
                    connection.sendall(b"250 ok\r\n")

    def close(self):
        self.server.close()


@pytest.mark.parametrize(
    ("ends_at", "answer", "states"),
    [
        ("content", b"", {"unknown": 2}),
        ("DATA", b"", {"failed": 1, "pending": 1}),
        ("RCPT", b"", {"failed": 1, "pending": 1}),
        ("RCPT", b"550 no such user\r\n", {"dead": 2}),
        ("RCPT", b"451 later\r\n", {"failed": 2}),
        ("content", b"552 too large\r\n", {"dead": 2}),
        ("content", b"452 disk full\r\n", {"failed": 2}),
        ("MAIL", b"550 who are you\r\n", {"failed": 1, "pending": 1}),
    ],
)
def test_a_mail_host_that_drops_refuses_or_accepts_and_drops(
    city, late, settings, ends_at, answer, states
):
    host = Script(ends_at=ends_at, answer=answer)
    host.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", host.port
    settings.EMAIL_TIMEOUT = 2
    happen(EventKind.REMINDED, late)
    send_pending(NOON)
    found = list(Delivery.objects.values_list("status", flat=True))
    assert {state: found.count(state) for state in set(found)} == states
    assert host.has_content is (ends_at == "content")
    host.close()


def test_a_mail_host_that_hangs_before_the_content_is_a_failure(city, late, settings):
    silent = socket.create_server(("127.0.0.1", 0))
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = silent.getsockname()
    settings.EMAIL_TIMEOUT = 0.4
    happen(EventKind.REMINDED, late)
    send_pending(NOON)
    assert set(Delivery.objects.values_list("status", flat=True)) == {"failed", "pending"}
    silent.close()


def test_every_channel_has_a_way_out():
    assert set(Delivery.Channel.values) == set(channels.CHANNELS)
    for name in channels.CHANNELS:
        assert callable(channels.channel(name).send)
