"""`make bench-sweep`: what a sweep costs at 1,000, 10,000 and 100,000 assignments.

2 % of the shares are due, 5 % overdue, the rest quiet. Each figure stands beside bare SQL that
finds the same rows, and beside a bulk insert of the same rows, measured in the same run on the
same tables; every figure goes with a check that the answer was right. The database is the one
of `DATABASE_URL` if it is empty, else a temporary SQLite. Figures: `var/bench-sweep-<db>.json`.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tests.proofs.common import TODAY, empty, noon  # noqa: E402

SIZES = (1_000, 10_000, 100_000)
BODIES = 20
REPEATS = 5
NOON = noon(TODAY)
ONE_DAY = timedelta(days=1)
START = TODAY - timedelta(days=120)
# Return days that are on record for every share, oldest first.
PAST_RETURNS = (TODAY - timedelta(days=85), TODAY - timedelta(days=55), TODAY - timedelta(days=25))
# Beyond every key the benchmark's database has given: the copies of the bulk insert.
SHIFT = 1_000_000_000


@dataclass
class Cost:
    """Statements, median seconds, peak bytes allocated by Python (a separate, untimed run)."""

    statements: int
    seconds: float
    peak_bytes: int | None = None


@dataclass
class Result:
    """The figures of one size; `ratio` is against the bare SQL or the bulk insert beside it."""

    assignments: int
    effects: int
    rows_written: int
    tick: Cost
    bare_tick: Cost
    decide: Cost
    bare_decide: Cost
    write: Cost
    bulk: Cost

    @property
    def tick_ratio(self) -> float:
        return self.tick.seconds / self.bare_tick.seconds

    @property
    def decide_ratio(self) -> float:
        return self.decide.seconds / self.bare_decide.seconds

    @property
    def write_ratio(self) -> float:
        return self.write.seconds / self.bulk.seconds


def check(is_right: bool, what: str) -> None:
    if not is_right:
        raise SystemExit(f"Wrong answer: {what}")


def prepare(folder: Path) -> None:
    """An empty database with the reference data; refuses one in which somebody works."""
    os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder / 'bench.sqlite3'}")
    os.environ["DJANGO_SETTINGS_MODULE"] = "supervision.config.settings.test"
    import django

    django.setup()
    from django.core.management import call_command

    from supervision.models import SupervisionItem
    from supervision.services.roles import sync_roles
    from supervision.services.settings import sync_settings

    call_command("migrate", verbosity=0, interactive=False)
    if SupervisionItem.objects.exists():
        raise SystemExit("This database is in use; the benchmark empties the one it is given.")
    sync_roles()
    sync_settings(at=NOON)


# The world


def build(shares: int) -> None:
    """So many shares of 20 bodies with returns and milestones: 2 % due, 5 % overdue, rest quiet."""
    from django.contrib.auth.models import Group

    from supervision.models import Assignment, Organization, SupervisionItem, User
    from tests.factories import DocumentFactory, build_city

    city = build_city()
    bodies = Organization.objects.bulk_create(
        Organization(
            region_code="0",
            code=f"b{n}",
            kind="county",
            kind_position=2,
            position=100 + n,
            short_name=f"测试县{n}",
            full_name=f"测试县{n}人民政府",
        )
        for n in range(BODIES)
    )
    people = User.objects.bulk_create(
        User(
            username=f"{role}{n}",
            display_name=f"{role}{n}",
            organization=body,
            email=f"{role}{n}@example.invalid",
            password="!",
        )
        for n, body in enumerate(bodies)
        for role in ("liaison", "body_head")
    )
    groups = {group.name: group.pk for group in Group.objects.all()}
    User.groups.through.objects.bulk_create(
        User.groups.through(
            user_id=person.pk, group_id=groups[person.username.rstrip("0123456789")]
        )
        for person in people
    )
    document = DocumentFactory()
    items = SupervisionItem.objects.bulk_create(
        (
            SupervisionItem(
                document=document,
                kind="task",
                position=number,
                number=f"证{number}",
                title=f"建设第{number}个研发机构",
                requirement="按期完成。",
                status="in_progress",
                leader=city.leader,
                due_date=TODAY + timedelta(days=300),
                original_due_date=TODAY + timedelta(days=300),
                created_at=NOON - timedelta(days=130),
                approved_at=NOON - timedelta(days=125),
                dispatched_at=NOON - timedelta(days=120),
            )
            for number in range(-(-shares // BODIES))
        ),
        batch_size=2000,
    )
    Assignment.objects.bulk_create(
        (_share(index, items[index // BODIES], bodies[index % BODIES]) for index in range(shares)),
        batch_size=2000,
    )
    _fill_returns()
    _fill_milestones()
    from django.db import connection

    if connection.vendor == "postgresql":
        # What autovacuum does a minute after such a load.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def _share(index: int, item, body):
    """Due, overdue or quiet by the place in the thousand; a third of the quiet are closed."""
    from supervision.models import Assignment

    place = (index * 61) % 1000
    is_closed = False
    if place < 20:
        due, name = TODAY + timedelta(days=1 + index % 3), "due"
    elif place < 70:
        due, name = TODAY - timedelta(days=1 + index % 25), "overdue"
    else:
        due, name = TODAY + timedelta(days=100 + index % 200), "quiet"
        is_closed = place % 3 == 0
    is_unsigned = name == "overdue" and place % 5 == 0
    ended = {"outcome": "on_time", "completed_date": TODAY - ONE_DAY, "days_late": 0}
    return Assignment(
        item=item,
        organization=body,
        role="lead" if index % BODIES == 0 else "county",
        position=index % BODIES,
        status="completed" if is_closed else "pending" if is_unsigned else "in_progress",
        handler_name=name,
        due_date=due,
        original_due_date=due,
        dispatched_date=START,
        episode_start_date=START,
        accept_due_date=TODAY - ONE_DAY if is_unsigned else START + timedelta(days=2),
        objection_due_date=START + timedelta(days=3),
        submitted_date=TODAY - ONE_DAY if is_closed else None,
        days_late_original=0 if is_closed else None,
        **(ended if is_closed else {}),
    )


def _fill_returns() -> None:
    """Three past returns on record and one to come for all; of every other due one, one owed."""
    from notifications.models import FanOut
    from supervision.models import Event, EventKind, ProgressReport

    past = [(f"p{number}", day) for number, day in enumerate(PAST_RETURNS)]
    for label, day in [*past, ("next", TODAY + timedelta(days=25))]:
        _copy(_period(label, day), "supervision_assignment a", assignment_id="a.id")
    owed = "supervision_assignment a WHERE a.handler_name = 'due' AND a.id % 2 = 0"
    for rest in (0, 1):
        day = TODAY - timedelta(days=1 + rest)
        _copy(_period("owed", day), f"{owed} AND a.id / 2 % 2 = {rest}", assignment_id="a.id")
    _copy(
        ProgressReport(
            status="approved",
            progress_text="按计划推进。",
            self_percent=50,
            created_at=NOON - timedelta(days=26),
            submitted_at=NOON - timedelta(days=26),
        ),
        "supervision_reportperiod p WHERE p.label IN ('p0', 'p1', 'p2')",
        period_id="p.id",
    )
    _copy(
        Event(
            kind=EventKind.PERIOD_CLOSED,
            data={"light": "green", "is_filed": True},
            happened_at=NOON - timedelta(days=25),
            recorded_at=NOON - timedelta(days=25),
        ),
        "supervision_reportperiod p JOIN supervision_assignment a ON a.id = p.assignment_id"
        " WHERE p.label IN ('p0', 'p1', 'p2')",
        assignment_id="a.id",
        item_id="a.item_id",
        organization_id="a.organization_id",
        period_id="p.id",
        fact_key="'period:' || p.id",
    )
    _copy(FanOut(recipients=1), "supervision_event e", event_id="e.id")


def _period(label: str, day: date):
    from supervision.models import ReportPeriod

    return ReportPeriod(
        label=label, start_date=day - timedelta(days=30), end_date=day - ONE_DAY, due_date=day
    )


def _fill_milestones() -> None:
    """A step done and a step to come for every fourth share; every fourth due one missed one."""
    from supervision.models import Milestone

    day = TODAY - timedelta(days=40)
    done = Milestone(
        title="完成选址", planned_date=day, original_date=day, status="completed",
        actual_date=day, verified_date=day,
    )  # fmt: skip
    later = TODAY + timedelta(days=40)
    planned = Milestone(
        title="主体完工", planned_date=later, original_date=later, status="planned", position=2
    )
    missed = Milestone(
        title="开工", planned_date=TODAY - ONE_DAY, original_date=TODAY - ONE_DAY,
        status="planned", position=1,
    )  # fmt: skip
    _copy(done, "supervision_assignment a WHERE a.id % 4 = 0", assignment_id="a.id")
    _copy(planned, "supervision_assignment a WHERE a.id % 4 = 0", assignment_id="a.id")
    due = "supervision_assignment a WHERE a.handler_name = 'due' AND a.id % 4 = 0"
    _copy(missed, due, assignment_id="a.id")


def _copy(pattern, source: str, **expressions: str) -> None:
    """Insert one row like `pattern` for each row of `source`; expressions replace columns."""
    from django.db import connection

    is_postgres = connection.vendor == "postgresql"
    uid = "gen_random_uuid()" if is_postgres else "lower(hex(randomblob(16)))"
    columns, values, params = [], [], []
    for column in pattern._meta.concrete_fields:
        if column.primary_key:
            continue
        columns.append(connection.ops.quote_name(column.column))
        if column.name == "uid":
            values.append(uid)
        elif column.column in expressions:
            values.append(expressions[column.column])
        else:
            value = getattr(pattern, column.attname)
            values.append("%s")
            params.append(column.get_db_prep_save(value, connection))
    table = connection.ops.quote_name(pattern._meta.db_table)
    into = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)}"
    with connection.cursor() as cursor:
        cursor.execute(f"{into} FROM {source.replace('%', '%%')}", params)


# The bare SQL

OPEN = "('pending', 'in_progress', 'returned')"
BARE = {
    "accept_overdue": """
        SELECT a.id, a.accept_due_date FROM supervision_assignment a
        WHERE a.status = 'pending' AND a.accept_due_date < %(today)s AND NOT EXISTS (
            SELECT 1 FROM supervision_event e
            WHERE e.fact_key = 'accept:' || a.id || ':' || a.accept_due_date)""",
    "became_overdue": f"""
        SELECT a.id, a.due_date, a.original_due_date, a.episode FROM supervision_assignment a
        WHERE a.status IN {OPEN} AND a.due_date < %(today)s AND NOT EXISTS (
            SELECT 1 FROM supervision_event e
            WHERE e.fact_key = 'overdue:' || a.id || ':' || a.episode)""",
    "milestone_missed": f"""
        SELECT m.id, m.assignment_id, m.title, m.planned_date FROM supervision_milestone m
        JOIN supervision_assignment a ON a.id = m.assignment_id
        WHERE m.status IN ('planned', 'in_progress', 'returned') AND m.planned_date < %(today)s
            AND a.status IN {OPEN} AND NOT EXISTS (
            SELECT 1 FROM supervision_event e
            WHERE e.fact_key = 'milestone:' || m.id || ':' || m.planned_date)""",
    "period_closed": f"""
        SELECT p.id, p.assignment_id, p.label, p.due_date FROM supervision_reportperiod p
        JOIN supervision_assignment a ON a.id = p.assignment_id
        WHERE p.status = 'open' AND p.due_date < %(today)s
            AND (a.status IN {OPEN} OR a.status IN ('under_review', 'approved')
                 AND a.submitted_date >= p.due_date)
            AND NOT EXISTS (
                SELECT 1 FROM supervision_event e WHERE e.fact_key = 'period:' || p.id)
            AND NOT EXISTS (
                SELECT 1 FROM supervision_hold h WHERE h.assignment_id = a.id
                AND h.start_date <= p.due_date
                AND (h.end_date IS NULL OR h.end_date > p.due_date))
            AND NOT EXISTS (
                SELECT 1 FROM supervision_event r WHERE r.assignment_id = a.id
                AND r.kind = 'reopened' AND r.happened_at > %(now)s)""",
    "ladder": " UNION ALL ".join(
        f"""
        SELECT a.id, '{step}' AS step, a.due_date, a.episode FROM supervision_assignment a
        WHERE a.status IN {OPEN} AND a.due_date <= %({step})s AND NOT EXISTS (
            SELECT 1 FROM supervision_event e WHERE e.fact_key = '{key}' || a.id || ':{label}:'
                || a.episode) {more} AND NOT EXISTS (
            SELECT 1 FROM supervision_extensionrequest x WHERE x.assignment_id = a.id
            AND x.status IN ('submitted', 'endorsed') AND NOT x.is_late)"""
        for step, key, label, more in (
            ("reminder_early", "reminder:", "reminder_early", "{unurged}"),
            ("reminder", "reminder:", "reminder", "{unurged}"),
            ("blue", "escalated:", "1", ""),
            ("yellow", "escalated:", "2", ""),
            ("red", "proposed:", "3", ""),
        )
    ).replace(
        "{unurged}",
        "AND NOT EXISTS (SELECT 1 FROM supervision_event u"
        " WHERE u.fact_key = 'escalated:' || a.id || ':1:' || a.episode)",
    )
    + f"""
        UNION ALL
        SELECT a.id, 'sent_back', a.due_date, a.episode FROM supervision_assignment a
        WHERE a.status IN {OPEN} AND a.times_returned >= 2 AND NOT EXISTS (
            SELECT 1 FROM supervision_event e
            WHERE e.fact_key = 'escalated:' || a.id || ':2:' || a.episode)""",
}
# The clocks of the office's own desks: what came before the day of the limit and is unmarked.
BARE_DESKS = tuple(
    f"""SELECT r.id, r.{since} FROM {source} WHERE {where} AND r.{since} < %(now)s AND NOT EXISTS (
        SELECT 1 FROM supervision_event e WHERE e.kind = 'review_overdue'
        AND e.{link} AND e.happened_at >= r.{since})"""
    for source, where, since, link in (
        ("supervision_supervisionitem r", "r.status = 'under_approval'", "submitted_at",
         "item_id = r.id"),
        ("supervision_objection r", "r.status = 'submitted'", "submitted_at",
         "assignment_id = r.assignment_id"),
        ("supervision_extensionrequest r", "r.status = 'submitted'", "submitted_at",
         "assignment_id = r.assignment_id"),
        ("supervision_extensionrequest r", "r.status = 'endorsed'", "endorsed_at",
         "assignment_id = r.assignment_id"),
        ("supervision_progressreport r", "r.status = 'submitted'", "submitted_at",
         "period_id = r.period_id"),
        ("supervision_progressreport r", "r.status = 'under_sign_off'", "submitted_at",
         "period_id = r.period_id"),
        ("supervision_milestone r", "r.status = 'under_review'", "submitted_at",
         "milestone_id = r.id"),
        ("supervision_assignment r", "r.status = 'under_review'", "submitted_at",
         "assignment_id = r.id"),
        ("supervision_assignment r", "r.status = 'approved'", "submitted_at",
         "assignment_id = r.id"),
        ("supervision_assignment r", "r.is_sign_off_requested", "submitted_at",
         "assignment_id = r.id"),
        ("supervision_release r", "r.status = 'under_review'", "created_at",
         "document_id = r.document_id"),
    )
)  # fmt: skip


def parameters() -> dict:
    """The days the bare SQL asks with, found by trying days: not by the code under test."""
    from supervision.rules.limits import Unit, shift
    from supervision.services.settings import working_calendar

    calendar = working_calendar()
    days = [TODAY + timedelta(days=n) for n in range(-60, 60)]

    def latest(holds: Callable[[date], bool]) -> date:
        return max(day for day in days if holds(day))

    found: dict = {"today": TODAY, "now": NOON}
    for name, offset in (("reminder_early", 10), ("reminder", 3)):
        found[name] = latest(
            lambda day, offset=offset: (
                shift(calendar.previous_working(day), -offset, Unit.WORKING_DAY, calendar) <= TODAY
            )
        )
    for name, offset in (("blue", 1), ("yellow", 5), ("red", 10)):
        found[name] = latest(
            lambda day, offset=offset: shift(day, offset, Unit.WORKING_DAY, calendar) <= TODAY
        )
    return found


def ask_bare(params: dict) -> dict[str, list[tuple]]:
    """What is due and not on record, by hand-written SQL: a statement for each kind of fact."""
    from django.db import connection

    found = {}
    with connection.cursor() as cursor:
        for kind, sql in BARE.items():
            cursor.execute(*_bound(sql, params))
            found[kind] = cursor.fetchall()
        waiting = []
        for sql in BARE_DESKS:
            cursor.execute(*_bound(sql, params))
            waiting += cursor.fetchall()
        found["reviews"] = waiting
    return found


def _bound(sql: str, params: dict) -> tuple[str, dict]:
    from django.db import connection

    if connection.vendor == "postgresql":
        return sql, params
    plain = {
        name: value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else f"{value}"
        for name, value in params.items()
    }
    return sql, plain


# Measuring


@contextmanager
def counted() -> Iterator[list[int]]:
    """Count the statements without keeping them: their texts would be the largest thing here."""
    from django.db import connection

    count = [0]

    def wrapper(execute, sql, params, many, context):
        count[0] += 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield count


def measure(run: Callable[[], object], *, repeats: int = REPEATS) -> Cost:
    """Median of several runs after one to warm up; statements and peak memory of one more."""
    run()
    seconds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begun)
    tracemalloc.start()
    with counted() as count:
        run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return Cost(count[0], statistics.median(seconds), peak)


def measure_once(run: Callable[[], object]) -> Cost:
    begun = time.perf_counter()
    with counted() as count:
        run()
    return Cost(count[0], time.perf_counter() - begun)


def bench(shares: int) -> Result:
    """All figures of one size; the database has no work in it yet."""
    from supervision.models import Assignment, Event
    from supervision.services.facts import due_effects
    from tasks.jobs import sweep

    build(shares)
    check(Assignment.objects.count() == shares, "the rows of the world")
    params = parameters()
    agree(due_effects(TODAY), ask_bare(params))
    is_large = shares >= 50_000
    repeats = 3 if is_large else REPEATS
    decide = measure(lambda: sweep(TODAY, at=NOON, is_dry_run=True), repeats=repeats)
    bare_decide = measure(lambda: ask_bare(params), repeats=repeats)
    newest = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    summary: dict = {}
    whole = measure_once(lambda: summary.update(sweep(TODAY, at=NOON)))
    effects = sum(summary["due"].values())
    check(sum(summary["written"].values()) == effects > 0, f"the sweep wrote {summary}")
    write = Cost(
        whole.statements - decide.statements, whole.seconds - decide.seconds, decide.peak_bytes
    )

    def nothing_due() -> None:
        found = sweep(TODAY, at=NOON)
        check(found["due"] == {}, f"the second sweep found {found['due']}")

    def bare_nothing() -> None:
        found = {kind: len(rows) for kind, rows in ask_bare(params).items() if rows}
        check(not found, f"bare SQL found {found}")

    tick = measure(nothing_due, repeats=repeats)
    bare_tick = measure(bare_nothing, repeats=repeats)
    bulk, rows_written = bulk_insert(newest, effects)
    return Result(shares, effects, rows_written, tick, bare_tick, decide, bare_decide, write, bulk)


def agree(effects, bare: dict[str, list[tuple]]) -> None:
    """Both find the same facts."""
    found = {kind: set() for kind in BARE}
    for effect in effects:
        if effect.kind.value in BARE:
            row = effect.milestone_id or effect.period_id or effect.assignment_id
            found[effect.kind.value].add(row)
        else:
            found["ladder"].add((effect.assignment_id, effect.data["code"]))
    wanted = {kind: {row[0] for row in bare[kind]} for kind in BARE if kind != "ladder"}
    wanted["ladder"] = {(pk, step) for pk, step, *_rest in bare["ladder"]}
    for kind in BARE:
        more, less = found[kind] - wanted[kind], wanted[kind] - found[kind]
        check(
            not more and not less and bool(wanted[kind]),
            f"{kind}: {len(found[kind])} facts, bare SQL {len(wanted[kind])};"
            f" {sorted(more)[:3]} {sorted(less)[:3]}",
        )


def bulk_insert(after: int, effects: int) -> tuple[Cost, int]:
    """The rows the sweep wrote once more, under other keys, by `bulk_create` in one transaction.

    The letters a fact calls for and their numbers are left out: the sweep is measured with them.
    """
    from django.db import transaction

    from notifications.models import Delivery, FanOut, InboxEntry
    from supervision.models import Event

    events = list(Event.objects.filter(pk__gt=after).order_by("pk"))
    facts = sum(event.fact_key is not None for event in events)
    check(facts == effects, f"{facts} events of {effects} facts")
    for event in events:
        event.pk += SHIFT
        event.fact_key = event.fact_key and f"copy:{event.fact_key}"
    batches = [events]
    for model in (InboxEntry, Delivery, FanOut):
        rows = list(model.objects.filter(event_id__gt=after).order_by("pk"))
        check(bool(rows), f"no {model.__name__} was written")
        for row in rows:
            row.pk = None
            row.event_id += SHIFT
            if model is InboxEntry:
                row.uid = model._meta.get_field("uid").get_default()
        batches.append(rows)

    def insert() -> None:
        with transaction.atomic():
            for rows in batches:
                type(rows[0]).objects.bulk_create(rows, batch_size=500)

    return measure_once(insert), sum(len(rows) for rows in batches)


# The table


def show(results: list[Result], database: str) -> None:
    print(f"\n{database}: 2 % due, 5 % overdue, the rest quiet; seconds are medians", flush=True)
    sizes = "".join(f"{result.assignments:>12,}" for result in results)
    print(f"{'':44}{sizes}{'growth':>9}")
    rows: list[tuple[str, Callable[[Result], float], str]] = [
        ("nothing due: statements", lambda r: r.tick.statements, ",.0f"),
        ("nothing due: seconds", lambda r: r.tick.seconds, ".4f"),
        ("  bare SQL: seconds", lambda r: r.bare_tick.seconds, ".4f"),
        ("  times the bare SQL (aim 2)", lambda r: r.tick_ratio, ".1f"),
        ("  peak memory, MiB", lambda r: (r.tick.peak_bytes or 0) / 2**20, ".2f"),
        ("due: facts", lambda r: r.effects, ",.0f"),
        ("due: events, inbox, deliveries, fan-outs", lambda r: r.rows_written, ",.0f"),
        ("deciding: statements", lambda r: r.decide.statements, ",.0f"),
        ("deciding: seconds", lambda r: r.decide.seconds, ".4f"),
        ("  times the bare SQL", lambda r: r.decide_ratio, ".1f"),
        ("  peak memory, MiB", lambda r: (r.decide.peak_bytes or 0) / 2**20, ".1f"),
        ("writing: statements", lambda r: r.write.statements, ",.0f"),
        ("  per fact", lambda r: r.write.statements / r.effects, ".1f"),
        ("writing: seconds", lambda r: r.write.seconds, ".3f"),
        ("  milliseconds a fact", lambda r: 1000 * r.write.seconds / r.effects, ".2f"),
        ("  bulk insert of the same rows: seconds", lambda r: r.bulk.seconds, ".3f"),
        ("  times the bulk insert (aim 3)", lambda r: r.write_ratio, ".1f"),
    ]
    for name, value, form in rows:
        figures = [value(result) for result in results]
        growth = f"{figures[-1] / figures[0]:>8.1f}×" if figures[0] else ""
        print(f"{name:44}{''.join(f'{format(figure, form):>12}' for figure in figures)}{growth}")


def judge(results: list[Result]) -> dict[str, bool]:
    """Which aims of the issue are reached; nothing is rounded in their favour."""
    return {
        "constant statements when nothing is due": len({r.tick.statements for r in results}) == 1,
        "nothing due costs at most twice the bare SQL": all(r.tick_ratio <= 2 for r in results),
        "writing costs at most three times a bulk insert": all(r.write_ratio <= 3 for r in results),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench-sweep")
    parser.add_argument(
        "--sizes",
        type=lambda text: [int(size) for size in text.split(",")],
        default=list(SIZES),
        help="numbers of assignments, separated by commas",
    )
    parser.add_argument("--into", type=Path, default=ROOT / "var", help="folder of the figures")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        from django.db import connection

        from tests.proofs.common import _server_version

        results = []
        for size in options.sizes:
            empty()
            begun = time.perf_counter()
            results.append(bench(size))
            took = time.perf_counter() - begun
            print(f"{connection.vendor}, {size:,} assignments: {took:.0f} s", flush=True)
        version = _server_version()
        show(results, f"{connection.vendor} {version}")
        connection.close()
    aims = judge(results)
    for aim, is_reached in aims.items():
        print(f"{aim}: {'yes' if is_reached else 'NO'}")
    options.into.mkdir(parents=True, exist_ok=True)
    figures = [
        asdict(result)
        | {
            "tick_ratio": result.tick_ratio,
            "decide_ratio": result.decide_ratio,
            "write_ratio": result.write_ratio,
        }
        for result in results
    ]
    path = options.into / f"bench-sweep-{connection.vendor}.json"
    text = json.dumps({"version": version, "aims": aims, "figures": figures}, indent=2)
    path.write_text(text + "\n", encoding="utf-8")
    print(f"figures: {path}")
    return 0 if aims["constant statements when nothing is due"] else 1


if __name__ == "__main__":
    sys.exit(main())
