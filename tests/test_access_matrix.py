"""Every address × every role × own and other object × reading and acting, against one table.

`access_matrix.csv` was read row by row by a person against the tables of duties. A new address
without a row fails; a changed answer fails and names the row.
"""

import csv
import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine
from django.db import transaction
from django.urls import get_resolver, reverse

from cms.services import sync_site
from supervision.services import releases
from tests.access_world import ROLES, TYPED, build
from tests.cms.world import item_of
from tests.factories import NOON, DocumentFactory, release_edition, review_release
from tests.proofs.queries import APPS as PROVED
from tests.proofs.queries import DOWNLOADS, pages

pytestmark = pytest.mark.django_db
TABLE = Path(__file__).with_name("access_matrix.csv")
OURS = ("supervision", "notifications", "tasks", "cms")
SIGN_IN = "/desk/sign-in/"
# Lists of every kind of row, each read through another person's eyes.
HIDDEN = (
    "item",
    "item_edit",
    "document",
    "assignment",
    "report",
    "file",
    "release",
    "letter",
    "letter_docx",
)


@pytest.fixture
def rows(city, page_tree, settings, tmp_path, django_capture_on_commit_callbacks):
    settings.MEDIA_ROOT = tmp_path
    settings.FOLLOW_BY_MAIL = True
    with time_machine.travel(NOON, tick=False):
        sync_site()
        case = item_of(city, DocumentFactory(), "公开的事项", number="甲")
        with django_capture_on_commit_callbacks(execute=True):
            release_edition(city, case.item.document, at=NOON - timedelta(days=1))
        waiting = releases.propose_release(
            document=item_of(city, DocumentFactory(), "待审的事项", number="乙").item.document,
            by=city.publisher,
            at=NOON,
        )
        review_release(city, waiting, at=NOON, until=0)
        yield build(city, waiting, case.item.public_item.slug)


def names() -> set[str]:
    """Every named address of our four apps."""

    def walk(resolver, namespace=""):
        for pattern in resolver.url_patterns:
            if hasattr(pattern, "url_patterns"):
                yield from walk(pattern, pattern.namespace or namespace)
            else:
                yield namespace, pattern.name

    return {f"{app}:{name}" for app, name in walk(get_resolver()) if app in OURS}


def expected() -> dict[tuple[str, str, str], dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {(row["address"], row["object"], row["method"]): row for row in csv.DictReader(file)}


def answer_of(client, method: str, address: str, data: dict) -> str:
    """Class of an answer; whatever was done is undone."""
    with transaction.atomic():
        response = getattr(client, method.lower())(address, data)
        transaction.set_rollback(True)
    if response.status_code == 302 and SIGN_IN in response.url:
        return "sign-in"
    return str(response.status_code)


def test_every_address_has_its_rows():
    known = {address for address, _object, _method in expected()}

    assert names() == known
    assert {method for _address, _object, method in expected()} == {"GET", "POST"}


@pytest.mark.parametrize("who", ROLES)
def test_who_gets_which_answer(client, city, rows, who):
    table = expected()
    wrong, seen = [], set()
    for (name, tag), (address, data) in rows.items():
        for method in ("GET", "POST"):
            seen.add((name, tag, method))
            client.logout()
            if who != "anonymous":
                client.force_login(getattr(city, who))
            found = answer_of(client, method, address, TYPED | data if method == "POST" else {})
            if found != table.get((name, tag, method), {}).get(who):
                wrong.append(f"{method} {name} {tag}: {found}")

    assert wrong == []
    assert seen == set(table)


def test_what_answers_a_reading_is_a_page_of_the_proof_or_a_named_file(client, city, rows):
    """The proof "queries" opens every page of the desk; what it leaves out really is a file."""
    proved = {(name, tag): readers[0] for name, tag, readers in pages()}
    table = expected()
    for (name, tag), (address, _data) in rows.items():
        readable = "200" in table[name, tag, "GET"].values()
        if tag == "other" or not readable or name.split(":")[0] not in PROVED:
            continue
        who = proved.get((name, tag)) or next(
            who for who, answer in table[name, tag, "GET"].items() if answer == "200"
        )
        if name in DOWNLOADS or who in proved.values():
            client.force_login(getattr(city, "liaison" if who == "anonymous" else who))
            kind = client.get(address).headers["Content-Type"]
            assert (name in DOWNLOADS) != kind.startswith("text/html"), (name, kind)
        assert name in DOWNLOADS or (name, tag) in proved or name == "supervision:sign_in", name


@pytest.mark.parametrize("who", ["stranger", "other_liaison", "county_liaison", "other_leader"])
@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_and_absent_answer_alike(client, city, rows, who, name):
    """Status, text, headers and cookies, apart from what differs in every answer."""
    tag = "-" if name == "release" else "own"
    hidden, _data = rows[f"supervision:{name}", tag]
    absent = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", str(uuid4()), hidden)
    assert absent != hidden
    client.force_login(getattr(city, who))

    first, second = client.get(hidden), client.get(absent)

    assert first.status_code == second.status_code
    assert first.status_code in (403, 404)
    plain = [
        re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"|[0-9a-f-]{36}', "", r.content.decode())
        for r in (first, second)
    ]
    assert plain[0] == plain[1]
    assert dict(first.headers) == dict(second.headers)
    assert set(first.cookies) == set(second.cookies)


def test_no_other_method_does_anything(client, city, rows):
    """What is neither read nor posted is refused, or answered as a mere reading would be."""
    client.force_login(city.officer)
    for (name, _tag), (address, _data) in rows.items():
        for method in ("put", "delete", "patch"):
            response = getattr(client, method)(address)
            assert response.status_code in (200, 302, 403, 404, 405), (name, method)
    assert client.get(reverse("supervision:items")).status_code == 200
