"""`make bench`: what one sweep and the main pages cost at 286 and at 28,600 assignments.

The lights of the day are kept first, as the tick does; the rows “before the lights are kept” throw
those of every hundredth item away, as acts do between two ticks. Figures are ratios measured side
by side in one run, never single times: statements and the median time of each at both sizes, beside
bare SQL that answers the same question. Every figure goes with a check that the answer was right; a
wrong answer ends the run with an error.
"""

import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parents[2]
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 6, 10, 12, tzinfo=SHANGHAI)
TODAY = NOON.date()
SMALL, LARGE = (22, 13), (2_200, 13)  # items × bodies: 286 and 28,600 assignments
REPEATS = 5
# What the measured item has behind it: acts of each body, returns of each.
EVENTS, RETURNS = 20, 6
MONTH = "2026-06"


@dataclass
class Measure:
    """Statements and median seconds of one thing at one size."""

    statements: int
    seconds: float


def prepare(folder: Path) -> None:
    """A database of its own, migrated and with the reference data."""
    os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'bench.sqlite3'}"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "supervision.config.settings.test")
    import django

    django.setup()
    from django.core.management import call_command

    from supervision.services.roles import sync_roles
    from supervision.services.settings import sync_settings

    call_command("migrate", verbosity=0)
    sync_roles()
    sync_settings(at=NOON)


def fill(item_count: int, body_count: int) -> SimpleNamespace:
    """Items in progress with a share for each body; nothing is due for a year."""
    from supervision.models import (
        Assignment,
        Clause,
        Organization,
        PolicyDocument,
        SupervisionItem,
    )

    bodies = list(Organization.objects.filter(code__startswith="bench").order_by("position"))
    if not bodies:
        bodies = Organization.objects.bulk_create(
            Organization(
                region_code="999900",
                code=f"bench{number}",
                kind="bureau" if number < 10 else "county",
                kind_position=Organization.KIND_POSITIONS["bureau" if number < 10 else "county"],
                position=number + 1,
                short_name=f"测试局{number}",
                full_name=f"云溪市测试局{number}",
            )
            for number in range(body_count)
        )
    have = SupervisionItem.objects.count()
    document = PolicyDocument.objects.create(
        doc_number=f"云政发〔2026〕{have}号",
        title="关于测试的实施意见",
        issuing_body="云溪市人民政府",
        region_code="999900",
        region_name="云溪市",
        issued_date=TODAY - timedelta(days=150),
        horizon_date=TODAY + timedelta(days=900),
        status=PolicyDocument.Status.ACTIVE,
    )
    start = TODAY - timedelta(days=90)
    due = TODAY + timedelta(days=400)
    items = SupervisionItem.objects.bulk_create(
        SupervisionItem(
            document=document,
            kind=Clause.Kind.TASK,
            position=number % 30_000,
            number=f"督字〔2026〕{number + 1}",
            title=f"建设第{number + 1}个研发机构",
            requirement="按期完成。",
            status=SupervisionItem.Status.IN_PROGRESS,
            due_date=due,
            original_due_date=due,
            created_at=NOON - timedelta(days=100),
            approved_at=NOON - timedelta(days=95),
            dispatched_at=NOON - timedelta(days=90),
        )
        for number in range(have, item_count)
    )
    Assignment.objects.bulk_create(
        (
            Assignment(
                item=item,
                organization=body,
                role="lead" if number == 0 else "support" if number < 10 else "county",
                status=Assignment.Status.IN_PROGRESS,
                dispatched_date=start,
                episode_start_date=start,
                accept_due_date=start + timedelta(days=2),
                objection_due_date=start + timedelta(days=3),
                due_date=due,
                original_due_date=due,
            )
            for item in items
            for number, body in enumerate(bodies)
        ),
        batch_size=500,
    )
    return SimpleNamespace(
        items=item_count,
        assignments=item_count * body_count,
        item=_with_history(SupervisionItem.objects.order_by("pk")[0]),
        body=bodies[0],
        waiting=_with_returns(bodies[0]),
    )


def _with_returns(body) -> int:
    """This month's period for every share of one body, a tenth of it handed in, a tenth begun.

    Nothing of it is due yet. Returns how many wait for the office.
    """
    from supervision.models import Assignment, ProgressReport, ReportPeriod

    states = ProgressReport.Status
    shares = Assignment.objects.filter(organization=body).exclude(periods__label=MONTH)
    periods = ReportPeriod.objects.bulk_create(
        ReportPeriod(
            assignment=share,
            label=MONTH,
            start_date=TODAY.replace(day=1),
            end_date=TODAY.replace(day=30),
            due_date=TODAY + timedelta(days=40),
        )
        for share in shares.order_by("pk")
    )
    ProgressReport.objects.bulk_create(
        ProgressReport(
            period=period,
            status=status,
            progress_text=f"本月新增研发机构{period.pk}家，全部通过认定。",
            self_percent=40,
            submitted_at=NOON - timedelta(hours=3) if status == states.SUBMITTED else None,
            created_at=NOON - timedelta(hours=3),
        )
        for begin, status in ((0, states.SUBMITTED), (1, states.DRAFT))
        for period in periods[begin::10]
    )
    return ProgressReport.objects.filter(status=states.SUBMITTED).count()


def _with_history(item):
    """The same item at both sizes: every body with returns and a long history."""
    from supervision.models import Assignment, Event, EventKind, ProgressReport, ReportPeriod

    if ReportPeriod.objects.filter(assignment__item=item).exists():
        return item
    shares = list(Assignment.objects.filter(item=item))
    periods = ReportPeriod.objects.bulk_create(
        ReportPeriod(
            assignment=share,
            label=f"2025-{month:02}",
            start_date=TODAY.replace(year=2025, month=month, day=1),
            end_date=TODAY.replace(year=2025, month=month, day=28),
            due_date=TODAY.replace(year=2025, month=month + 1, day=5),
        )
        for share in shares
        for month in range(1, RETURNS + 1)
    )
    ProgressReport.objects.bulk_create(
        ProgressReport(
            period=period,
            status=ProgressReport.Status.APPROVED,
            progress_text="本月新增研发机构12家。",
            self_percent=40,
            submitted_at=NOON - timedelta(days=90),
            created_at=NOON - timedelta(days=90),
        )
        for period in periods
    )
    # The verdicts on those periods are on record, so that nothing is due.
    Event.objects.bulk_create(
        Event(
            kind=EventKind.PERIOD_CLOSED,
            fact_key=f"period:{period.pk}",
            item=item,
            assignment=period.assignment,
            organization_id=period.assignment.organization_id,
            period=period,
            data={"is_filed": True, "light": "green"},
            happened_at=NOON - timedelta(days=90),
            recorded_at=NOON - timedelta(days=90),
        )
        for period in periods
    )
    Event.objects.bulk_create(
        Event(
            kind=EventKind.REPORT_SUBMITTED,
            item=item,
            assignment=share,
            organization_id=share.organization_id,
            happened_at=NOON - timedelta(days=number),
            recorded_at=NOON - timedelta(days=number),
        )
        for share in shares
        for number in range(1, EVENTS + 1)
    )
    return item


def measure(run: Callable[[], None]) -> Measure:
    """The middle of several runs after a first one that warms up; statements of the last."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    run()
    seconds = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begun)
    with CaptureQueriesContext(connection) as captured:
        run()
    return Measure(len(captured), statistics.median(seconds))


def check(is_right: bool, what: str) -> None:
    if not is_right:
        raise SystemExit(f"Wrong answer: {what}")


def tasks(world: SimpleNamespace, client, liaison) -> dict[str, Callable[[], None]]:
    """Each thing measured, with the check of its answer inside: the pages of the office's `client`
    and of the `liaison` of one body."""
    from django.db import connection

    from supervision.models import EventKind, KeptLight, SupervisionItem
    from supervision.services.kept_lights import forget_lights
    from tasks.jobs import sweep

    # The light most items show, so that a whole page is listed.
    code = Counter(KeptLight.objects.of_items(TODAY).values_list("code", flat=True))
    code = code.most_common(1)[0][0]

    def nothing_due() -> None:
        result = sweep(TODAY, at=NOON)
        check(result["due"] == {} and result["written"] == {}, f"the sweep found {result['due']}")

    def bare_due() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT COUNT(*) FROM supervision_assignment WHERE due_date < %s AND status IN"
                " ('pending', 'in_progress', 'returned')",
                [TODAY],
            )
            check(cursor.fetchone()[0] == 0, "bare SQL found work that is due")

    def bare_counts() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT organization_id, status, COUNT(*) FROM supervision_assignment"
                " GROUP BY organization_id, status"
            )
            check(
                sum(row[2] for row in cursor.fetchall()) == world.assignments, "the bare aggregate"
            )

    def page(address: str, expected: str, reader=client) -> Callable[[], None]:
        def run() -> None:
            answer = reader.get(address)
            check(answer.status_code == 200, f"{address} answered {answer.status_code}")
            check(expected in answer.content.decode(), f"{expected!r} is not on {address}")

        return run

    def after_acts(run: Callable[[], None]) -> Callable[[], None]:
        is_done = False

        def first() -> None:
            nonlocal is_done
            if not is_done:
                items = SupervisionItem.objects.order_by("pk").values_list("pk", flat=True)
                for item in items[::100]:
                    forget_lights(EventKind.SUBMITTED, item)
                is_done = True
            run()

        return first

    home = page("/desk/", str(world.items))
    listed = page("/desk/items/", str(world.items))
    return {
        "sweep, nothing due": nothing_due,
        "  bare SQL: what is due": bare_due,
        "overview (home of the office)": home,
        "list of items, first page": listed,
        "list of items, filtered by light": page(f"/desk/items/?light={code}", str(world.items)),
        "item with returns and history": page(f"/desk/items/{world.item.uid}/", world.item.title),
        "ledger, the page that asks for it": page("/desk/ledger/", "ledger.xlsx"),
        "matrix": page("/desk/matrix/", str(world.assignments)),
        "  bare SQL: counts by body and state": bare_counts,
        "review queue": page("/desk/reviews/?kind=reports", str(world.waiting)),
        "returns of a body, first page": page(f"/desk/returns/{MONTH}/", str(world.items), liaison),
        "overview before the lights are kept": after_acts(home),
        "list of items before the lights are kept": after_acts(listed),
    }


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        import time_machine
        from django.contrib.auth.models import Group
        from django.test import Client

        from supervision.models import Assignment, Organization, Role, User
        from supervision.services.kept_lights import keep_lights

        office = Organization.objects.create(
            region_code="999900", code="office", kind="office", kind_position=0, position=1,
            short_name="市政府办公室", full_name="云溪市人民政府办公室",
        )  # fmt: skip
        officer = User.objects.create(username="bench", organization=office)
        officer.groups.add(Group.objects.get(name=Role.OFFICER.value))
        liaison = User.objects.create(username="liaison")
        liaison.groups.add(Group.objects.get(name=Role.LIAISON.value))
        results: list[dict[str, Measure]] = []
        # Only the clock of the rows stands still: the stop-watch is `perf_counter`.
        for items, bodies in (SMALL, LARGE):
            world = fill(items, bodies)
            check(Assignment.objects.count() == items * bodies, "rows in the database")
            keep_lights(TODAY)
            with time_machine.travel(NOON, tick=True):
                client, of_body = Client(), Client()
                client.force_login(officer)
                if liaison.organization_id is None:
                    User.objects.filter(pk=liaison.pk).update(organization=world.body)
                of_body.force_login(liaison)
                runs = tasks(world, client, of_body)
                results.append({name: measure(run) for name, run in runs.items()})
    few, many = results
    print(f"{'':40}{'statements':>22}{'time':>24}")
    print(f"{'':40}{'286':>11}{'28,600':>11}{'286 = 1':>12}{'28,600':>12}")
    for name, small in few.items():
        large = many[name]
        print(
            f"{name:40}{small.statements:>11}{large.statements:>11}{'1.0':>12}"
            f"{large.seconds / small.seconds:>12.1f}"
        )
    aggregate = "  bare SQL: counts by body and state"
    overview = "overview (home of the office)"
    for place, result in (("286", few), ("28,600", many)):
        sweep_ratio = (
            result["sweep, nothing due"].seconds / result["  bare SQL: what is due"].seconds
        )
        home_ratio = result[overview].seconds / result[aggregate].seconds
        print(f"at {place}: sweep / bare SQL {sweep_ratio:.1f}, whole page / bare {home_ratio:.1f}")
    # Session, menus and template are the page's own, whatever there is to count.
    grown = (many[overview].seconds - few[overview].seconds) / many[aggregate].seconds
    print(f"what 28,600 add to the overview at 286 / bare SQL over 28,600: {grown:.1f}")
    same = all(few[name].statements == many[name].statements for name in few)
    print("everything costs the same statements at both sizes:", "yes" if same else "NO")
    return 0 if same else 1


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
