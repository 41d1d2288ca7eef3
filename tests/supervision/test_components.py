"""Components take values and always say in words what they show in colour."""

import re
from html.parser import HTMLParser

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import translation

from supervision.charts import CODES
from supervision.views import errors
from supervision.views.components import Choice, sample_context

HOSTILE = '<b onclick="x">'


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def render(name, **context):
    return render_to_string(f"components/{name}.html", context)


class Structure(HTMLParser):
    """Tags left open, ids used twice, labels and descriptions that point nowhere."""

    VOID = {"meta", "link", "input", "br", "img", "hr", "path", "circle", "rect", "line"}

    def __init__(self, html):
        super().__init__()
        self.open, self.ids, self.references, self.levels = [], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        self.references += (attrs.get("aria-describedby") or "").split()
        if tag == "label":
            self.references.append(attrs["for"])
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))

    def handle_startendtag(self, tag, attrs):
        if "id" in dict(attrs):
            self.ids.append(dict(attrs)["id"])

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"unexpected </{tag}>"


def test_the_living_page_is_well_formed():
    page = Structure(render_to_string("desk/components.html", sample_context()))

    assert page.open == []
    assert len(page.ids) == len(set(page.ids)), "an id is used twice"
    assert set(page.references) <= set(page.ids)
    assert page.levels.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(page.levels, page.levels[1:], strict=False))


@pytest.mark.parametrize("code", CODES)
def test_a_light_has_shape_and_word_even_without_a_text(code):
    html = render("light", code=code)

    assert "<svg" in html
    visible = re.sub(r'<span class="visually-hidden">.*?</span>|<[^>]+>', "", html)
    assert visible.strip()


def test_the_shapes_of_the_lights_differ():
    shapes = {re.search(r"<svg.*?</svg>", render("light", code=code), re.S)[0] for code in CODES}

    assert len(shapes) == len(CODES) - 1, "only done and done late share the tick"


def test_done_late_is_a_word_of_its_own():
    assert "Completed late" in render("light", code="done_late")
    assert "late" not in render("light", code="done")


@pytest.mark.parametrize("number", [400, 403, 404, 410, 500])
def test_error_pages_need_no_context(number):
    html = render_to_string(f"errors/{number}.html")

    assert Structure(html).levels[0] == 1
    assert "Error number" not in html
    assert "A1B2" in render_to_string(f"errors/{number}.html", {"error_id": "A1B2"})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "home"), [("/desk/items/nowhere/", "/desk/"), ("/nowhere/", "/")]
)
def test_from_an_error_on_the_desk_one_comes_back_to_the_desk(address, home):
    page = errors.not_found(RequestFactory().get(address)).content.decode()

    assert f'href="{home}"' in page
    assert ('href="/desk/search/"' in page) == (home == "/desk/")


@pytest.mark.django_db
def test_a_form_that_was_open_too_long_says_so():
    request = RequestFactory().post("/desk/items/new/")

    page = errors.csrf_failure(request).content.decode()

    assert "This page was open too long" in page
    assert "You may not do this" not in page


def test_a_row_of_a_form_ties_help_and_mistake_to_its_input():
    class Sample(forms.Form):
        name = forms.CharField(help_text="As on paper")

    html = render("field", field=Sample(data={"name": ""})["name"])

    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert {"id_name_helptext", "id_name_error"} <= set(Structure(html).ids)
    assert 'aria-invalid="true"' in html


def test_pages_keep_the_other_parameters():
    html = render("pagination", page_obj=Paginator(range(60), 20).page(2), query="light=red")

    assert 'href="?light=red&amp;page=1"' in html
    assert 'href="?light=red&amp;page=3"' in html
    assert "21 to 40 of 60" in html


def test_a_count_of_zero_is_shown_and_an_absent_one_is_not():
    html = render("filters", filters=[Choice("None", count=0), Choice("Any")])

    assert html.count("chip-count") == 1


def test_an_act_opens_itself_when_its_form_has_errors():
    class Sample(forms.Form):
        reason = forms.CharField()

    assert "<details" in render("act", label="Go", form=Sample(), action="/x")
    assert " open>" not in render("act", label="Go", form=Sample(), action="/x")
    assert " open>" in render("act", label="Go", form=Sample(data={}), action="/x")


@pytest.mark.parametrize(
    ("name", "context"),
    [
        ("light", {"code": "red", "text": HOSTILE, "mark": HOSTILE}),
        ("status", {"text": HOSTILE}),
        ("message", {"level": "error", "text": HOSTILE}),
        ("empty", {"title": HOSTILE, "text": HOSTILE, "url": "/", "label": HOSTILE}),
        ("timeline", {"entries": [{"title": HOSTILE, "text": HOSTILE, "by": HOSTILE}]}),
        ("files", {"files": [{"name": HOSTILE, "url": HOSTILE, "note": HOSTILE}]}),
        ("filters", {"filters": [Choice(HOSTILE, url=HOSTILE)], "legend": HOSTILE}),
        ("tabs", {"tabs": [Choice(HOSTILE)], "label": HOSTILE}),
        ("stat", {"label": HOSTILE, "count": 1, "note": HOSTILE}),
        ("progress", {"value": 1, "label": HOSTILE, "text": HOSTILE}),
        ("print_sheet", {"title": HOSTILE, "filter": HOSTILE, "unit": HOSTILE}),
    ],
)
def test_what_people_typed_is_escaped(name, context):
    assert "<b " not in render(name, **context)
