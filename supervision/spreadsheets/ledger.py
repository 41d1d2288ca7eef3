"""The ledger (督查台账): a sheet to print, a flat one to count with, the counties' progress.

Columns and customs: domain.md, section 8. The number of queries does not depend on the rows.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Any, BinaryIO

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy
from openpyxl.utils import get_column_letter

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
    LINE_POINTS,
    SHAPES,
    TALLEST_POINTS,
    Style,
    Styles,
    Writer,
    new_sheet,
    new_workbook,
    note_on_paper,
    pieces,
    repeat_rows,
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
# Heading and width in characters, in the order an office prints them.
PRINT_COLUMNS = (
    (pgettext_lazy("ledger", "No."), 5),
    (pgettext_lazy("ledger", "Number"), 13),
    (pgettext_lazy("ledger", "Item"), 20),
    (pgettext_lazy("ledger", "Source"), 17),
    (pgettext_lazy("ledger", "Lead body"), 11),
    (pgettext_lazy("ledger", "Supporting bodies"), 18),
    (pgettext_lazy("ledger", "Person in charge"), 9),
    (pgettext_lazy("ledger", "Assigned on"), 11.5),
    (pgettext_lazy("ledger", "Due date"), 12),
    (pgettext_lazy("ledger", "Progress"), 26),
    (pgettext_lazy("ledger", "Problems"), 16),
    (pgettext_lazy("ledger", "Next steps"), 16),
    (pgettext_lazy("ledger", "Light"), 13),
    (pgettext_lazy("ledger", "Remarks"), 16),
)
LEAD_COLUMN = 5
FLAT_LIGHT = 12
LONG_TEXTS = (9, 10, 11, 13)  # progress, problems, next steps, remarks: may need a second row
HALF_PAGE_POINTS = 240
MOST_LINES = int((TALLEST_POINTS - 5) / LINE_POINTS)
FLAT_COLUMNS = (
    (pgettext_lazy("ledger", "No."), 6),
    (pgettext_lazy("ledger", "Document number"), 18),
    (pgettext_lazy("ledger", "Chapter"), 10),
    (pgettext_lazy("ledger", "Clause"), 10),
    (pgettext_lazy("ledger", "Number"), 14),
    (pgettext_lazy("ledger", "Item"), 24),
    (pgettext_lazy("ledger", "Body"), 14),
    (pgettext_lazy("ledger", "Kind of body"), 10),
    (pgettext_lazy("ledger", "Responsibility"), 10),
    (pgettext_lazy("ledger", "Person in charge"), 10),
    (pgettext_lazy("ledger", "State"), 10),
    (pgettext_lazy("ledger", "Outcome"), 10),
    (pgettext_lazy("ledger", "Light"), 10),
    (pgettext_lazy("ledger", "Reason of the light"), 26),
    (pgettext_lazy("ledger", "Assigned on"), 12),
    (pgettext_lazy("ledger", "Original due date"), 12),
    (pgettext_lazy("ledger", "Current due date"), 12),
    (pgettext_lazy("ledger", "Completed on"), 12),
    (pgettext_lazy("ledger", "Days overdue"), 9),
    (pgettext_lazy("ledger", "Days late against the original date"), 11),
    (pgettext_lazy("ledger", "Actual progress (percent)"), 9),
    (pgettext_lazy("ledger", "Scheduled progress (percent)"), 9),
    (pgettext_lazy("ledger", "Period of the last return"), 11),
    (pgettext_lazy("ledger", "Last return filed on"), 12),
    (pgettext_lazy("ledger", "Progress"), 30),
    (pgettext_lazy("ledger", "Problems"), 24),
    (pgettext_lazy("ledger", "Next steps"), 24),
)
COUNTY_COLUMNS = (
    (pgettext_lazy("ledger", "County"), 16),
    (pgettext_lazy("ledger", "Tasks"), 10),
    (pgettext_lazy("ledger", "Done"), 10),
    (pgettext_lazy("ledger", "Of these done late"), 12),
    (pgettext_lazy("ledger", "On schedule"), 12),
    (pgettext_lazy("ledger", "Behind"), 10),
    (pgettext_lazy("ledger", "Overdue"), 10),
    (pgettext_lazy("ledger", "Not reported or suspended"), 16),
    (pgettext_lazy("ledger", "Done / tasks"), 14),
    (pgettext_lazy("ledger", "Completion rate"), 12),
)
WARNING = (Light.RED, Light.ORANGE, Light.YELLOW)
UNCOUNTED = (Light.GREY, Light.SUSPENDED)


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
) -> LedgerCounts:
    """Write the workbook of these assignments, as they stand on `today`, to a path or a file.

    `assignments` are those somebody may see. With `body` only its shares are shown, each row with
    the light of its own share. `light` keeps the shares that show it, and the items that show it
    themselves or have such a share.
    """
    if body is not None:
        assignments = assignments.of_body_on(body, today)
    shares = _read(assignments, today)
    lines = _lines(shares, body)
    if light:
        shares = [share for share in shares if share.lamp.code == light]
        kept = {share.item_id for share in shares}
        lines = [line for line in lines if line.lamp.code == light or line.item.pk in kept]

    book = new_workbook(creator=unit_name, title=title)
    styles = Styles()
    facts = _("Shown: %(filter)s    As of: %(moment)s    Unit: %(unit)s") % {
        "filter": filter_text or _("everything"),
        "moment": timezone.localtime(as_of).strftime("%Y-%m-%d %H:%M"),
        "unit": unit_name or "—",
    }
    on_paper = (
        _("Exported by %(name)s, %(moment)s")
        % {"name": exported_by, "moment": timezone.localtime(as_of).strftime("%Y-%m-%d %H:%M")}
        if exported_by
        else ""
    )
    parts = (
        (pgettext("ledger", "Supervision ledger"), PRINT_COLUMNS, _write_print, lines),
        (pgettext("ledger", "Details"), FLAT_COLUMNS, _write_flat, shares),
        (pgettext("ledger", "Progress by county"), COUNTY_COLUMNS, _write_counties, shares),
    )
    for name, columns, write, rows in parts:
        widths = [width for _heading, width in columns]
        sheet = new_sheet(book, name, widths)
        note_on_paper(sheet, on_paper)
        writer = Writer(sheet, widths)
        headings = [str(heading) for heading, _width in columns]
        write(writer, styles, rows, headings, title, facts)
    book.save(target)
    return LedgerCounts(items=len(lines), assignments=len(shares))


def light_name(code: str) -> str:
    """The light in words; late completion has a word of its own."""
    return str(LIGHT_NAMES[Light(code)])


# Reading


def _read(assignments: QuerySet[Assignment], today: date) -> list[Assignment]:
    """The shares with lamp, item, clause and last filed return, in the order of the document."""
    filed = ProgressReport.objects.filter(
        period__assignment=OuterRef("pk"), status__in=FILED
    ).order_by("-period__start_date")
    rows = (
        assignments.annotate(last_report_pk=Subquery(filed.values("pk")[:1]))
        .select_related("item__document", "item__clause", "organization")
        .order_by(
            "item__document__issued_date",
            "item__document_id",
            "item__position",
            "item_id",
            "position",
            "organization__kind_position",
            "organization__position",
            "pk",
        )
    )
    shares = light_up(rows, today=today, has_bodies_of_the_day=True)
    # Stable: only shares of bodies that have changed since can stand elsewhere.
    shares.sort(key=_place)
    reports = {
        report.pk: report
        for report in ProgressReport.objects.filter(
            pk__in=[share.last_report_pk for share in shares if share.last_report_pk]
        ).select_related("period")
    }
    for share in shares:
        share.last_return = reports.get(share.last_report_pk)
        share.today = today
    return shares


def _place(share: Assignment) -> tuple:
    """Where a share stands: in the order of the document, then of the body it was then with."""
    item, body = share.item, share.organization
    return (
        item.document.issued_date,
        item.document_id,
        item.position,
        item.pk,
        share.position,
        body.kind_position,
        body.position,
        share.pk,
    )


def _lines(shares: Sequence[Assignment], body: Organization | None) -> list[Line]:
    """The items of these shares, one line each."""
    found = []
    groups = [(pk, list(rows)) for pk, rows in groupby(shares, key=lambda share: share.item_id)]
    named = _named_leads([pk for pk, _rows in groups])
    for pk, rows in groups:
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
                lead_name=str(lead.organization) if lead else named.get(pk, ""),
                support_names=_names(others),
                shares=live,
            )
        )
    return found


def _named_leads(items: Sequence[int]) -> dict[int, str]:
    """The lead as the clause names it, for those who do not see the lead's own share."""
    parties = Party.objects.filter(item__in=items, role=Responsibility.LEAD)
    return dict(parties.values_list("item_id", "named_as"))


def _names(shares: Sequence[Assignment]) -> str:
    """Bureaus on a line each, counties in one run: thirteen lines would fill half a page."""
    bureaus = [str(row.organization) for row in shares if not row.organization.is_county_level]
    counties = [str(row.organization) for row in shares if row.organization.is_county_level]
    return "\n".join(bureaus + (["、".join(counties)] if counties else []))


# The sheet to print


def _write_print(writer: Writer, styles: Styles, lines, headings, title, facts) -> None:
    repeat_rows(writer.sheet, "3:3")
    writer.across(title, styles.title, height=30)
    writer.across(facts, styles.facts)
    writer.write(headings, [styles.head] * writer.width, height=32)
    number = 0
    for (_document, kind), group in groupby(lines, key=_chapter):
        chapter = list(group)
        writer.across(
            _("%(document)s %(chapter)s (%(count)s items)")
            % {
                "document": chapter[0].item.document,
                "chapter": kind,
                "count": len(chapter),
            },
            styles.band,
        )
        lead, first, points = None, 0, 0.0
        for line in chapter:
            number += 1
            # A cell merged over more than half a page would show its name on one page only.
            if line.lead_name != lead or points > HALF_PAGE_POINTS:
                if first:
                    writer.merge(first, LEAD_COLUMN, writer.row, LEAD_COLUMN)
                lead, first, points = line.lead_name, writer.row + 1, 0.0
                points += _write_line(writer, styles, line, number)
            else:
                points += _write_line(writer, styles, line, number, is_lead_named=False)
        writer.merge(first, LEAD_COLUMN, writer.row, LEAD_COLUMN)
    if not lines:
        writer.across(_("There is nothing to show."), styles.middle)
    writer.across(_total(lines), styles.total)
    writer.across("", styles.sign, height=10)
    writer.across(
        _("Filled in by: ____________        Signed off by: ____________        Date: ________"),
        styles.sign,
        height=28,
    )


def _chapter(line: Line) -> tuple[int, str]:
    return line.item.document_id, line.item.get_kind_display()


def _write_line(
    writer: Writer, styles: Styles, line: Line, number: int, *, is_lead_named: bool = True
) -> float:
    """One item; a text longer than a row can be goes on in the next, the other cells merged.

    Returns the height in points.
    """
    report = line.told_by.last_return if line.told_by else None
    values = [
        number,
        line.item.number or "",
        line.item.title,
        _source(line.item),
        line.lead_name if is_lead_named else None,
        line.support_names,
        line.told_by.handler_name if line.told_by else "",
        _assigned_on(line),
        _due(line),
        report.progress_text if report else "",
        report.problem_text if report else "",
        report.next_text if report else "",
        f"{SHAPES[line.lamp.code]} {light_name(line.lamp.code)}\n{line.lamp.text}",
        _remarks(line),
    ]
    looks = [
        styles.centre,
        styles.centre,
        styles.middle,
        styles.middle,
        styles.top,
        styles.middle,
        styles.centre,
        styles.centre,
        styles.centre,
        styles.text,
        styles.text,
        styles.text,
        styles.lights[line.lamp.code],
        styles.text,
    ]
    parts = {
        column: pieces(values[column], writer.widths[column], MOST_LINES) for column in LONG_TEXTS
    }
    count = max(len(part) for part in parts.values())
    first = writer.row + 1
    points = 0.0
    for index in range(count):
        row = list(values) if index == 0 else [None] * writer.width
        for column, part in parts.items():
            row[column] = part[index] if index < len(part) else ""
        points += writer.sheet.row_dimensions[writer.write(row, looks)].height
    for column in range(writer.width):
        if column not in LONG_TEXTS and column + 1 != LEAD_COLUMN:
            writer.merge(first, column + 1, writer.row, column + 1)
    return points


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


def _total(lines: Sequence[Line]) -> str:
    counts = Counter(line.lamp.code for line in lines)
    named = [
        _("%(shape)s %(light)s %(count)s")
        % {"shape": SHAPES[light], "light": light_name(light), "count": counts[light]}
        for light in LIGHT_ORDER
        if counts[light] or light != Light.ORANGE
    ]
    return _("Total: %(count)s items    %(lights)s") % {
        "count": len(lines),
        "lights": "    ".join(named),
    }


# The flat sheet


def _write_flat(writer: Writer, styles: Styles, shares, headings, title, facts) -> None:
    """One row per item and body, nothing merged, headings in the first row: ready for a pivot."""
    repeat_rows(writer.sheet, "1:1")
    last = max(len(shares) + 1, 2)
    writer.sheet.auto_filter.ref = f"A1:{get_column_letter(writer.width)}{last}"
    writer.write(headings, [styles.head] * writer.width, height=44)
    plain = [styles.middle] * writer.width
    for number, values in enumerate(_flat_rows(shares), start=1):
        code = values[FLAT_LIGHT]
        plain[FLAT_LIGHT] = styles.lights[code]
        values[FLAT_LIGHT] = light_name(code)
        writer.write([number, *values[1:]], plain, height=15)


def _flat_rows(shares: Sequence[Assignment]) -> Iterator[list[Any]]:
    chapters = _words(SupervisionItem._meta.get_field("kind").choices)
    kinds = _words(Organization.Kind.choices)
    roles = _words(Responsibility.choices)
    states = _words(Assignment.Status.choices)
    outcomes = _words(Outcome.choices)
    for share in shares:
        item, body, report = share.item, share.organization, share.last_return
        yield [
            None,
            item.document.doc_number,
            chapters[item.kind],
            item.clause.number if item.clause else "",
            item.number or "",
            item.title,
            body.short_name,
            kinds[body.kind],
            roles[share.role],
            share.handler_name,
            states[share.status],
            outcomes[share.outcome],
            share.lamp.code,
            share.lamp.text,
            _day(share.dispatched_date),
            _day(share.original_due_date),
            _day(share.due_date),
            _day(share.completed_date),
            _days_late(share),
            share.days_late_original,
            _number(share.lamp.actual_percent),
            _number(share.lamp.scheduled_percent),
            report.period.label if report else "",
            _day(timezone.localdate(report.submitted_at) if report else None),
            report.progress_text if report else "",
            report.problem_text if report else "",
            report.next_text if report else "",
        ]


def _words(choices) -> dict[str, str]:
    """The labels in the reader's language, translated once and not in every row."""
    return {code: str(label) for code, label in choices}


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


def _write_counties(writer: Writer, styles: Styles, shares, headings, title, facts) -> None:
    repeat_rows(writer.sheet, "3:3")
    writer.across(pgettext("ledger", "Progress by county"), styles.title, height=30)
    writer.across(facts, styles.facts)
    writer.write(headings, [styles.head] * writer.width, height=32)
    bodies: dict[int, tuple[Organization, Counter]] = {}
    for share in shares:
        if share.organization.is_county_level and share.outcome != Outcome.CANCELLED:
            _body, counts = bodies.setdefault(
                share.organization_id, (share.organization, Counter())
            )
            counts.update(_classes(share))
    ordered = sorted(
        bodies.values(), key=lambda pair: (pair[0].kind_position, pair[0].position, pair[0].pk)
    )
    for body, counts in ordered:
        _write_county(writer, styles, str(body), counts, styles.middle)
    if ordered:
        total = sum((counts for _body, counts in ordered), Counter())
        _write_county(writer, styles, pgettext("ledger", "Total"), total, styles.total)
    else:
        writer.across(_("No county has a task in what is shown."), styles.middle)


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


def _write_county(writer, styles: Styles, name: str, counts: Counter, look: Style) -> None:
    writer.write(
        [
            name,
            counts["all"],
            counts["done"],
            counts["late"],
            counts["on_schedule"],
            counts["behind"],
            counts["overdue"],
            counts["uncounted"],
            f"{counts['done']} / {counts['all']}",
            round(counts["done"] / counts["all"], 3),
        ],
        [look] + [styles.number] * 7 + [styles.centre, styles.percent],
        height=18,
    )
