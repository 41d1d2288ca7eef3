"""The ledger (督查台账): a sheet to print, a flat one to count with, the counties' progress.

Read and written a batch of items at a time, so that its memory does not grow with its rows.
Columns and customs: domain.md, section 8.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Any, BinaryIO

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from supervision.models import (
    Assignment,
    Organization,
    Outcome,
    Party,
    ProgressReport,
    Responsibility,
    SupervisionItem,
)
from supervision.overview import FILED, LIGHT_ORDER, Lamp, lamp_of_item, light_up
from supervision.rules.lights import Light
from supervision.spreadsheets.layout import (
    A4,
    SHAPES,
    Styles,
    Writer,
    new_sheet,
    new_workbook,
    note_on_paper,
)
from supervision.spreadsheets.print_sheet import (
    NUMBER,
    RUNNING,
    Column,
    FlatSheet,
    PrintSheet,
    Row,
)

LIGHT_NAMES = {
    Light.RED: pgettext_lazy("ledger", "Red"),
    Light.ORANGE: pgettext_lazy("ledger", "Orange"),
    Light.YELLOW: pgettext_lazy("ledger", "Yellow"),
    Light.BLUE: pgettext_lazy("ledger", "Blue"),
    Light.GREEN: pgettext_lazy("ledger", "Green"),
    Light.GREY: pgettext_lazy("ledger", "Grey"),
    Light.SUSPENDED: pgettext_lazy("ledger", "Suspended"),
    Light.DONE: pgettext_lazy("ledger", "Done on time"),
    Light.DONE_LATE: pgettext_lazy("ledger", "Done late"),
}
# In the order an office prints them; widths in characters.
PRINT_COLUMNS = (
    Column(NUMBER, pgettext_lazy("ledger", "No."), 5, "centre"),
    Column("number", pgettext_lazy("ledger", "Number"), 13, "centre"),
    Column("item", pgettext_lazy("ledger", "Item"), 20),
    Column("source", pgettext_lazy("ledger", "Source"), 17),
    Column("lead", pgettext_lazy("ledger", "Lead body"), 11, "top", is_merged=True),
    Column("supports", pgettext_lazy("ledger", "Supporting bodies"), 18),
    Column("person", pgettext_lazy("ledger", "Person in charge"), 9, "centre"),
    Column("assigned", pgettext_lazy("ledger", "Assigned on"), 11.5, "centre"),
    Column("due", pgettext_lazy("ledger", "Due date"), 12, "centre"),
    Column("progress", pgettext_lazy("ledger", "Progress"), 26, "text", is_long=True),
    Column("problems", pgettext_lazy("ledger", "Problems"), 16, "text", is_long=True),
    Column("next", pgettext_lazy("ledger", "Next steps"), 16, "text", is_long=True),
    Column("light", pgettext_lazy("ledger", "Light"), 13, "light"),
    Column("remarks", pgettext_lazy("ledger", "Remarks"), 16, "text", is_long=True),
)
FLAT_COLUMNS = (
    Column(NUMBER, pgettext_lazy("ledger", "No."), 6),
    Column("document", pgettext_lazy("ledger", "Document number"), 18),
    Column("chapter", pgettext_lazy("ledger", "Chapter"), 10),
    Column("clause", pgettext_lazy("ledger", "Clause"), 10),
    Column("number", pgettext_lazy("ledger", "Number"), 14),
    Column("item", pgettext_lazy("ledger", "Item"), 24),
    Column("body", pgettext_lazy("ledger", "Body"), 14),
    Column("kind", pgettext_lazy("ledger", "Kind of body"), 10),
    Column("role", pgettext_lazy("ledger", "Responsibility"), 10),
    Column("person", pgettext_lazy("ledger", "Person in charge"), 10),
    Column("state", pgettext_lazy("ledger", "State"), 10),
    Column("outcome", pgettext_lazy("ledger", "Outcome"), 10),
    Column("light", pgettext_lazy("ledger", "Light"), 10, "light"),
    Column("reason", pgettext_lazy("ledger", "Reason of the light"), 26),
    Column("assigned", pgettext_lazy("ledger", "Assigned on"), 12),
    Column("original_due", pgettext_lazy("ledger", "Original due date"), 12),
    Column("due", pgettext_lazy("ledger", "Current due date"), 12),
    Column("completed", pgettext_lazy("ledger", "Completed on"), 12),
    Column("days_late", pgettext_lazy("ledger", "Days overdue"), 9, "number"),
    Column(
        "days_late_original",
        pgettext_lazy("ledger", "Days late against the original date"),
        11,
        "number",
    ),
    Column("actual", pgettext_lazy("ledger", "Actual progress (percent)"), 9, "number"),
    Column("scheduled", pgettext_lazy("ledger", "Scheduled progress (percent)"), 9, "number"),
    Column("period", pgettext_lazy("ledger", "Period of the last return"), 11),
    Column("filed", pgettext_lazy("ledger", "Last return filed on"), 12),
    Column("progress", pgettext_lazy("ledger", "Progress"), 30),
    Column("problems", pgettext_lazy("ledger", "Problems"), 24),
    Column("next", pgettext_lazy("ledger", "Next steps"), 24),
)
COUNTY_COLUMNS = (
    Column("county", pgettext_lazy("ledger", "County"), 16),
    Column("all", pgettext_lazy("ledger", "Tasks"), 10, "number"),
    Column("done", pgettext_lazy("ledger", "Done"), 10, "number"),
    Column("late", pgettext_lazy("ledger", "Of these done late"), 12, "number"),
    Column("on_schedule", pgettext_lazy("ledger", "On schedule"), 12, "number"),
    Column("behind", pgettext_lazy("ledger", "Behind"), 10, "number"),
    Column("overdue", pgettext_lazy("ledger", "Overdue"), 10, "number"),
    Column("uncounted", pgettext_lazy("ledger", "Not reported or suspended"), 16, "number"),
    Column("share", pgettext_lazy("ledger", "Done / tasks"), 14, "centre"),
    Column("rate", pgettext_lazy("ledger", "Completion rate"), 12, "percent"),
)
WARNING = (Light.RED, Light.ORANGE, Light.YELLOW)
UNCOUNTED = (Light.GREY, Light.SUSPENDED)
# Items read at a time: some 1,300 shares where every county has one.
BATCH = 100
BY_CHAPTER, BY_BODY = "chapter", "body"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class LedgerCounts:
    """What a written ledger holds."""

    items: int
    assignments: int


@dataclass
class Line:
    """One item as the printed sheet shows it."""

    item: SupervisionItem
    lamp: Lamp
    told_by: Assignment | None  # whose return, dates and person in charge the row shows
    lead_name: str
    support_names: str
    shares: Sequence[Assignment] = field(default_factory=list)


def write_ledger(
    target: str | BinaryIO,
    *,
    assignments: QuerySet[Assignment],
    today: date,
    as_of: datetime,
    title: str,
    filter_text: str = "",
    unit_name: str = "",
    body: Organization | None = None,
    light: str = "",
    exported_by: str = "",
    paper: int = A4,
    order: str = BY_CHAPTER,
    numbering: str = RUNNING,
    progress: Progress | None = None,
    columns: Collection[str] = (),
    details: Collection[str] = (),
) -> LedgerCounts:
    """Write the workbook of these assignments, as they stand on `today`, to a path or a file.

    `assignments` are those somebody may see. With `body` only its shares are shown, each row with
    the light of its own share. `light` keeps the shares that show it, and the items that show it
    themselves or have such a share. `progress` is told (shares done, shares in all) after every
    batch; what it raises ends the writing. `columns` of the sheet to print and `details` of the
    flat one are keys; none given means all.
    """
    print_columns = chosen_columns(PRINT_COLUMNS, columns)
    flat_columns = chosen_columns(FLAT_COLUMNS, details)
    if body is not None:
        assignments = assignments.of_body_on(body, today)
    ledger = LedgerRows(assignments, today=today, body=body, light=light, order=order)
    book = new_workbook(creator=unit_name, title=title)
    styles = Styles()
    facts = facts_line(filter_text, as_of, unit_name)
    on_paper = exported_line(exported_by, as_of)

    def sheet_of(name: str, columns: Sequence[Column], paper: int = A4) -> Writer:
        widths = [column.width for column in columns]
        sheet = new_sheet(book, name, widths, paper=paper)
        note_on_paper(sheet, on_paper)
        return Writer(sheet, widths)

    printed = PrintSheet(
        sheet_of(pgettext("ledger", "Supervision ledger"), print_columns, paper),
        styles,
        print_columns,
        title,
        facts,
        numbering=numbering,
    )
    flat = FlatSheet(sheet_of(pgettext("ledger", "Details"), flat_columns), styles, flat_columns)
    printed.begin()
    flat.begin()
    lights: Counter = Counter()
    counties = CountyCounts()
    items = shares = 0
    for lines, kept, read in ledger.batches():
        for line in lines:
            printed.add(Row(line_values(line), ledger.band_of(line)))
            lights[line.lamp.code] += 1
        for share in kept:
            flat.add(Row(share_values(share)))
            counties.add(share)
        items += len(lines)
        shares += len(kept)
        if progress is not None:
            progress(read, ledger.total)
    printed.finish(total=total_line(items, lights))
    flat.finish()
    write_counties(
        sheet_of(pgettext("ledger", "Progress by county"), COUNTY_COLUMNS),
        styles,
        counties,
        facts,
    )
    book.save(target)
    return LedgerCounts(items=items, assignments=shares)


def chosen_columns(columns: Sequence[Column], keys: Collection[str]) -> tuple[Column, ...]:
    """The columns with these keys, in the order of the table; the running number stays first."""
    return tuple(
        column for column in columns if not keys or column.key == NUMBER or column.key in keys
    )


def facts_line(filter_text: str, as_of: datetime, unit_name: str) -> str:
    """The second row: what is shown, as of when, whose table it is."""
    return _("Shown: %(filter)s    As of: %(moment)s    Unit: %(unit)s") % {
        "filter": filter_text or _("everything"),
        "moment": timezone.localtime(as_of).strftime("%Y-%m-%d %H:%M"),
        "unit": unit_name or "—",
    }


def exported_line(exported_by: str, as_of: datetime) -> str:
    """The foot of every page; empty when nobody in particular exported it."""
    if not exported_by:
        return ""
    return _("Exported by %(name)s, %(moment)s") % {
        "name": exported_by,
        "moment": timezone.localtime(as_of).strftime("%Y-%m-%d %H:%M"),
    }


def light_name(code: str) -> str:
    """The light in words; late completion has a word of its own."""
    return str(LIGHT_NAMES[Light(code)])


# Reading


class LedgerReader:
    """Reads the lines of chosen items: at a constant number of queries, whatever their number."""

    def __init__(
        self,
        assignments: QuerySet[Assignment],
        *,
        today: date,
        body: Organization | None = None,
        light: str = "",
        order: str = BY_CHAPTER,
    ) -> None:
        self.assignments = assignments
        self.today = today
        self.body = body
        self.light = light
        self.order = order

    def read(self, chosen: Sequence[int]) -> tuple[list[Line], list[Assignment], int]:
        """The lines of these items in their order, the shares in them, and how many were read.

        With a light only the shares that show it, and the items that show it or have such a share.
        """
        shares = self._read(self._ordered(self.assignments.filter(item__in=chosen)))
        # Only shares of bodies that have changed since can stand elsewhere.
        places = {pk: place for place, pk in enumerate(chosen)}
        shares.sort(key=lambda share: (places[share.item_id], *_place(share)))
        read = len(shares)
        lines = _lines(shares, self.body)
        if self.light:
            shares = [share for share in shares if share.lamp.code == self.light]
            kept = {share.item_id for share in shares}
            lines = [line for line in lines if line.lamp.code == self.light or line.item.pk in kept]
        return lines, shares, read

    def _ordered(self, rows: QuerySet) -> QuerySet:
        # At most one: without an order the database finds it by its item, not by walking the rows.
        lead = (
            Assignment.objects.filter(item=OuterRef("item"), role=Responsibility.LEAD)
            .exclude(status=Assignment.Status.CANCELLED)
            .order_by()
        )
        rows = rows.annotate(
            lead_body=Subquery(lead.with_body_on(self.today).values("body_on")[:1])
        )
        by_body = ()
        if self.order == BY_BODY:
            body = Organization.objects.filter(pk=OuterRef("lead_body"))
            rows = rows.annotate(
                lead_kind_position=Subquery(body.values("kind_position")[:1]),
                lead_position=Subquery(body.values("position")[:1]),
            )
            by_body = ("lead_kind_position", "lead_position")
        return rows.order_by(
            *by_body,
            "item__document__issued_date",
            "item__document_id",
            "item__position",
            "item_id",
            "position",
            "organization__kind_position",
            "organization__position",
            "pk",
        )

    def _read(self, rows: QuerySet[Assignment]) -> list[Assignment]:
        """The shares with lamp, item, clause and last filed return, in order."""
        filed = ProgressReport.objects.filter(
            period__assignment=OuterRef("pk"), status__in=FILED
        ).order_by("-period__start_date")
        # The lead as the clause names it, for those who do not see the lead's own share.
        parties = Party.objects.filter(item=OuterRef("item"), role=Responsibility.LEAD)
        rows = rows.annotate(
            last_report_pk=Subquery(filed.values("pk")[:1]),
            named_lead=Subquery(parties.order_by("pk").values("named_as")[:1]),
        ).select_related("item__document", "item__clause", "item__leader", "organization")
        shares = light_up(rows, today=self.today, has_bodies_of_the_day=True)
        reports = {
            report.pk: report
            for report in ProgressReport.objects.filter(
                pk__in=[share.last_report_pk for share in shares if share.last_report_pk]
            ).select_related("period")
        }
        for share in shares:
            share.last_return = reports.get(share.last_report_pk)
            share.today = self.today
        return shares


class LedgerRows(LedgerReader):
    """The items and shares of a ledger, a batch at a time, in the order of the paper."""

    def __init__(self, assignments: QuerySet[Assignment], **options) -> None:
        super().__init__(assignments, **options)
        rows = self._ordered(assignments).values_list(
            "item_id", "item__document_id", "item__kind", "lead_body"
        )
        known: dict[int, tuple] = {}
        self.total = 0
        for pk, *place in rows.iterator(chunk_size=5_000):
            self.total += 1
            known.setdefault(pk, tuple(place))
        self._chosen = list(known)
        if self.light:
            self._chosen = [line.item.pk for lines, _s, _n in self.batches() for line in lines]
        self.counts = Counter(
            self._place(document, kind, lead)
            for document, kind, lead in (known[pk] for pk in self._chosen)
        )
        self.leads = {pk: place[2] for pk, place in known.items()}

    def _place(self, document: int, kind: str, lead: int | None) -> tuple:
        return (lead,) if self.order == BY_BODY else (document, kind)

    def batches(self) -> Iterator[tuple[list[Line], list[Assignment], int]]:
        """Lines, shares, and how many shares were read so far."""
        read = 0
        for start in range(0, len(self._chosen), BATCH):
            chosen = self._chosen[start : start + BATCH]
            lines, shares, count = self.read(chosen)
            read += count
            yield lines, shares, read

    def band_of(self, line: Line) -> str:
        """The line above a chapter, or above a body's items, with the number of items."""
        item = line.item
        place = self._place(item.document_id, item.kind, self.leads.get(item.pk))
        if self.order == BY_BODY:
            return _("%(body)s (%(count)s items)") % {
                "body": line.lead_name or _("No lead body"),
                "count": self.counts[place],
            }
        return _("%(document)s %(chapter)s (%(count)s items)") % {
            "document": item.document,
            "chapter": item.get_kind_display(),
            "count": self.counts[place],
        }


def _place(share: Assignment) -> tuple:
    """Where a share stands within its item: in the order of the body it was then with."""
    body = share.organization
    return share.position, body.kind_position, body.position, share.pk


def _lines(shares: Sequence[Assignment], body: Organization | None) -> list[Line]:
    """The items of these shares, one line each."""
    found = []
    for _item, group in groupby(shares, key=lambda share: share.item_id):
        rows = list(group)
        item = rows[0].item
        live = [row for row in rows if row.outcome != Outcome.CANCELLED] or rows
        lead = next((row for row in live if row.role == Responsibility.LEAD), None)
        told_by = live[0] if body is not None else lead
        others = [row for row in live if row.role != Responsibility.LEAD]
        found.append(
            Line(
                item=item,
                lamp=told_by.lamp if body is not None else lamp_of_item(item, live),
                told_by=told_by,
                lead_name=str(lead.organization) if lead else rows[0].named_lead or "",
                support_names=_names(others),
                shares=live,
            )
        )
    return found


def _names(shares: Sequence[Assignment]) -> str:
    """Bureaus on a line each, counties in one run: thirteen lines would fill half a page."""
    bureaus = [str(row.organization) for row in shares if not row.organization.is_county_level]
    counties = [str(row.organization) for row in shares if row.organization.is_county_level]
    return "\n".join(bureaus + (["、".join(counties)] if counties else []))


# The sheet to print


def line_values(line: Line) -> dict[str, Any]:
    """One item as the paper shows it."""
    report = line.told_by.last_return if line.told_by else None
    return {
        "number": line.item.number,
        "item": line.item.title,
        "source": _source(line.item),
        "lead": line.lead_name,
        "supports": line.support_names,
        "person": line.told_by.handler_name if line.told_by else "",
        "assigned": _assigned_on(line),
        "due": _due(line),
        "progress": report.progress_text if report else "",
        "problems": report.problem_text if report else "",
        "next": report.next_text if report else "",
        "light": light_cell(line.lamp),
        "remarks": _remarks(line),
    }


def light_cell(lamp: Lamp) -> tuple[str, str]:
    """A light as the paper shows it: shape, word and reason, with its code for the colour."""
    return lamp.code, f"{SHAPES[lamp.code]} {light_name(lamp.code)}\n{lamp.text}"


def _source(item: SupervisionItem) -> str:
    clause = item.clause.number if item.clause else ""
    return "\n".join(part for part in (item.document.doc_number, clause) if part)


def _assigned_on(line: Line) -> str:
    day = line.told_by.dispatched_date if line.told_by else None
    if day is None and line.item.dispatched_at:
        day = timezone.localdate(line.item.dispatched_at)
    return _day(day)


def _due(line: Line) -> str:
    """The date that holds, and beside a moved one the date first set."""
    row = line.told_by or line.item
    if row.due_date is None:
        return _("ongoing")
    if row.original_due_date and row.original_due_date != row.due_date:
        return _("%(date)s\n(first %(original)s)") % {
            "date": row.due_date.isoformat(),
            "original": row.original_due_date.isoformat(),
        }
    return _day(row.due_date)


def _remarks(line: Line) -> str:
    """Bodies other than the one the row speaks of that are overdue or behind, by reason."""
    reasons: dict[str, list[str]] = {}
    for row in line.shares:
        if row is not line.told_by and row.lamp.code in WARNING:
            reasons.setdefault(row.lamp.text, []).append(str(row.organization))
    return "\n".join(
        _("%(reason)s: %(bodies)s") % {"bodies": "、".join(bodies), "reason": reason}
        for reason, bodies in reasons.items()
    )


def total_line(count: int, lights: Counter) -> str:
    """The foot of the ledger: how many items, and how many under each light."""
    named = [
        _("%(shape)s %(light)s %(count)s")
        % {"shape": SHAPES[light], "light": light_name(light), "count": lights[light]}
        for light in LIGHT_ORDER
        if lights[light] or light != Light.ORANGE
    ]
    return _("Total: %(count)s items    %(lights)s") % {
        "count": count,
        "lights": "    ".join(named),
    }


# The flat sheet


def share_values(share: Assignment) -> dict[str, Any]:
    """One share with everything one may want to count by."""
    item, body, report = share.item, share.organization, share.last_return
    return {
        "document": item.document.doc_number,
        "chapter": item.get_kind_display(),
        "clause": item.clause.number if item.clause else "",
        "number": item.number or "",
        "item": item.title,
        "body": body.short_name,
        "kind": body.get_kind_display(),
        "role": share.get_role_display(),
        "person": share.handler_name,
        "state": share.get_status_display(),
        "outcome": share.get_outcome_display(),
        "light": (share.lamp.code, light_name(share.lamp.code)),
        "reason": share.lamp.text,
        "assigned": _day(share.dispatched_date),
        "original_due": _day(share.original_due_date),
        "due": _day(share.due_date),
        "completed": _day(share.completed_date),
        "days_late": _days_late(share),
        "days_late_original": share.days_late_original,
        "actual": _number(share.lamp.actual_percent),
        "scheduled": _number(share.lamp.scheduled_percent),
        "period": report.period.label if report else "",
        "filed": _day(timezone.localdate(report.submitted_at) if report else None),
        "progress": report.progress_text if report else "",
        "problems": report.problem_text if report else "",
        "next": report.next_text if report else "",
    }


def _days_late(share: Assignment) -> int:
    """Frozen when completed, counted on the day of the ledger while the work is overdue."""
    if share.days_late is not None:
        return share.days_late
    reason = share.lamp.verdict.time_reason
    if share.outcome == Outcome.OPEN and reason is not None and reason.code == "overdue":
        return int(reason.params["days"])
    return 0


def _number(percent) -> float | None:
    return None if percent is None else float(percent)


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


# The counties


class CountyCounts:
    """The shares of every county by class, counted as they pass."""

    def __init__(self) -> None:
        self.bodies: dict[int, tuple[Organization, Counter]] = {}

    def add(self, share: Assignment) -> None:
        if share.organization.is_county_level and share.outcome != Outcome.CANCELLED:
            _body, counts = self.bodies.setdefault(
                share.organization_id, (share.organization, Counter())
            )
            counts.update(_classes(share))

    def rows(self) -> list[tuple[str, Counter]]:
        """Every county in official order, and the sum of all at the end."""
        ordered = sorted(
            self.bodies.values(),
            key=lambda pair: (pair[0].kind_position, pair[0].position, pair[0].pk),
        )
        found = [(str(body), counts) for body, counts in ordered]
        if found:
            total = sum((counts for _body, counts in ordered), Counter())
            found.append((pgettext("ledger", "Total"), total))
        return found


def write_counties(writer: Writer, styles: Styles, counties: CountyCounts, facts: str) -> None:
    """The progress of the counties, always with the denominator."""
    sheet = PrintSheet(
        writer, styles, COUNTY_COLUMNS, pgettext("ledger", "Progress by county"), facts
    )
    sheet.begin()
    rows = counties.rows()
    for number, (name, counts) in enumerate(rows, start=1):
        look = styles.total if number == len(rows) else styles.middle
        writer.write(
            [county_values(name, counts).get(column.key) for column in COUNTY_COLUMNS],
            [look] + [styles.number] * 7 + [styles.centre, styles.percent],
            height=18,
        )
    if not rows:
        writer.across(_("No county has a task in what is shown."), styles.middle)


def county_values(name: str, counts: Counter) -> dict[str, Any]:
    keys = ("all", "done", "late", "on_schedule", "behind", "overdue", "uncounted")
    return {
        "county": name,
        **{key: counts[key] for key in keys},
        "share": f"{counts['done']} / {counts['all']}",
        "rate": round(counts["done"] / counts["all"], 3) if counts["all"] else 0,
    }


def _classes(share: Assignment) -> list[str]:
    """The column a share counts in; every share counts in one."""
    code = share.lamp.code
    if code in (Light.DONE, Light.DONE_LATE):
        return ["all", "done"] + ["late"] * (code == Light.DONE_LATE)
    if share.lamp.verdict.is_overdue:
        return ["all", "overdue"]
    if code in WARNING:
        return ["all", "behind"]
    return ["all", "uncounted" if code in UNCOUNTED else "on_schedule"]
