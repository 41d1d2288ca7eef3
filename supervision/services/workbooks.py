"""Acts on workbooks: what leaves is recorded, what comes back is taken whole or not at all."""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO

from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import EventKind, Organization, PolicyDocument, ReturnWorkbook, User
from supervision.rules.merge import Choice
from supervision.services.acts import ActRefused, record_event, require
from supervision.services.reports import open_report, save_report
from supervision.spreadsheets.returns import (
    Decision,
    ParsedReturn,
    Preview,
    Written,
    check,
    write_return_workbook,
)

FOLDER = "returns"
SALT = "supervision.services.workbooks"
KEPT_FOR = timedelta(hours=1)


class WorkbookRefused(ActRefused):
    """Nothing was written: the preview names the cells that stood in the way."""

    def __init__(self, preview: Preview) -> None:
        super().__init__(
            _("Nothing was imported: %(count)s cells need attention first.")
            % {"count": len(preview.bad)}
            if preview.bad
            else _("Nothing was imported: say whose value stays in %(count)s cells first.")
            % {"count": preview.open_conflicts}
        )
        self.preview = preview


@dataclass(frozen=True)
class ImportResult:
    applied: int
    unchanged: int


@transaction.atomic
def record_export(
    *,
    by: User,
    at: datetime,
    rows: int,
    filter_text: str,
    document: PolicyDocument | None = None,
    organization: Organization | None = None,
) -> None:
    """Keep who took the ledger out, with which filter and how many rows.

    Raises PermissionDenied.
    """
    require(permissions.exports_ledger(by))
    record_event(
        EventKind.EXPORTED,
        by=by,
        at=at,
        document=document,
        organization=organization,
        data={"rows": rows, "filter": filter_text},
    )


@transaction.atomic
def hand_out_workbook(
    *, target: BinaryIO, organization: Organization, label: str, by: User, at: datetime
) -> Written:
    """Write the return workbook of a period and keep what every cell holds.

    A liaison of one section gets the rows of that section. Raises PermissionDenied,
    ActRefused when nothing is owed.
    """
    require(permissions.can_import_returns(organization, by))
    uid = uuid.uuid4()
    written = write_return_workbook(
        target,
        organization=organization,
        label=label,
        at=at,
        uid=uid,
        section_id=by.only_section_id,
    )
    ReturnWorkbook.objects.create(
        uid=uid,
        organization=organization,
        label=label,
        cells=written.cells,
        written_by=by,
        written_at=at,
    )
    return written


@transaction.atomic
def apply_return_workbook(
    *,
    parsed: ParsedReturn,
    organization: Organization,
    by: User,
    at: datetime,
    decisions: Mapping[str, Decision] | None = None,
    take: Choice | None = None,
) -> ImportResult:
    """Save every changed cell of a returned workbook in drafts, or none of them.

    `decisions` by cell, and `take` for all other cells, say whose value stays where both sides
    changed it. What was taken in becomes the base of the next merge: twice the same workbook
    changes nothing. Nothing is handed in by it. Raises WorkbookRefused with the bad cells or
    the conflicts still open, PermissionDenied, StaleRow when somebody was faster.
    """
    require(permissions.can_import_returns(organization, by))
    preview = check(
        parsed,
        organization=organization,
        section_id=by.only_section_id,
        decisions=decisions,
        take=take,
    )
    if not preview.is_acceptable:
        raise WorkbookRefused(preview)
    _note_taken(parsed, preview)
    for row in preview.applied:
        report = open_report(period=row.state.period, by=by, at=at)
        # A return begun by this very import has no version anybody could have seen.
        seen = row.state.report.version if row.state.report is not None else report.version
        save_report(report=report, by=by, at=at, version=seen, figures=row.figures, **row.texts)
    if preview.applied:
        record_event(
            EventKind.IMPORTED,
            by=by,
            at=at,
            organization=organization,
            data={
                "rows": len(preview.applied),
                "unchanged": preview.unchanged,
                "cells": sum(len(row.changes) for row in preview.applied),
                "period": preview.label,
                "conflicts": {
                    choice.value: sum(one.choice is choice for one in preview.conflicts)
                    for choice in Choice
                },
                "sha256": parsed.sha256,
            },
        )
    return ImportResult(applied=len(preview.applied), unchanged=preview.unchanged)


def _note_taken(parsed: ParsedReturn, preview: Preview) -> None:
    """What the workbook holds now is the base of its next merge."""
    if parsed.workbook_uid and preview.taken:
        kept = ReturnWorkbook.objects.select_for_update().filter(uid=parsed.workbook_uid).first()
        if kept is not None:
            kept.taken |= preview.taken
            kept.save(update_fields=["taken"])


# Between the preview and the yes


def keep_upload(*, content: bytes, by: User, at: datetime) -> str:
    """Put an uploaded workbook aside for an hour; returns a token only `by` can use."""
    _forget_old(at)
    name = default_storage.save(f"{FOLDER}/{uuid.uuid4().hex}", ContentFile(content))
    digest = hashlib.sha256(content).hexdigest()
    return signing.dumps({"name": name, "user": by.pk, "sha256": digest}, salt=SALT)


def take_upload(*, token: str, by: User) -> SimpleUploadedFile:
    """The workbook put aside under a token. Raises ActRefused when it is gone or not `by`'s."""
    gone = ActRefused(_("The uploaded file is no longer kept. Upload it again."))
    try:
        kept = signing.loads(token, salt=SALT, max_age=KEPT_FOR)
    except signing.BadSignature as error:
        raise gone from error
    if kept["user"] != by.pk or not default_storage.exists(kept["name"]):
        raise gone
    with default_storage.open(kept["name"]) as file:
        content = file.read()
    if hashlib.sha256(content).hexdigest() != kept["sha256"]:
        raise gone
    return SimpleUploadedFile("returns.xlsx", content)


def forget_upload(*, token: str) -> None:
    """Remove a workbook that was put aside; nothing happens when it is gone."""
    try:
        kept = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return
    default_storage.delete(kept["name"])


def _forget_old(at: datetime) -> None:
    if not default_storage.exists(FOLDER):
        return
    for name in default_storage.listdir(FOLDER)[1]:
        path = f"{FOLDER}/{name}"
        if default_storage.get_modified_time(path) < at - KEPT_FOR:
            default_storage.delete(path)
