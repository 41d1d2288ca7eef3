"""Following by mail: off until asked for, confirmed twice, one mail an edition, left at a click."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.mail.backends.locmem import EmailBackend
from django.urls import reverse

from cms.models import SiteFrame
from notifications.channels.base import OutcomeUnknown, PermanentFailure, TemporaryFailure
from notifications.followers import write_to_followers
from notifications.sending import breaker_limit
from notifications.texts import REASONS
from supervision.models import (
    Event,
    EventKind,
    FollowedTopic,
    Follower,
    FollowerMail,
    Milestone,
    Release,
)
from supervision.public_site import public_site
from supervision.services import followers as services
from tasks.health import operations_summary
from tests.cms.world import item_of
from tests.factories import NOON, TODAY

pytestmark = pytest.mark.django_db
EMAIL = "reader@example.org"
OWN = {"origin": "http://testserver"}


@pytest.fixture(autouse=True)
def on(settings, tmp_path):
    settings.FOLLOW_BY_MAIL = True
    settings.SEND_MAIL = True
    settings.SITE_ID_FILE = tmp_path / "site-id.json"


@pytest.fixture
def public(world, publish):
    publish(world.document, NOON - timedelta(days=1))
    return world


def token_on(client, **query) -> str:
    page = client.get(reverse("cms:follow"), query)
    assert page.status_code == 200
    assert page["Cache-Control"] == "no-store"
    return re.search(r'name="token" value="([^"]+)"', page.content.decode())[1]


def ask(client, topic: str = "all", email: str = EMAIL, **more):
    data = {"topic": topic, "email": email, "token": token_on(client), **more}
    return client.post(reverse("cms:follow"), data, headers=OWN)


def link_in(mail, kind: str) -> str:
    return re.search(rf"http://[^/]+(/follow/{kind}/\S+)", mail.body)[1]


def confirmed(client, mailoutbox, topic: str = "all", email: str = EMAIL) -> None:
    assert ask(client, topic, email).status_code == 302
    write_to_followers(NOON)
    answer = client.post(link_in(mailoutbox[-1], "confirm"), headers=OWN)
    assert "已确认" in answer.content.decode()
    mailoutbox.clear()


def next_edition(world, publish, at=NOON + timedelta(days=1)):
    """One item reaches a milestone, the others stay as they were."""
    Milestone.objects.filter(assignment=world.on_track.lead, title="完成选址").update(
        status="completed", actual_date=TODAY, verified_date=TODAY
    )
    return publish(world.document, at)


def test_while_it_is_off_there_is_no_address_and_no_link(client, public, settings, mailoutbox):
    settings.FOLLOW_BY_MAIL = False
    for address in (
        reverse("cms:follow"),
        reverse("cms:follow_sent"),
        reverse("cms:follow_confirm", args=["x"]),
    ):
        assert client.get(address).status_code == 404
        assert client.post(address, headers=OWN).status_code in (404, 405)
    slug = public.on_track.item.public_item.slug
    for address in ("/", "/changes/", "/site-map/", f"/progress/{slug}/"):
        assert "/follow/" not in client.get(address).content.decode()
    services.ask_to_follow(email=EMAIL, kind="all", key="", at=NOON)
    write_to_followers(NOON)
    assert mailoutbox == []


def test_the_pages_offer_it_and_set_no_cookie(client, public):
    slug = public.on_track.item.public_item.slug
    assert f"/follow/?topic=item.{slug}" in client.get(f"/progress/{slug}/").content.decode()
    assert "/follow/?topic=all" in client.get("/changes/").content.decode()
    page = client.get(f"/follow/?topic=item.{slug}")
    assert f'value="item.{slug}" selected' in page.content.decode()
    assert page.headers["Cache-Control"] == "no-store"
    assert ask(client).status_code == 302
    assert client.cookies == {}
    assert client.get("/follow/?topic=item.0000000000").status_code == 404
    assert client.get("/follow/?other=1").status_code == 404


def test_the_form_is_dressed_and_never_kept(client, public, settings, tmp_path):
    settings.PUBLIC_PAGES_DIR = str(tmp_path / "kept")
    settings.PUBLIC_KEPT_HOSTS = ["testserver"]
    first, second = (client.get("/elder/follow/").content.decode() for _time in range(2))
    assert 'action="/elder/follow/"' in first and "elder.css" in first
    tokens = [re.search(r'name="token" value="([^"]+)"', page)[1] for page in (first, second)]
    assert all(services.signing.loads(token, salt="cms.follow.form") for token in tokens)
    client.get("/")
    kept = [file.name for file in (tmp_path / "kept").rglob("*") if file.is_file()]
    assert kept and not [name for name in kept if "follow" in name]
    wrong = client.post("/elder/follow/", {"token": tokens[0], "email": "x"}, headers=OWN)
    assert wrong.status_code == 400 and "elder.css" in wrong.content.decode()
    right = client.post(
        "/elder/follow/", {"token": tokens[0], "email": EMAIL, "topic": "all"}, headers=OWN
    )
    assert right.url == "/elder/follow/sent/"


def test_nothing_is_sent_before_the_owner_confirms(client, public, publish, mailoutbox):
    assert ask(client).url == reverse("cms:follow_sent")
    write_to_followers(NOON)
    assert [mail.to for mail in mailoutbox] == [[EMAIL]]
    mail = mailoutbox.pop()
    confirm = link_in(mail, "confirm")
    # Scanners open the links of a mail: that confirms nothing and leaves nothing.
    assert client.get(confirm).status_code == client.get(link_in(mail, "leave")).status_code == 200
    assert FollowedTopic.objects.get().confirmed_at is None
    next_edition(public, publish)
    write_to_followers(NOON + timedelta(days=1, minutes=5))
    assert mailoutbox == []

    client.post(confirm, headers=OWN)

    assert FollowedTopic.objects.get().confirmed_at == NOON


def test_one_mail_an_edition_names_what_changed_and_how_to_leave(
    client, public, publish, mailoutbox
):
    slug = public.on_track.item.public_item.slug
    confirmed(client, mailoutbox)
    confirmed(client, mailoutbox, f"item.{slug}")
    next_edition(public, publish)

    for minutes in (5, 6, 30):
        write_to_followers(NOON + timedelta(days=1, minutes=minutes))

    assert len(mailoutbox) == 1
    mail = mailoutbox[0]
    assert public.on_track.item.title in mail.body and f"/progress/{slug}/" in mail.body
    assert public.overdue.item.title not in mail.body
    headers = mail.extra_headers
    leave = link_in(mail, "leave")
    assert headers["List-Unsubscribe"].endswith(f"{leave}>")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    # The mail program itself, without our page, our origin or a cookie.
    answer = type(client)(enforce_csrf_checks=True).post(leave, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert not Follower.objects.exists() and not FollowerMail.objects.exists()
    assert not FollowedTopic.objects.exists()
    assert client.post(leave).status_code == 200


@pytest.mark.parametrize(
    ("topic", "is_told"),
    [
        ("theme", True),
        ("lead", True),
        ("county", True),
        ("item.own", True),
        ("item.other", False),
        ("theme.other", False),
    ],
)
def test_a_topic_hears_of_its_own_items_only(client, public, publish, mailoutbox, topic, is_told):
    data = public.on_track.item.public_item.data
    values = {
        "theme": lambda: ("theme", data["theme"]),
        "lead": lambda: ("lead", data["lead"]),
        "county": lambda: ("county", data["counties"][0]["name"]),
        "item.own": lambda: ("item", public.on_track.item.public_item.slug),
        "item.other": lambda: ("item", public.overdue.item.public_item.slug),
        "theme.other": lambda: ("theme", "企业培育"),
    }
    from cms.follow import follow_query

    confirmed(client, mailoutbox, follow_query(*values[topic]()))
    next_edition(public, publish)

    write_to_followers(NOON + timedelta(days=1, minutes=5))

    assert len(mailoutbox) == int(is_told)


def test_what_is_withdrawn_before_the_mail_leaves_is_not_in_it(
    client, public, publish, withdraw, mailoutbox
):
    confirmed(client, mailoutbox)
    later = NOON + timedelta(days=1)
    next_edition(public, publish, later)
    services.queue_editions(at=later + timedelta(minutes=2))
    assert FollowerMail.objects.filter(release__isnull=False).count() == 1
    public.on_track.item.public_item.refresh_from_db()

    withdraw(public_item=public.on_track.item.public_item, at=later + timedelta(minutes=3))
    write_to_followers(later + timedelta(minutes=5))

    assert mailoutbox == []
    assert not FollowerMail.objects.filter(release__isnull=False).exists()


def test_what_nobody_confirms_is_deleted_after_a_week(client, public, mailoutbox):
    ask(client)
    write_to_followers(NOON)
    write_to_followers(NOON + timedelta(days=6))
    assert Follower.objects.count() == 1

    write_to_followers(NOON + timedelta(days=7))

    assert not Follower.objects.exists() and not FollowerMail.objects.exists()
    assert client.post(link_in(mailoutbox[0], "confirm"), headers=OWN).status_code == 404


@pytest.mark.parametrize("said", [None, "http://elsewhere.example.org", "null"])
def test_a_form_of_another_site_is_refused(client, public, said):
    data = {"topic": "all", "email": EMAIL, "token": token_on(client)}

    answer = client.post(reverse("cms:follow"), data, headers={"origin": said} if said else {})

    assert answer.status_code == 403
    assert not Follower.objects.exists()


@pytest.mark.parametrize("token", ["", "follow", "x:y:z"])
def test_a_form_without_our_token_is_asked_for_again_with_what_was_typed(client, public, token):
    data = {"topic": "all", "email": EMAIL, "token": token}

    answer = client.post(reverse("cms:follow"), data, headers=OWN)

    assert answer.status_code == 400
    assert EMAIL in answer.content.decode() and "请重新提交" in answer.content.decode()
    assert not Follower.objects.exists()


def test_an_old_form_is_too_old(client, public, monkeypatch):
    token = token_on(client)
    monkeypatch.setattr("cms.follow.FORM_SECONDS", -1)
    data = {"topic": "all", "email": EMAIL, "token": token}

    assert client.post(reverse("cms:follow"), data, headers=OWN).status_code == 400
    assert not Follower.objects.exists()


def test_a_robot_that_fills_the_trap_is_thanked_and_forgotten(client, public):
    assert ask(client, name="Robot").status_code == 302
    assert not Follower.objects.exists()


def test_one_address_and_one_network_are_asked_only_so_often(client, public, mailoutbox):
    from django.core.cache import cache

    cache.clear()
    slugs = [item.public_item.slug for item in (public.on_track.item, public.overdue.item)]
    topics = ["all", *(f"item.{slug}" for slug in slugs)]
    for number in range(9):
        ask(client, topics[number % 3])
        write_to_followers(NOON)
    assert len(mailoutbox) == services.ASKED_A_DAY
    assert ask(client, email="another@example.org").status_code == 302
    refused = ask(client, email="third@example.org")
    assert refused.status_code == 429
    assert "third@example.org" in refused.content.decode()
    assert not Follower.objects.filter(email="third@example.org").exists()
    cache.clear()


def test_nobody_learns_who_follows(client, public, mailoutbox):
    confirmed(client, mailoutbox)
    known, new = ask(client), ask(client, email="new@example.org")
    assert (known.status_code, known.url) == (new.status_code, new.url)
    write_to_followers(NOON)
    assert [mail.to for mail in mailoutbox] == [["new@example.org"]]


def test_a_failing_host_is_tried_again_and_a_muted_one_sends_nothing(
    client, public, mailoutbox, monkeypatch, settings
):
    ask(client)
    settings.SEND_MAIL = False
    write_to_followers(NOON)
    assert FollowerMail.objects.get().status == "pending" and mailoutbox == []
    settings.SEND_MAIL = True

    def down(self):
        raise ConnectionRefusedError

    with monkeypatch.context() as broken:
        broken.setattr(EmailBackend, "open", down)
        write_to_followers(NOON)
    row = FollowerMail.objects.get()
    assert (row.status, row.attempts, row.error) == ("pending", 1, "host_down")
    write_to_followers(NOON + timedelta(seconds=30))
    assert mailoutbox == []
    write_to_followers(NOON + timedelta(minutes=2))
    assert len(mailoutbox) == 1
    assert FollowerMail.objects.get().status == "sent"


def test_an_edition_waits_for_office_hours_and_a_confirmation_does_not(
    client, public, publish, mailoutbox
):
    confirmed(client, mailoutbox)
    next_edition(public, publish)
    ask(client, email="night@example.org")
    night = NOON + timedelta(days=1, hours=10)

    write_to_followers(night)
    assert [mail.to for mail in mailoutbox] == [["night@example.org"]]
    write_to_followers(night + timedelta(hours=14))
    assert len(mailoutbox) == 2


def test_a_link_to_leave_works_while_following_is_off(client, public, settings, mailoutbox):
    ask(client)
    write_to_followers(NOON)
    settings.FOLLOW_BY_MAIL = False

    assert client.post(link_in(mailoutbox[0], "leave")).status_code == 200
    assert not Follower.objects.exists()
    assert client.get(reverse("cms:follow_leave", args=["forged"])).status_code == 404


def test_an_item_of_another_edition_is_not_told_as_changed(client, city, public, mailoutbox):
    item_of(city, public.document, "未公开的一项")

    assert services.queue_editions(at=NOON) == 0


# The name on the mails, the record for the office, the breaker


def test_a_mail_names_the_site_as_its_pages_do(client, public, publish, mailoutbox):
    frame = SiteFrame.objects.get()
    frame.site_name = "云溪市重点工作公开"
    frame.save()
    ask(client)
    write_to_followers(NOON)
    assert "云溪市重点工作公开" in mailoutbox[0].subject
    assert "云溪市重点工作公开" in mailoutbox[0].body
    assert "云溪市重点工作公开" in client.get("/").content.decode()
    client.post(link_in(mailoutbox.pop(), "confirm"), headers=OWN)
    next_edition(public, publish)

    write_to_followers(NOON + timedelta(days=1, minutes=5))

    assert mailoutbox[0].subject.startswith("云溪市重点工作公开")
    frame.site_name = ""
    frame.save()
    assert public_site().name() == settings.SITE_FRAME["site_name"]


def follow_at_once(*emails: str) -> None:
    for email in emails:
        services.ask_to_follow(email=email, kind="all", key="", at=NOON - timedelta(hours=2))
    FollowedTopic.objects.update(confirmed_at=NOON - timedelta(hours=1))
    FollowerMail.objects.all().delete()


def refuse(codes: dict[str, int]):
    """A mail host that answers some addresses with an error, `codes` by address."""

    def send(mail) -> None:
        code = codes.get(mail.to[0])
        if code == 550:
            raise PermanentFailure("refused", f"550 {mail.to[0]}")
        if code == 250:
            raise OutcomeUnknown("no_answer", "silence")
        if code == 451:
            raise TemporaryFailure("refused", f"451 {mail.to[0]}")

    return send


def test_the_office_sees_how_many_left_and_no_address(client, city, public, publish, monkeypatch):
    emails = [f"reader-{number}@example.org" for number in range(6)]
    follow_at_once(*emails)
    row = next_edition(public, publish)
    codes = {emails[0]: 550, emails[1]: 250, emails[2]: 451}
    monkeypatch.setattr("notifications.followers.hand_over", refuse(codes))
    write_to_followers(NOON + timedelta(days=1, minutes=5))

    record = services.mail_record(row)
    assert (record.sent, record.dead, record.unknown) == (3, 1, 1)
    assert (record.waiting, record.again, record.held, record.total) == (1, 1, 0, 6)

    office, publisher = type(client)(), type(client)()
    office.force_login(city.officer)
    publisher.force_login(city.publisher)
    sent = office.get(reverse("notifications:outbox")).content.decode()
    edition = publisher.get(reverse("supervision:release", args=[row.uid])).content.decode()
    assert "公开网站订阅邮件" in sent and "待发的邮件中有1封曾发送失败" in sent
    assert str(REASONS["refused"]) in sent
    assert "已发3封" in edition and "放弃1封" in edition and "不确定是否送达1封" in edition
    for page in (sent, edition):
        assert "@example.org" not in page and "reader-" not in page

    # Who leaves takes his address with him; the number stays.
    Follower.objects.filter(email=emails[5]).delete()
    Follower.objects.filter(email=emails[0]).delete()
    record = services.mail_record(row)
    assert (record.sent, record.dead) == (3, 1)
    services.purge_followers(at=NOON + timedelta(days=60))
    assert not FollowerMail.objects.exists()
    assert services.mail_record(row).sent == 3


def test_requests_to_confirm_are_counted_by_themselves(client, city, public, mailoutbox):
    ask(client)
    ask(client, email="second@example.org")
    write_to_followers(NOON)

    (record,) = services.mail_records()

    assert (record.release, record.sent, record.total) == (None, 2, 2)
    client.force_login(city.officer)
    assert "请求确认订阅的邮件" in client.get(reverse("notifications:outbox")).content.decode()


def test_a_worker_that_stopped_while_sending_is_counted_once(public, publish):
    follow_at_once(EMAIL)
    row = next_edition(public, publish)
    later = NOON + timedelta(days=1, minutes=5)
    services.queue_editions(at=later)
    FollowerMail.objects.update(status="sending", claimed_at=later - timedelta(minutes=20))

    for _time in range(2):
        write_to_followers(later)

    record = services.mail_record(row)
    assert (record.unknown, record.sent, record.waiting) == (1, 0, 0)


def test_far_more_than_usual_waits_for_a_person(
    client, city, public, publish, mailoutbox, settings
):
    settings.MAIL_BREAKER_FLOOR = 3
    follow_at_once(*(f"reader-{number}@example.org" for number in range(4)))
    row = next_edition(public, publish)
    later = NOON + timedelta(days=1, minutes=5)
    ask(client, email="new@example.org")

    result = write_to_followers(later)

    # Only the request to confirm left.
    assert [mail.to for mail in mailoutbox] == [["new@example.org"]]
    assert result["held"] == 4
    assert services.mail_record(row).held == 4
    assert operations_summary(later)["held_followers"] == 4
    assert operations_summary(later)["is_well"] is False
    write_to_followers(later + timedelta(minutes=1))
    assert len(mailoutbox) == 1

    act, page = reverse("notifications:outbox_act"), reverse("notifications:outbox")
    for stranger in (city.publisher, city.liaison, city.leader):
        other = type(client)()
        other.force_login(stranger)
        assert other.post(act, {"act": "release_followers"}).status_code == 403
    client.force_login(city.officer)
    assert "订阅邮件已暂扣" in client.get(page).content.decode()
    assert client.post(act, {"act": "release_followers"}).status_code == 302
    assert "订阅邮件已暂扣" not in client.get(page).content.decode()
    event = Event.objects.get(kind=EventKind.MESSAGES_RELEASED)
    assert (event.by, event.data) == (city.officer, {"count": 4, "to": "followers"})
    assert client.post(act, {"act": "release_followers"}, follow=True).status_code == 200
    assert Event.objects.filter(kind=EventKind.MESSAGES_RELEASED).count() == 1

    write_to_followers(later + timedelta(minutes=2))

    assert len(mailoutbox) == 5
    assert services.mail_record(row).sent == 4


def test_what_is_usual_is_what_left_on_the_last_day(public, settings):
    settings.MAIL_BREAKER_FLOOR, settings.MAIL_BREAKER_FACTOR = 1, 10
    follow_at_once(*(f"reader-{number}@example.org" for number in range(3)))
    for follower in Follower.objects.all():
        FollowerMail.objects.create(
            follower=follower,
            release=Release.objects.get(),
            created_at=NOON,
            status="sent",
            sent_at=NOON,
        )

    assert breaker_limit(NOON + timedelta(days=3), FollowerMail.objects.all()) == 30
    assert breaker_limit(NOON + timedelta(days=3)) == 1


def test_an_administrator_reads_the_numbers_and_changes_none(client, city, public, mailoutbox):
    ask(client)
    write_to_followers(NOON)
    city.administrator.is_staff = True
    city.administrator.save()
    client.force_login(city.administrator)

    page = client.get(reverse("admin:supervision_followertally_changelist"))

    assert page.status_code == 200 and EMAIL not in page.content.decode()
    assert client.get(reverse("admin:supervision_followertally_add")).status_code == 403
