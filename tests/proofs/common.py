"""What the proofs share: a database of their own, an invented city, a result that can be false."""

import atexit
import json
import os
import platform
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.database import copy_to, fast_folder

ROOT = Path(__file__).resolve().parents[2]
SHANGHAI = ZoneInfo("Asia/Shanghai")
# A Wednesday; the working days around it are plain.
TODAY = date(2026, 6, 10)
BODIES = 20
PACKAGES = ("django", "django-q2", "django-fsm-2", "wagtail", "chinesecalendar")


class Scale(StrEnum):
    """How large a proof is: for the test suite, as first promised, or as aimed at."""

    QUICK = "quick"
    FIRST = "first release"
    AIM = "aim"


@dataclass
class Outcome:
    """Whether a promise holds, with its figures. Nothing is called true that was not measured."""

    holds: bool
    figures: dict = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def finish(self, name: str, seed: int, scale: Scale, seconds: float) -> None:
        """Print one line and write `proof/NAME.json`."""
        from django.db import connection

        engine = "postgresql" if connection.vendor == "postgresql" else "sqlite"
        result = {
            "proof": name,
            "holds": self.holds,
            "scale": scale.value,
            "seed": seed,
            "database": f"{engine} {_server_version()}",
            "python": platform.python_version(),
            "versions": {package: version(package) for package in PACKAGES},
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(seconds, 1),
            "figures": self.figures,
            "problems": self.problems[:20],
        }
        shown = ", ".join(f"{key} {value}" for key, value in self.figures.items())
        word = "holds" if self.holds else "DOES NOT HOLD"
        print(f"{name}: {word} ({engine}, {scale.value}, {seconds:.0f} s): {shown}", flush=True)
        for problem in self.problems[:5]:
            print(f"  {problem}", flush=True)
        if scale is not Scale.QUICK:
            folder = ROOT / "proof"
            folder.mkdir(exist_ok=True)
            suffix = "" if engine == "sqlite" else f"-{engine}"
            text = json.dumps(result, ensure_ascii=False, indent=2, default=str)
            (folder / f"{name}{suffix}.json").write_text(text + "\n", encoding="utf-8")


def _server_version() -> str:
    from django.db import connection

    if connection.vendor == "sqlite":
        return sqlite3.sqlite_version
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return cursor.fetchone()[0].split()[0]


_is_ready = False


def prepare(name: str) -> None:
    """Settings of the suite, a database of our own in memory-backed storage, migrated once."""
    global _is_ready
    if _is_ready:
        return
    scratch = Path(tempfile.mkdtemp(prefix=f"proof-{os.getpid()}-", dir=fast_folder()))
    owner = os.getpid()
    # Children that are forked or killed leave the folder to us.
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(scratch, ignore_errors=True))
    if "DATABASE_URL" not in os.environ:
        file = scratch / "proof.sqlite3"
        copy_to(file)
        os.environ["DATABASE_URL"] = f"sqlite:///{file}"
    os.environ["DJANGO_SETTINGS_MODULE"] = "supervision.config.settings.test"
    os.environ["PROOF_SCRATCH"] = str(scratch)
    sys.path.insert(0, str(ROOT))
    # What is proved to fail on purpose need not fill the screen.
    os.environ.setdefault("LOG_LEVEL", "CRITICAL")
    import django

    django.setup()
    from django.core.management import call_command

    from supervision.services.roles import sync_roles
    from supervision.services.settings import sync_settings

    call_command("migrate", verbosity=0, interactive=False)
    sync_roles()
    sync_settings(at=noon(TODAY))
    _is_ready = True


def scratch() -> Path:
    return Path(os.environ["PROOF_SCRATCH"])


def noon(day: date, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI)


KEPT = frozenset(
    {
        "Group",
        "Permission",
        "ContentType",
        "TimeLimit",
        "LightSchemeRow",
        "EscalationLevel",
        "StartLevel",
        "CalendarDay",
        "CalendarYear",
        "CalendarNotice",
        "LetterTemplate",
        "SiteIdentity",
        "Criterion",
    }
)


def empty() -> None:
    """Take out every row of the work and of the messages; settings and roles stay."""
    _delete(
        lambda model: model.__name__ not in KEPT,
        "supervision",
        "notifications",
        "tasks",
        "django_q",
    )


def forget_facts() -> None:
    """Take out what sweeps have written: events, letters, messages, runs. The work stays."""
    _delete(lambda model: True, "notifications", "tasks")
    _delete(lambda model: model.__name__ in {"Event", "Letter", "NumberSeries"}, "supervision")


def _delete(is_wanted, *labels: str) -> None:
    from django.apps import apps
    from django.db import connection, transaction

    tables = [
        model._meta.db_table
        for label in labels
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        if is_wanted(model)
    ]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # The guards refuse to forget an event; a scratch database may.
            cursor.execute("SET session_replication_role = replica")
            for table in tables:
                cursor.execute(f'DELETE FROM "{table}"')
            cursor.execute("SET session_replication_role = origin")
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
        cursor.execute("PRAGMA foreign_keys = OFF")
        with transaction.atomic():
            for name, _sql in triggers:
                cursor.execute(f'DROP TRIGGER "{name}"')
            for table in tables:
                cursor.execute(f'DELETE FROM "{table}"')
            for _name, sql in triggers:
                cursor.execute(sql)
        cursor.execute("PRAGMA foreign_keys = ON")


def build_world(
    shares: int,
    *,
    due: float = 0.02,
    overdue: float = 0.05,
    today: date = TODAY,
    city=None,
    bodies: Sequence = (),
    document=None,
):
    """A city with so many shares in work; returns it.

    `due` of them are near their due date, `overdue` past it, the rest are quiet. Twenty shares an
    item, one body each; each body has a liaison and a head with an address. With `city` the work
    is added to that one, `bodies` of it having their part, under `document`.
    """
    from supervision.models import Assignment, Organization, User
    from supervision.services.roles import sync_roles
    from tests.factories import ClauseFactory, DocumentFactory, ItemFactory, build_city

    sync_roles()
    city = city or build_city()
    added = Organization.objects.bulk_create(
        Organization(
            region_code="0",
            code=f"b{n}",
            kind="county",
            kind_position=2,
            position=100 + n,
            short_name=f"测试县{n}",
            full_name=f"测试县{n}人民政府",
        )
        for n in range(BODIES - len(bodies))
    )
    people = User.objects.bulk_create(
        User(
            username=f"{role}{n}",
            display_name=f"{role}{n}",
            organization=organization,
            email=f"{role}{n}@example.invalid",
            password="!",
        )
        for n, organization in enumerate(added)
        for role in ("liaison", "head")
    )
    from django.contrib.auth.models import Group

    liaison, head = Group.objects.get(name="liaison"), Group.objects.get(name="body_head")
    User.groups.through.objects.bulk_create(
        User.groups.through(user_id=person.pk, group_id=(head if n % 2 else liaison).pk)
        for n, person in enumerate(people)
    )
    document = document or DocumentFactory()
    organizations = [*bodies, *added]
    rows = []
    for number in range(-(-shares // BODIES)):
        item = ItemFactory(
            dispatched=True,
            clause=ClauseFactory(document=document),
            leader=city.leader,
            number=f"证{number}",
        )
        for n, organization in enumerate(organizations):
            index = number * BODIES + n
            if index < shares:
                rows.append(_share(item, organization, n, _due_date(index, due, overdue, today)))
    Assignment.objects.bulk_create(rows, batch_size=2000)
    return city


def _due_date(index: int, due: float, overdue: float, today: date) -> date:
    place = (index * 61) % 1000 / 1000
    if place < due:
        return today + timedelta(days=1 + index % 3)
    if place < due + overdue:
        return today - timedelta(days=1 + index % 25)
    return today + timedelta(days=200 + index % 100)


def _share(item, organization, position, due_date: date):
    from supervision.models import Assignment

    start = min(due_date, TODAY) - timedelta(days=60)
    return Assignment(
        item=item,
        organization=organization,
        role="lead" if position == 0 else "county",
        position=position,
        status="in_progress",
        due_date=due_date,
        original_due_date=due_date,
        dispatched_date=start,
        episode_start_date=start,
        accept_due_date=start,
        objection_due_date=start,
    )


def facts_on_record() -> list[tuple]:
    """Every fact with what it set off, in a form that can be compared between databases."""
    from notifications.models import Delivery, FanOut, InboxEntry
    from supervision.models import Event, Letter

    keys = {
        pk: fact_key or f"{kind} of {assignment}"
        for pk, fact_key, kind, assignment in Event.objects.values_list(
            "pk", "fact_key", "kind", "assignment_id"
        )
    }
    facts = set(Event.objects.exclude(fact_key=None).values_list("pk", flat=True))
    found = [("fact", keys[pk]) for pk in facts]
    found += [("letter", keys.get(pk)) for pk in Letter.objects.values_list("event_id", flat=True)]
    found += [
        ("told", keys[pk])
        for pk in FanOut.objects.values_list("event_id", flat=True)
        if pk in facts
    ]
    found += [
        ("inbox", keys[event_id], user)
        for event_id, user in InboxEntry.objects.values_list("event_id", "user__username")
        if event_id in facts
    ]
    found += [
        ("delivery", keys[event_id], user, channel)
        for event_id, user, channel in Delivery.objects.values_list(
            "event_id", "recipient__username", "channel"
        )
        if event_id in facts
    ]
    return sorted(found, key=repr)


def compare(wanted: list[tuple], found: list[tuple]) -> tuple[list, list]:
    """What is lost and what is doubled or too much."""
    from collections import Counter

    one, other = Counter(wanted), Counter(found)
    return sorted((one - other).elements(), key=repr), sorted((other - one).elements(), key=repr)
