"""An editor reads Chinese: what Wagtail's own catalogue lacks, ours has."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import wagtail
from babel.messages.pofile import read_po
from django.conf import settings
from django.urls import reverse
from wagtail.models import Page

from cms.models import BulletinIndexPage, HomePage, ItemPage, ProgressPage, TextPage
from tests.cms.test_wagtail import form_of, read_and_sign
from tests.factories import PASSWORD

WORDS = settings.BASE_DIR / "cms/words/wagtail/zh_Hans/LC_MESSAGES"
PACKAGE = Path(wagtail.__file__).parent
# What Wagtail says, and says wrongly where it stands within a sentence.
BETTER = {"page"}
PLACES = re.compile(r"%\(\w+\)[sd]|\{\w+\}|<[^>]*>")
LATIN = re.compile(r"[A-Za-z]{2,}")
HAN = re.compile(r"[\u3400-\u9fff]")
# Names, keys and codes. “Actions”, the root's name and a hidden counter stand in Wagtail as such.
ALLOWED = re.compile(
    r"\S*[/@]\S*|\b(Wagtail|Ctrl|Alt|Shift|Esc|Enter|URL|Actions|Root|None|cms\.\w+"
    r"|publisher|reviewer)\b"
)


def catalogue(path: Path) -> dict:
    with path.open("rb") as file:
        return {message.id: message for message in read_po(file) if message.id}


def source_of(message) -> str:
    return message.id if isinstance(message.id, str) else message.id[-1]


def text_of(message) -> str:
    return message.string if isinstance(message.string, str) else message.string[0]


@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_each_word_is_wagtails_and_wagtail_lacks_it(domain):
    """After an upgrade this says which words Wagtail has translated or given up."""
    own = catalogue(WORDS / f"{domain}.po")
    used, done = set(), {}
    for english in PACKAGE.rglob(f"locale/en/LC_MESSAGES/{domain}.po"):
        chinese = english.parents[2] / "zh_Hans/LC_MESSAGES" / english.name
        theirs = catalogue(chinese) if chinese.exists() else {}
        for name in catalogue(english):
            used.add(name)
            has = name in theirs and text_of(theirs[name])
            done[name] = done.get(name, True) and bool(has)

    assert set(own) <= used
    assert {name for name in own if done[name]} <= BETTER
    for message in own.values():
        source, text = source_of(message), text_of(message)
        assert sorted(PLACES.findall(source)) == sorted(PLACES.findall(text)), source


class Texts(HTMLParser):
    """What a page shows or reads out: texts, and the attributes that are read."""

    READ = ("aria-label", "title", "placeholder", "alt", "data-w-tooltip-content-value")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.skipped = 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "style", "svg", "noscript", "select"):
            self.skipped += 1
        for name, value in attrs:
            if name in self.READ and value:
                self.found.append(" ".join(value.split()))

    def handle_endtag(self, tag):
        if tag in ("script", "style", "svg", "noscript", "select"):
            self.skipped -= 1

    def handle_data(self, data):
        if not self.skipped and data.strip():
            self.found.append(" ".join(data.split()))


def english_in(html: str) -> list[str]:
    """Texts without a Chinese character that are no name, key or code."""
    return [
        text
        for text in Texts(html).found
        if not HAN.search(text) and LATIN.search(ALLOWED.sub("", text))
    ]


@pytest.fixture
def editor(client, city, site):
    client.post(reverse("supervision:sign_in"), {"username": "publisher", "password": PASSWORD})
    return client


@pytest.mark.django_db
def test_the_screens_of_an_editor_speak_chinese(editor, client, city, site, world, publish):
    publish(world.document)
    about = TextPage.objects.get()
    pages = [HomePage.objects.get(), ProgressPage.objects.get(), ItemPage.objects.first(), about]
    bulletins = BulletinIndexPage.objects.get()
    edit = reverse("wagtailadmin_pages:edit", args=[site.pk])
    editor.post(edit, form_of(site, "改后的导语"))
    newest, oldest = site.revisions.order_by("-pk").first(), site.revisions.order_by("pk").first()
    compare = reverse("wagtailadmin_pages:revisions_compare", args=[site.pk, oldest.pk, newest.pk])
    addresses = [
        reverse("wagtailadmin_home"),
        reverse("wagtailadmin_explore_root"),
        reverse("wagtailadmin_account"),
        reverse("wagtailsettings:edit", args=["cms", "siteframe", site.get_site().pk]),
        reverse("wagtailadmin_reports:locked_pages"),
        reverse("wagtailadmin_reports:workflow"),
        reverse("wagtailadmin_reports:site_history"),
        reverse("wagtailadmin_reports:aging_pages"),
        reverse("wagtailadmin_pages:search"),
        reverse("wagtailadmin_pages:add_subpage", args=[bulletins.pk]),
        reverse("wagtailadmin_pages:add", args=["cms", "bulletinpage", bulletins.pk]),
        reverse("cms_next_edition"),
        compare,
        *(reverse("wagtailadmin_explore", args=[page.pk]) for page in pages),
        *(reverse("wagtailadmin_pages:edit", args=[page.pk]) for page in pages),
        *(reverse("wagtailadmin_pages:history", args=[page.pk]) for page in pages),
        *(reverse("wagtailadmin_pages:usage", args=[page.pk]) for page in pages),
        *(
            reverse(f"wagtailadmin_pages:{name}", args=[about.pk])
            for name in ("unpublish", "delete", "move", "copy")
        ),
    ]

    shown = {address: editor.get(address, follow=True) for address in addresses}

    assert not [address for address, answer in shown.items() if answer.status_code != 200]
    found = {address: english_in(answer.content.decode()) for address, answer in shown.items()}
    assert {address: texts for address, texts in found.items() if texts} == {}


@pytest.mark.django_db
def test_the_dialogs_of_the_reviews_speak_chinese(editor, client, city, site):
    edit = reverse("wagtailadmin_pages:edit", args=[site.pk])
    told = editor.post(edit, form_of(site, "送审的导语", submit=True), follow=True)
    waiting = Page.objects.get(pk=site.pk).current_workflow_task_state
    reader = type(client)()
    reader.force_login(city.reviewer)
    shown = [told, editor.get(edit), editor.get(reverse("wagtailadmin_home"))]
    shown += [reader.get(reverse("wagtailadmin_home")), reader.get(edit)]
    for act in ("approve", "reject"):
        address = reverse("wagtailadmin_pages:workflow_action", args=[site.pk, act, waiting.pk])
        shown.append(reader.get(address))
    shown.append(read_and_sign(client, city.reviewer, site, "reject", comment="地名有误"))
    shown += [editor.get(edit), editor.get(reverse("wagtailadmin_home"))]

    for answer in shown:
        text = answer.content.decode()
        if answer["Content-Type"].startswith("application/json"):
            text = json.loads(text).get("html", "")
        assert english_in(text) == [], answer


@pytest.mark.django_db
def test_the_scripts_of_the_editing_pages_are_told_the_words(editor):
    text = editor.get(reverse("wagtailadmin_javascript_catalog")).content.decode()

    told = json.loads(re.search(r"const newcatalog = (\{.*?\});\n", text, re.S)[1])
    for name, message in catalogue(WORDS / "djangojs.po").items():
        key = name if isinstance(name, str) else name[0]
        value = told[key] if isinstance(told[key], str) else told[key][0]
        assert value == text_of(message)


def test_the_detector_finds_english_and_nothing_else():
    page = "<p>保存</p><p>Save changes</p><a title='Page types'></a><script>var no</script>"

    assert english_in(page) == ["Save changes", "Page types"]
    assert english_in("<kbd>Ctrl + Shift + v</kbd> Wagtail v8.0.1 /cms/ a@b.cn") == []
