"""Views kept under a name: one's own, shared inside the office, never more than the page knows."""

import pytest
from django.core.exceptions import PermissionDenied

from supervision.models import SavedView
from supervision.services.acts import ActRefused
from supervision.services.saved_views import MOST_VIEWS, delete_view, rename_view, save_view
from tests.factories import NOON, UserFactory

pytestmark = pytest.mark.django_db
ADDRESS = "/desk/views/"


def kept(by, **fields) -> SavedView:
    given = {"page": "items", "query": "light=red", "name": "红灯"} | fields
    return save_view(by=by, at=NOON, **given)


def test_a_view_is_kept_from_the_page_and_found_above_it(city, client):
    client.force_login(city.officer)
    assert "存为常用视图" not in client.get("/desk/items/").content.decode()
    assert "存为常用视图" in client.get("/desk/items/?light=red&page=2").content.decode()

    answer = client.post(
        ADDRESS, {"page": "items", "query": "page=2&light=red&kind=task", "name": " 红 灯 "}
    )

    assert answer.status_code == 302
    assert answer.url == "/desk/items/?kind=task&light=red"
    page = client.get("/desk/items/?light=red&kind=task").content.decode()
    chip = '<a class="chip chip-active" href="/desk/items/?kind=task&amp;light=red"'
    assert chip in page
    assert "存为常用视图" not in page
    assert SavedView.objects.get().name == "红 灯"


def test_the_choice_of_the_ledger_is_kept_and_comes_back(city, client):
    client.force_login(city.liaison)

    answer = client.post(
        ADDRESS, {"page": "ledger", "light": "red", "document": "", "name": "我局红灯"}
    )

    assert answer.url == "/desk/ledger/?light=red"
    page = client.get(answer.url)
    assert '<option value="red" selected>' in page.content.decode()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"name": ""}, "必需字段"),
        ({"name": "红灯"}, "已有名为“红灯”的视图"),
        ({"query": "next=//example.org"}, "没有的筛选条件"),
        ({"page": "audit"}, "没有的筛选条件"),
    ],
)
def test_a_refused_view_loses_nothing_that_was_typed(city, client, typed, message):
    kept(city.officer)
    client.force_login(city.officer)
    given = {"page": "items", "query": "kind=task", "name": "任务", "is_shared": "on"} | typed

    answer = client.post(ADDRESS, given)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert message in page
    assert f'name="query" value="{given["query"]}"' in page
    assert f'name="page" value="{given["page"]}"' in page
    if given["name"]:
        assert f'value="{given["name"]}"' in page
    assert "checked" in page
    assert SavedView.objects.count() == 1


def test_only_the_office_shares_and_only_the_office_sees_it(city, client):
    mine = kept(city.officer)
    shared = kept(city.officer, name="共用", is_shared=True)
    with pytest.raises(PermissionDenied):
        kept(city.liaison, is_shared=True)
    own = kept(city.liaison, name="本局")

    def seen(user) -> set:
        return set(SavedView.objects.visible_to(user))

    assert seen(city.officer) == {mine, shared}
    assert seen(city.office_head) == {shared}
    assert seen(city.liaison) == {own}
    assert seen(city.other_liaison) == seen(city.leader) == seen(city.publisher) == set()
    client.force_login(city.office_head)
    assert "共用" in client.get("/desk/items/").content.decode()
    client.force_login(city.leader)
    assert "共用" not in client.get("/desk/items/").content.decode()


def test_a_liaison_who_types_the_share_by_hand_shares_nothing(city, client):
    client.force_login(city.liaison)

    client.post(ADDRESS, {"page": "items", "query": "q=a", "name": "甲", "is_shared": "on"})

    assert not SavedView.objects.get().is_shared


def test_a_view_is_renamed_and_deleted_by_its_owner(city, client):
    view, other = kept(city.officer), kept(city.officer, name="绿灯")
    client.force_login(city.officer)

    refused = client.post(f"{ADDRESS}{view.uid}/rename/", {"name": "绿灯", "is_shared": "on"})
    assert refused.status_code == 200
    assert "已有名为“绿灯”的视图" in refused.content.decode()

    client.post(f"{ADDRESS}{view.uid}/rename/", {"name": "超期", "is_shared": "on"})
    view.refresh_from_db()
    assert (view.name, view.is_shared) == ("超期", True)

    client.post(f"{ADDRESS}{other.uid}/delete/")
    assert list(SavedView.objects.all()) == [view]
    assert client.get(ADDRESS).content.decode().count("超期") >= 1
    assert client.post(f"{ADDRESS}{view.uid}/explode/").status_code == 404


def test_a_shared_view_is_changed_by_its_owner_and_dropped_by_the_head(city, client):
    colleague = UserFactory(roles=["officer"], organization=city.office)
    view = kept(city.officer, is_shared=True)
    for act in ("rename", "delete"):
        client.force_login(colleague)
        answer = client.post(f"{ADDRESS}{view.uid}/{act}/", {"name": "乙"})
        assert answer.status_code == 403, act
        client.force_login(city.liaison)
        answer = client.post(f"{ADDRESS}{view.uid}/{act}/", {"name": "乙"})
        assert answer.status_code == 404, act
    with pytest.raises(PermissionDenied):
        rename_view(view=view, by=city.office_head, name="乙", is_shared=True)

    delete_view(view=view, by=city.office_head)

    assert not SavedView.objects.exists()
    private = kept(city.officer)
    with pytest.raises(PermissionDenied):
        delete_view(view=private, by=city.office_head)


def test_names_are_bounded_and_so_is_their_number(city):
    with pytest.raises(ActRefused):
        kept(city.officer, name="长" * 41)
    with pytest.raises(ActRefused):
        kept(city.officer, name="  ")
    for number in range(MOST_VIEWS):
        kept(city.officer, name=str(number))
    with pytest.raises(ActRefused):
        kept(city.officer, name="再一个")
    kept(city.liaison, name="再一个")


def test_an_address_with_a_foreign_parameter_offers_nothing_to_keep(city, client):
    client.force_login(city.officer)

    page = client.get("/desk/items/?light=red&utm=1")

    assert page.status_code == 200
    assert "存为常用视图" not in page.content.decode()
