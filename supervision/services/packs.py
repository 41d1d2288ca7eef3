"""The pack of a monthly meeting: ledger, exceptions, differences from last month; frozen."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from supervision import permissions
from supervision.models import (
    Assignment,
    EventKind,
    MeetingPack,
    MeetingPackFile,
    Outcome,
    User,
)
from supervision.overview import light_up
from supervision.rules.lights import Light
from supervision.services.acts import local_date, name_of, record_event, require
from supervision.spreadsheets.column_sets.scope import Scope, batches_of
from supervision.spreadsheets.layout import Styles, Writer, new_sheet, new_workbook
from supervision.spreadsheets.ledger import facts_line, light_cell, light_name, write_ledger
from supervision.spreadsheets.print_sheet import NUMBER, Column, PrintSheet, Row

BAD = (Light.RED, Light.ORANGE, Light.YELLOW)
BRIEF = (
    Column(NUMBER, pgettext_lazy("sheet", "No."), 5, "centre"),
    Column("number", pgettext_lazy("sheet", "Register number"), 17, "centre"),
    Column("item", pgettext_lazy("sheet", "Item"), 34),
    Column("body", pgettext_lazy("sheet", "Body"), 18),
    Column("due", pgettext_lazy("sheet", "To be done by"), 13, "centre"),
    Column("light", pgettext_lazy("sheet", "Light"), 18, "light"),
)
DIFFERENCES = (
    Column(NUMBER, pgettext_lazy("sheet", "No."), 5, "centre"),
    Column("number", pgettext_lazy("sheet", "Register number"), 17, "centre"),
    Column("item", pgettext_lazy("sheet", "Item"), 34),
    Column("body", pgettext_lazy("sheet", "Body"), 18),
    Column("what", pgettext_lazy("sheet", "What changed"), 14, "centre"),
    Column("before", pgettext_lazy("sheet", "Last meeting"), 20, "centre"),
    Column("after", pgettext_lazy("sheet", "This meeting"), 20, "centre"),
)


@transaction.atomic
def make_pack(*, by: User, at: datetime) -> MeetingPack:
    """Freeze the papers of this month's meeting as things stand at `at`.

    A second pack of the same month is a further version; none is ever changed. The differences
    are those from the last pack of an earlier month. Raises PermissionDenied.
    """
    require(permissions.can_make_packs(by))
    today = local_date(at)
    label = today.strftime("%Y-%m")
    last = MeetingPack.objects.filter(label__lt=label).order_by("-label", "-number").first()
    number = MeetingPack.objects.filter(label=label).count() + 1
    scope = Scope(user=by, today=today, as_of=at, unit_name=settings.OFFICE_NAME)
    lit = list(_lit(scope))
    figures = {str(share.uid): _figures(share) for share in lit}
    ledger = BytesIO()
    counts = write_ledger(
        ledger,
        assignments=scope.shares(),
        today=today,
        as_of=at,
        title=pgettext("ledger", "Supervision ledger"),
        unit_name=settings.OFFICE_NAME,
        exported_by=name_of(by),
    )
    files = (
        (_("1 Supervision ledger %(month)s.xlsx") % {"month": label}, ledger.getvalue()),
        (
            _("2 Exceptions %(month)s.xlsx") % {"month": label},
            _sheet(
                scope,
                _("Exceptions of %(month)s: overdue, behind, or due soon") % {"month": label},
                BRIEF,
                _exceptions(lit),
            ),
        ),
        (
            _("3 Differences %(month)s.xlsx") % {"month": label},
            _sheet(
                scope,
                _("Differences of %(month)s from %(last)s")
                % {"month": label, "last": last or _("no earlier pack")},
                DIFFERENCES,
                _differences(lit, figures, last.figures if last else {}),
            ),
        ),
    )
    hashes = [[name, hashlib.sha256(content).hexdigest()] for name, content in files]
    manifest = json.dumps(
        [label, number, at.isoformat(), hashes, figures], ensure_ascii=False, sort_keys=True
    )
    pack = MeetingPack.objects.create(
        label=label,
        number=number,
        as_of_date=today,
        figures=figures,
        sha256=hashlib.sha256(manifest.encode()).hexdigest(),
        made_by=by,
        made_at=at,
    )
    for position, ((name, content), (_name, digest)) in enumerate(
        zip(files, hashes, strict=True), start=1
    ):
        MeetingPackFile.objects.create(
            pack=pack,
            position=position,
            name=name,
            file=ContentFile(content, name="pack"),
            size_bytes=len(content),
            sha256=digest,
        )
    record_event(
        EventKind.PACK_MADE,
        by=by,
        at=at,
        data={"period": str(pack), "rows": counts.assignments, "sha256": pack.sha256},
    )
    return pack


def is_whole(file: MeetingPackFile) -> bool:
    """Whether the stored bytes are those that were frozen."""
    with file.file.open("rb") as stored:
        return hashlib.file_digest(stored, "sha256").hexdigest() == file.sha256


def _lit(scope: Scope) -> Iterator[Assignment]:
    rows = scope.in_order(scope.shares().exclude(outcome=Outcome.CANCELLED))
    for batch in batches_of(rows):
        lit = light_up(scope.shares().filter(pk__in=[r.pk for r in batch]), today=scope.today)
        place = {row.pk: number for number, row in enumerate(batch)}
        for share in sorted(lit, key=lambda row: place[row.pk]):
            share.agreed_milestones = ()
            yield share


def _figures(share: Assignment) -> dict:
    return {
        "light": str(share.lamp.code),
        "due": share.due_date.isoformat() if share.due_date else "",
    }


def _base(share: Assignment) -> dict:
    return {
        "number": share.item.number or "",
        "item": share.item.title,
        "body": str(share.organization),
        "due": share.due_date.isoformat() if share.due_date else _("ongoing"),
    }


def _exceptions(lit: list[Assignment]) -> Iterator[Row]:
    for light in BAD:
        for share in lit:
            if share.lamp.code == light:
                yield Row(_base(share) | {"light": light_cell(share.lamp)}, light_name(light))


def _differences(lit: list[Assignment], now: dict, before: dict) -> Iterator[Row]:
    words = {"light": pgettext("sheet", "Light"), "due": pgettext("sheet", "Due date")}
    for share in lit:
        old, new = before.get(str(share.uid)), now[str(share.uid)]
        if old is None:
            yield Row(
                _base(share)
                | {
                    "what": pgettext("sheet", "New"),
                    "before": "—",
                    "after": light_name(new["light"]),
                }
            )
            continue
        for name, word in words.items():
            if old[name] != new[name]:
                show = light_name if name == "light" else str
                yield Row(
                    _base(share)
                    | {"what": word}
                    | {"before": show(old[name]) or "—", "after": show(new[name]) or "—"}
                )


def _sheet(scope: Scope, title: str, columns, rows: Iterator[Row]) -> bytes:
    book = new_workbook(creator=scope.unit_name, title=title)
    widths = [column.width for column in columns]
    sheet = PrintSheet(
        Writer(new_sheet(book, pgettext("sheet", "Pack"), widths), widths),
        Styles(),
        columns,
        title,
        facts_line("", scope.as_of, scope.unit_name),
    )
    sheet.begin()
    for row in rows:
        sheet.add(row)
    sheet.finish()
    file = BytesIO()
    book.save(file)
    return file.getvalue()
