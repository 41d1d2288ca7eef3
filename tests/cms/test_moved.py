"""A page that got another address is found under the old one."""

import pytest
from django.test import Client
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Site

from cms import moved
from cms.models import TextPage
from cms.moved import Moved

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[True, False], ids=["standby", "database"])
def is_kept(request):
    """With the pages kept, and asked of the database."""
    if request.param:
        request.getfixturevalue("keeping_pages")
    return request.param


@pytest.fixture
def say(django_capture_on_commit_callbacks):
    def run(old_path: str, to, **more) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            Redirect.add_redirect(old_path, to, **more)

    return run


def test_a_page_with_a_new_address_is_found_under_the_old_one(
    client, site, is_kept, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        page = TextPage.objects.get(slug="about")
        page.slug = "this-site"
        page.save_revision().publish()

    answer = client.get("/about/")

    assert (answer.status_code, answer["Location"]) == (301, "/this-site/")
    assert client.get("/elder/about/")["Location"] == "/elder/this-site/"
    assert client.get("/this-site/").status_code == 200


def test_under_a_portals_prefix_the_reader_stays_there(client, site, is_kept, say, settings):
    settings.PUBLIC_PREFIX = "/ducha"
    say("/old/list.html", "/progress/", is_permanent=False)

    answer = client.get("/ducha/contrast/old/list.html")

    assert (answer.status_code, answer["Location"]) == (302, "/ducha/contrast/progress/")


def test_what_leads_to_another_site_goes_over_the_notice(client, site, is_kept, say):
    say("/law/", "https://www.example.org/law")

    answer = client.get("/law/")

    assert answer["Location"].startswith("/leaving/?")
    assert "www.example.org" in client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize("link", ["//evil.example/", "javascript:alert(1)", "evil"])
def test_no_old_address_leads_anywhere_unasked(client, site, is_kept, say, link):
    say("/old/", link)

    answer = client.get("/old/")

    assert answer["Location"].startswith("/leaving/?")
    if not link.startswith("//"):
        assert client.get(answer["Location"]).status_code == 404


def test_what_is_not_public_is_not_named(client, site, is_kept, say):
    page = TextPage.objects.get(slug="about")
    say("/old/", page)
    assert client.get("/old/")["Location"] == "/about/"

    page.unpublish()
    Redirect.objects.all().delete()
    say("/old/", page)

    assert client.get("/old/").status_code == 404


def test_an_address_of_this_site_stands_over_one_of_all_sites(site, say):
    say("/old/", "/search/")
    say("/old/", "/progress/", site=Site.objects.get(is_default_site=True), is_permanent=False)

    assert moved.find("/old/") == Moved("/progress/", is_permanent=False)
    assert moved.find("/old\0/") is None


def test_the_page_that_stands_there_again_is_shown(client, site, is_kept, say):
    say("/about/", TextPage.objects.get(slug="about"))

    assert client.get("/about/").status_code == 200
    assert moved.moved(Site.objects.get(is_default_site=True)) == {}


def test_the_desk_is_not_entered_by_an_old_address(site, say):
    say("/desk/items/x/", "/progress/")

    assert Client().get("/desk/items/x/").status_code != 301
