"""Editors are warned before an inspection would find the site asleep."""

from datetime import date, timedelta

import pytest
import time_machine
from django.urls import reverse

from cms.freshness import LIMITS, Part, warnings
from tests.factories import NOON, PASSWORD

DAY = date(2026, 6, 10)


@pytest.mark.parametrize("part", list(Part))
def test_a_warning_comes_before_the_limit_and_says_when_it_is_over(part):
    warn, limit = LIMITS[part]

    def after(days):
        return [(w.days, w.is_over) for w in warnings({part: DAY}, DAY + timedelta(days=days))]

    assert after(warn - 1) == []
    assert after(warn) == [(warn, False)]
    assert after(limit - 1) == [(limit - 1, False)]
    assert after(limit) == [(limit, True)]
    assert warnings({part: None}, DAY + timedelta(days=999)) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "days, words",
    [
        (1, "公开网站更新情况良好"),
        (9, "公开网站更新情况良好"),
        (10, "首页已有10天没有更新"),
        (71, "已有71天没有公开新的进展"),
    ],
)
def test_editors_see_it_on_their_first_page(client, city, world, publish, days, words):
    publish(world.document)
    with time_machine.travel(NOON + timedelta(days=days), tick=False):
        client.post(reverse("supervision:sign_in"), {"username": "publisher", "password": PASSWORD})
        assert words in client.get(reverse("wagtailadmin_home")).content.decode()
