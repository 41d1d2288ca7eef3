"""The guides: one page for each duty, reachable from every page of the desk, on one sheet."""

from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.urls import reverse
from PIL import Image

from supervision.views.guides import read_guides

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("who", "duty"),
    [
        ("officer", "officer"),
        ("office_head", "officer"),
        ("liaison", "liaison"),
        ("county_head", "liaison"),
        ("leader", "leader"),
        ("principal", "leader"),
    ],
)
def test_everybody_lands_on_the_own_guide(client, city, who, duty):
    client.force_login(getattr(city, who))
    answer = client.get(reverse("supervision:guides"))
    assert answer.url == reverse("supervision:guide", args=[duty])
    page = client.get(answer.url).content.decode()
    assert read_guides()[duty]["title"] in page
    for step in read_guides()[duty]["steps"]:
        assert step["words"] in page


def test_every_page_of_the_desk_leads_to_the_guides(client, city):
    client.force_login(city.officer)
    assert reverse("supervision:guides") in client.get("/desk/items/").content.decode()


@pytest.mark.parametrize("duty", read_guides())
def test_a_guide_has_its_picture_and_few_words(duty):
    found = read_guides()[duty]
    path = finders.find(f"supervision/guides/{found['picture']}.png")
    with Image.open(path) as picture:
        assert picture.width == 900
    assert Path(path).stat().st_size < 200_000
    assert len(found["steps"]) <= 6
    assert sum(len(step["words"]) for step in found["steps"]) < 600


def test_an_unknown_guide_is_not_there(client, city):
    client.force_login(city.officer)
    assert client.get(reverse("supervision:guide", args=["mayor"])).status_code == 404
