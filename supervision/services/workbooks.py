"""Acts on workbooks: what leaves is recorded, what comes back is taken whole or not at all."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import EventKind, Organization, PolicyDocument, User
from supervision.services.acts import ActRefused, record_event, require
from supervision.services.reports import open_report, save_report
from supervision.spreadsheets.returns import ParsedReturn, Preview, check

FOLDER = "returns"
SALT = "supervision.services.workbooks"
KEPT_FOR = timedelta(hours=1)


class WorkbookRefused(ActRefused):
    """Nothing was written: the preview names the cells that stood in the way."""

    def __init__(self, preview: Preview) -> None:
        super().__init__(
            _("Nothing was imported: %(count)s cells need attention first.")
            % {"count": len(preview.bad)}
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
def apply_return_workbook(
    *, parsed: ParsedReturn, organization: Organization, by: User, at: datetime
) -> ImportResult:
    """Save every changed row of a returned workbook as a draft, or none of them.

    Twice the same workbook changes nothing. Nothing is handed in by it. Raises WorkbookRefused
    with the bad cells, PermissionDenied, StaleRow when somebody was faster.
    """
    require(permissions.can_import_returns(organization, by))
    preview = check(parsed, organization=organization)
    if not preview.is_acceptable:
        raise WorkbookRefused(preview)
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
                "sha256": parsed.sha256,
            },
        )
    return ImportResult(applied=len(preview.applied), unchanged=preview.unchanged)


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
