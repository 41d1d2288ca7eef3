"""Who may open which page of the office: every role against every address."""

import pytest
import time_machine
from django.urls import reverse

from supervision.models import Role
from tests.factories import NOON, UserFactory
from tests.supervision.views.office_world import dispatched_item

pytestmark = pytest.mark.django_db
EVERYBODY = (
    "officer",
    "office_head",
    "leader",
    "principal",
    "body_head",
    "other_liaison",
    "publisher",
    "auditor",
    "administrator",
    "stranger",
)
OFFICE = {"officer", "office_head"}
MAY_OPEN = {
    "items": set(EVERYBODY),
    "documents": set(EVERYBODY),
    "matrix": OFFICE | {"leader", "principal"},
    "reviews": OFFICE | {"leader", "principal"},
    "releases": OFFICE | {"publisher"},
    "audit": OFFICE | {"auditor"},
    "item_new": {"officer"},
}


@pytest.fixture
def now():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.mark.parametrize("name", MAY_OPEN)
def test_each_page_opens_for_its_duties_only(client, city, now, name):
    for person in EVERYBODY:
        client.force_login(getattr(city, person))
        answer = client.get(reverse(f"supervision:{name}"))
        assert answer.status_code == (200 if person in MAY_OPEN[name] else 403), person


@pytest.mark.parametrize("name", ["home", *MAY_OPEN])
def test_a_visitor_is_asked_to_sign_in(client, city, name):
    answer = client.get(reverse(f"supervision:{name}"))

    assert answer.status_code == 302
    assert reverse("supervision:sign_in") in answer.url


@pytest.mark.parametrize(
    "person, expected",
    [
        ("officer", "督查总览"),
        ("office_head", "督查总览"),
        ("leader", "您分管的督查事项"),
        ("principal", "全部督查事项"),
        ("publisher", "公开稿"),
        ("reviewer", "公开稿"),
        ("auditor", "操作记录"),
        ("stranger", "此账号尚未分配职责"),
        ("administrator", "规则设置"),
    ],
)
def test_home_is_the_page_of_the_duty(client, city, now, person, expected):
    client.force_login(getattr(city, person))

    assert expected in client.get(reverse("supervision:home"), follow=True).content.decode()


def test_home_of_a_body_is_the_bodies_desk(client, city, now):
    client.force_login(city.liaison)

    answer = client.get(reverse("supervision:home"))

    assert answer.status_code == 200
    assert "desk/body/home.html" in [template.name for template in answer.templates]


def test_an_item_is_there_only_for_those_it_concerns(client, city, now):
    item = dispatched_item(city).item
    may = OFFICE | {"leader", "principal", "body_head", "other_liaison", "county_head"}
    everybody = (*EVERYBODY, "county_head", "other_leader", "reviewer")
    for person in everybody:
        client.force_login(getattr(city, person))
        answer = client.get(reverse("supervision:item", args=[item.uid]))
        assert answer.status_code == (200 if person in may else 404), person


def test_a_body_without_a_share_does_not_find_the_item(client, city, now):
    world = dispatched_item(city)
    outsider = UserFactory(roles=[Role.BODY_HEAD], organization=city.other_county)
    client.force_login(outsider)

    assert client.get(reverse("supervision:item", args=[world.item.uid])).status_code == 404
    assert world.item.title not in client.get(reverse("supervision:items")).content.decode()


@pytest.mark.parametrize("name", ["item_edit", "item"])
def test_a_body_may_not_change_an_item(client, city, now, name):
    item = dispatched_item(city).item
    client.force_login(city.body_head)
    answer = client.get(reverse("supervision:item_edit", args=[item.uid]))

    assert answer.status_code == 403


@pytest.mark.parametrize("name", ["item_act", "review_act", "release_act", "document_act"])
def test_acts_are_never_done_by_get(client, city, now, name):
    item = dispatched_item(city).item
    client.force_login(city.office_head)
    args = ["reports", item.uid, "approve"] if name == "review_act" else [item.uid, "complete"]

    assert client.get(reverse(f"supervision:{name}", args=args)).status_code == 405


def test_the_navigation_names_what_the_duty_has_and_where_one_is(client, city, now):
    client.force_login(city.officer)
    links = client.get(reverse("supervision:items")).context["desk_nav"]

    assert [link.label for link in links if link.is_current] == ["事项"]
    assert [str(link.label) for link in links] == [
        "首页",
        "待审办理",
        "事项",
        "矩阵",
        "文书",
        "表册",
        "政策文件",
        "公开稿",
        "操作记录",
        "规则设置",
    ]


def test_the_sign_in_page_asks_nothing_for_the_navigation(client, db, django_assert_num_queries):
    client.get(reverse("supervision:sign_in"))
    with django_assert_num_queries(0):
        client.get(reverse("supervision:sign_in"))
