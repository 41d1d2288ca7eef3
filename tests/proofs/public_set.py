"""2,000 secrets in everything that is not released, and everything public read: none is found.

Planted in items that are not open, in what open items keep inside, in returns not accepted, in
people and bodies, in an edition that is not yet out, in an item withdrawn and in a text hidden.
Read are all pages, feeds, maps, tables and headers, the static copy, the files kept for the time
without a database, and a search for each secret.
"""

import io
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from tests.proofs.common import Outcome, Scale, empty, noon, scratch

PLANTED = {Scale.QUICK: 90, Scale.FIRST: 2_000, Scale.AIM: 2_000}
OPEN = {Scale.QUICK: 2, Scale.FIRST: 22, Scale.AIM: 22}
SECRET = re.compile("藏[0-9]{5}号")
DAY = date(2026, 6, 10)
LATER = date(2026, 7, 10)
NEXT = date(2026, 8, 10)


class Planter:
    """Hands out secrets, each once, and remembers where each was put."""

    def __init__(self) -> None:
        self.places: Counter = Counter()
        self.given: list[str] = []

    def __call__(self, place: str) -> str:
        self.places[place] += 1
        self.given.append(f"藏{len(self.given):05d}号")
        return self.given[-1]


def prove(*, seed: int, scale: Scale) -> Outcome:
    """Holds when no secret is found anywhere; the reading is tried on words that are public."""
    from cms import snapshot
    from cms.services import sync_site
    from supervision.services.roles import sync_roles
    from tests.factories import build_city

    empty()
    snapshot._kept.clear()
    sync_roles()
    city = build_city()
    sync_site()
    secret = Planter()
    _world(city, secret, OPEN[scale])
    _fill_up(city, secret, PLANTED[scale])
    # One that is really public tells whether the reading would see a secret at all.
    found = _read(secret.given)
    seen = found.pop("public")
    leaks = {place: sorted(words) for place, words in found.items() if words}
    figures = {
        "planted": len(secret.given),
        "kinds_of_places": len(secret.places),
        "read": len(found),
        "found": sum(map(len, leaks.values())),
        "public_words_seen": len(seen),
    }
    problems = [f"{place}: {', '.join(words[:5])}" for place, words in leaks.items()]
    if not seen:
        problems.append("the reading sees nothing at all")
    return Outcome(holds=not problems, figures=figures, problems=problems)


def _world(city, secret: Planter, count: int) -> None:
    """Open items with secrets inside them; one withdrawn, one text hidden, one edition waiting."""
    from supervision.models import PublicItem
    from supervision.services import releases
    from tests.factories import DocumentFactory, release_edition, review_release

    document = DocumentFactory(title="公开文件")
    cases = [_item(city, document, n, lambda place: f"公开的{place}") for n in range(count)]
    for case in cases:
        _inside(city, case, secret)
    gone = _item(city, document, count, secret)
    hidden = _item(city, document, count + 1, lambda place: f"公开的{place}")
    _accepted(hidden.lead, "2026-05", secret("text hidden later"))
    for number in range(count):
        _item(city, document, count + 2 + number, secret, openness="withheld")
    release_edition(city, document, at=noon(DAY))
    public = PublicItem.objects.get(item=gone.item)
    releases.withdraw_item(
        public_item=public, by=city.reviewer, at=noon(DAY, 13), reason=secret("reason withdrawn")
    )
    edits = {str(hidden.item.uid): {"hidden_reason": "涉及商业秘密以外的原因"}}
    row = releases.propose_release(document=document, by=city.publisher, at=noon(LATER))
    row = releases.revise_release(release=row, by=city.publisher, at=noon(LATER), edits=edits)
    row = review_release(city, row, at=noon(LATER))
    releases.publish_release(release=row, by=city.publisher, at=noon(LATER, 13))
    waiting = releases.propose_release(document=document, by=city.publisher, at=noon(NEXT))
    edits = {
        str(case.item.uid): {"text": secret("edition waiting"), "correction": secret("correction")}
        for case in cases
    }
    releases.revise_release(release=waiting, by=city.publisher, at=noon(NEXT), edits=edits)


def _item(city, document, number: int, word, openness: str = "proactive"):
    from tests.cms.world import item_of
    from tests.factories import MilestoneFactory, TargetFactory

    clause = {"quoted_text": word("clause"), "theme": f"主题{number % 5}"}
    if openness != "proactive":
        clause["theme"] = word("theme")
    case = item_of(
        city,
        document,
        word("title") + str(number),
        openness=openness,
        clause_fields=clause,
        requirement=word("requirement"),
        due_date=date(2026, 12, 31),
    )
    MilestoneFactory(assignment=case.lead, title=word("milestone"), planned_date=date(2026, 9, 1))
    TargetFactory(document=document, clause=case.item.clause, name=word("goal"))
    _accepted(case.lead, "2026-04", word("progress"))
    return case


def _accepted(assignment, label: str, text: str) -> None:
    from tests.factories import PeriodFactory, ReportFactory

    month = int(label[5:])
    period = PeriodFactory(
        assignment=assignment,
        label=label,
        start_date=date(2026, month, 1),
        end_date=date(2026, month, 28),
        due_date=date(2026, month + 1, 5),
    )
    reviewed = noon(DAY) - timedelta(days=3)
    ReportFactory(period=period, status="approved", progress_text=text, reviewed_at=reviewed)


def _inside(city, case, secret: Planter) -> None:
    """What an open item keeps inside."""
    from supervision.models import DateChange
    from tests.factories import (
        ExtensionFactory,
        MilestoneFactory,
        PeriodFactory,
        ReportFactory,
        UserFactory,
    )

    share = case.item.assignments.get(role="county")
    share.handler_name = secret("handler")
    share.closing_text = secret("closing draft")
    share.save()
    for month, status in ((1, "draft"), (2, "returned"), (3, "under_sign_off"), (4, "submitted")):
        period = PeriodFactory(
            assignment=share, label=f"2026-0{month}", start_date=date(2026, month, 1)
        )
        ReportFactory(
            period=period,
            status=status,
            progress_text=secret(f"return {status}"),
            problem_text=secret("problem"),
            coordination_text=secret("coordination"),
        )
    ExtensionFactory(
        assignment=case.lead,
        reason=secret("extension"),
        progress_text=secret("extension"),
        asked_by=UserFactory(display_name=secret("person")),
    )
    MilestoneFactory(assignment=case.lead, status="draft", title=secret("milestone in draft"))
    DateChange.objects.create(
        assignment=case.lead,
        cause="extension",
        old_date=date(2026, 11, 30),
        new_date=date(2026, 12, 31),
        working_days=23,
        reason=secret("reason of a date"),
        agreed_by=city.leader,
        changed_at=noon(DAY) - timedelta(days=20),
    )


def _fill_up(city, secret: Planter, wanted: int) -> None:
    """Bodies, documents and events take what is left."""
    from supervision.models import Event, EventKind, SupervisionItem
    from tests.factories import DocumentFactory, OrganizationFactory

    for _ in range(10):
        OrganizationFactory(short_name=secret("body") + "局")
        DocumentFactory(title=secret("document"), issuing_body=secret("issuing body"))
    items = list(SupervisionItem.objects.all())
    Event.objects.bulk_create(
        Event(
            kind=EventKind.REMINDED,
            item=items[number % len(items)],
            reason=secret("event"),
            happened_at=noon(DAY),
            recorded_at=noon(DAY),
        )
        for number in range(wanted - len(secret.given))
    )


def _read(secrets: list[str]) -> dict[str, set[str]]:
    """Address → secrets in its answer; `public` holds the public words that were seen."""
    from urllib.parse import quote

    from django.core.management import call_command
    from django.test import override_settings

    from cms import keeping
    from cms.crawl import Reader
    from supervision.models import PublicItem

    reader = Reader("http://localhost")
    slugs = list(PublicItem.objects.values_list("slug", flat=True))
    start = [
        *("/", "/site-map/", "/sitemap.xml", "/robots.txt", "/feeds/all.xml", "/corrections/"),
        *("/search/", "/open-data/", "/editions/2026-06/", "/editions/2026-07/"),
        *(f"/progress/{slug}/" for slug in slugs),
        *(f"/progress/{slug}.json" for slug in slugs),
        *(f"/feeds/item/{slug}.xml" for slug in slugs),
    ]
    found: dict[str, set[str]] = {"public": set()}
    for address, answer in reader.crawl(start).items():
        text = "\n".join([*(f"{k}: {v}" for k, v in answer.headers.items()), _text(answer.content)])
        found[address] = set(SECRET.findall(text))
        found["public"] |= set(re.findall("公开的[a-z]+", text))
    for word in secrets:
        answer = reader.get(f"/search/?q={quote(word)}")
        # The reader's own words come back in the search box and in the sentence of the result.
        text = re.sub(r'value="[^"]*"|“[^”]*”|sort=[a-z]*|q=[^"&]*', "", answer.text)
        found[f"/search/?q={word}"] = set(SECRET.findall(text))
    with (
        tempfile.TemporaryDirectory(dir=scratch()) as folder,
        override_settings(
            PUBLIC_PAGES_DIR=f"{folder}/pages",
            PUBLIC_KEPT_HOSTS=["localhost"],
            SITE_URL="http://localhost",
        ),
    ):
        # What the web server keeps to itself is read too: it must not hold more than its pages.
        keeping.keep_all()
        call_command("export_site", Path(folder) / "copy", stdout=io.StringIO())
        for path, content in _files(Path(folder)):
            found[f"file {path}"] = set(SECRET.findall(_text(content) + str(path)))
    return found


def _files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder), path.read_bytes()


def _text(content: bytes) -> str:
    from tests.cms.world import workbook_text

    if content.startswith(b"PK"):
        return workbook_text(content)
    return content.decode("utf-8", "replace")
