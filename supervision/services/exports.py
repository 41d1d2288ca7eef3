"""Exports: small ones at once, long ones behind the page, each on record.

The row is the truth. A worker claims a run, tells how far it is, and stops when it is told to; a
run whose worker is gone is begun anew, and after the third loss it says so.
"""

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import BinaryIO

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import (
    EventKind,
    ExportRun,
    Organization,
    PolicyDocument,
    User,
)
from supervision.rules.saved_views import JOINT
from supervision.services.acts import (
    ActRefused,
    check_transition,
    local_date,
    lock,
    need_text,
    record_event,
    require,
    save,
)
from supervision.signals import export_requested
from supervision.spreadsheets.column_sets import (
    NUMBERINGS,
    ORDERS,
    PAPERS,
    SHEETS,
    Scope,
    SheetKind,
    count_rows,
    sheets_for,
    write_sheets,
)

# More rows than this run behind the page.
SMALL_ROWS = 2_000
KEPT_FOR = timedelta(days=3)
# A worker that was not heard of for so long is gone.
SILENT_FOR = timedelta(minutes=2)
# A run nobody began is called out again.
CALLED_EVERY = timedelta(minutes=5)
MOST_OPEN = 5
BEAT_EVERY = timedelta(seconds=1)


class ExportStopped(Exception):
    """The run was called off, or is another worker's now; nothing of it is kept."""


def kind_of(code: str, user: User) -> SheetKind:
    """The table by its code. Raises PermissionDenied for what is not this user's to take out."""
    require(permissions.exports_ledger(user))
    kind = SHEETS.get(code)
    if kind is None or kind not in sheets_for(user):
        raise PermissionDenied(_("This table is not among those you may take out."))
    return kind


def scope_of(parameters: Mapping[str, str], *, user: User, at: datetime, kind: SheetKind) -> Scope:
    """The rows a choice means for this user at this moment; unknown names are refused.

    A body that does not supervise gets its own rows, whatever it asked for. Raises ActRefused.
    """
    document = _named(PolicyDocument.objects.visible_to(user), parameters.get("document", ""))
    body = _named(Organization.objects.all(), parameters.get("body", ""))
    leader = _named(User.objects.all(), parameters.get("leader", ""))
    if user.is_body and not permissions.sees_all_items(user):
        body = user.organization
    period = parameters.get("period", "")
    if kind.needs_period and not period:
        raise ActRefused(_("Say which period the table is to show."))
    paper = parameters.get("paper") or kind.paper
    order = parameters.get("order") or ORDERS[0]
    numbering = parameters.get("numbering") or NUMBERINGS[0]
    if paper not in PAPERS or order not in ORDERS or numbering not in NUMBERINGS:
        raise ActRefused(_("The choice of paper or order is not known. Choose again."))
    return Scope(
        user=user,
        today=local_date(at),
        as_of=at,
        document=document,
        body=body,
        leader=leader,
        kind=parameters.get("kind", ""),
        state=parameters.get("state", ""),
        light=parameters.get("light", ""),
        period=period,
        order=order,
        numbering=numbering,
        paper=paper,
        unit_name=settings.OFFICE_NAME,
        columns=frozenset(filter(None, parameters.get("columns", "").split(JOINT))),
    )


def _named(rows, uid: str):
    if not uid:
        return None
    row = rows.filter(uid=uid).first()
    if row is None:
        raise ActRefused(_("What the table is narrowed to no longer exists. Choose again."))
    return row


def is_long(kind: SheetKind, scope: Scope) -> bool:
    """Whether it runs behind the page."""
    return count_rows(kind, scope) > SMALL_ROWS


@transaction.atomic
def export_now(
    *,
    target: BinaryIO,
    kind: SheetKind,
    scope: Scope,
    title: str,
    filter_text: str,
    by: User,
    at: datetime,
    reason: str = "",
) -> int:
    """Write a short table into `target` and keep a record of it. Returns its rows.

    Raises PermissionDenied, ActRefused when contacts are taken out without a reason.
    """
    require(kind in sheets_for(by) and permissions.exports_ledger(by))
    if kind.has_contacts:
        need_text(reason)
    rows = write_sheets(target, kind, scope, title=title, filter_text=filter_text)
    _record(kind.code, rows, filter_text, by, at, scope.document, scope.body, reason)
    return rows


def _record(code, rows, filter_text, by, at, document, body, reason) -> None:
    record_event(
        EventKind.EXPORTED,
        by=by,
        at=at,
        document=document,
        organization=body,
        reason=reason,
        data={"rows": rows, "filter": filter_text, "sheet": code},
    )


@transaction.atomic
def request_export(
    *,
    sheet: str,
    parameters: Mapping[str, str],
    title: str,
    file_name: str,
    filter_text: str,
    by: User,
    at: datetime,
    reason: str = "",
) -> ExportRun:
    """Ask for a long table; a worker writes it. Raises PermissionDenied, ActRefused."""
    kind = kind_of(sheet, by)
    if kind.has_contacts:
        need_text(reason)
    scope = scope_of(parameters, user=by, at=at, kind=kind)
    if ExportRun.objects.filter(owner=by, status__in=ExportRun.OPEN_STATES).count() >= MOST_OPEN:
        raise ActRefused(
            _("%(count)s of your exports are still under way. Wait for one, or call one off.")
            % {"count": MOST_OPEN}
        )
    run = ExportRun.objects.create(
        owner=by,
        sheet=sheet,
        title=title,
        file_name=file_name,
        parameters=dict(parameters) | {"reason": reason},
        filter_text=filter_text[:300],
        rows_total=count_rows(kind, scope),
        requested_at=at,
        beat_at=at,
    )
    export_requested.send_robust(sender=ExportRun, run=run)
    return run


@transaction.atomic
def cancel_export(*, run: ExportRun, by: User, at: datetime) -> ExportRun:
    """Call an export off: at once while it waits, at the worker's next word while it runs.

    Raises TransitionNotAllowed, PermissionDenied.
    """
    run = lock(run)
    check_transition(run.cancel, by)
    if run.status == ExportRun.Status.RUNNING and run.beat_at > at - SILENT_FOR:
        run.is_cancel_asked = True
    else:
        run.cancel(at=at)
    return save(run)


@transaction.atomic
def restart_export(*, run: ExportRun, by: User, at: datetime) -> ExportRun:
    """Ask for the same once more. Raises TransitionNotAllowed, PermissionDenied."""
    run = lock(run)
    check_transition(run.restart, by)
    run.restart(at=at)
    run.beat_at = at
    save(run)
    export_requested.send_robust(sender=ExportRun, run=run)
    return run


# The worker's side


@transaction.atomic
def claim_export(*, uid: str, at: datetime) -> ExportRun | None:
    """Begin a waiting run; None when there is nothing to begin: a task may come twice."""
    run = ExportRun.objects.select_for_update().filter(uid=uid).first()
    if run is None or run.status != ExportRun.Status.WAITING:
        return None
    run.start(at=at)
    return save(run)


def write_export(*, run: ExportRun, clock: Callable[[], datetime]) -> ExportRun:
    """Write a claimed run and put its file where its owner fetches it.

    `clock` gives the moment. What the owner may see is asked anew. Raises ExportStopped.
    """
    teller = _Teller(run, clock)
    try:
        kind = kind_of(run.sheet, run.owner)
        scope = scope_of(run.parameters, user=run.owner, at=clock(), kind=kind)
        with tempfile.TemporaryFile() as file:
            rows = write_sheets(
                file, kind, scope, title=run.title, filter_text=run.filter_text, progress=teller
            )
            return _deliver(run, file, rows, scope, clock())
    except ExportStopped:
        _stop(run, clock())
        raise
    except (ActRefused, PermissionDenied) as refusal:
        return _fail(run, str(refusal), clock())
    except Exception:
        _fail(run, _("The table could not be written; the administrator finds out why."), clock())
        raise


class _Teller:
    """Writes how far the run is, at most once a second, and hears whether it shall stop."""

    def __init__(self, run: ExportRun, clock: Callable[[], datetime]) -> None:
        self.run, self.clock = run, clock
        self.told_at: datetime | None = None

    def __call__(self, done: int, total: int) -> None:
        now = self.clock()
        if self.told_at is not None and now - self.told_at < BEAT_EVERY and done < total:
            return
        self.told_at = now
        mine = ExportRun.objects.filter(
            pk=self.run.pk,
            attempt=self.run.attempt,
            status=ExportRun.Status.RUNNING,
            is_cancel_asked=False,
        )
        if not mine.update(rows_done=done, rows_total=total, beat_at=now):
            raise ExportStopped


@transaction.atomic
def _mine(run: ExportRun) -> ExportRun:
    """The row again under a lock, while it is still this worker's. Raises ExportStopped."""
    fresh = lock(run)
    if fresh.attempt != run.attempt or fresh.status != ExportRun.Status.RUNNING:
        raise ExportStopped
    return fresh


@transaction.atomic
def _deliver(run: ExportRun, file: BinaryIO, rows: int, scope: Scope, at: datetime) -> ExportRun:
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    fresh = _mine(run)
    if fresh.is_cancel_asked:
        raise ExportStopped
    file.seek(0, 2)
    fresh.size_bytes = file.tell()
    file.seek(0)
    fresh.file.save("export", File(file), save=False)
    fresh.sha256 = digest
    fresh.rows_total = rows
    fresh.finish(at=at, keep_for=KEPT_FOR)
    save(fresh)
    reason = fresh.parameters.get("reason", "")
    _record(
        fresh.sheet, rows, fresh.filter_text, fresh.owner, at, scope.document, scope.body, reason
    )
    return fresh


@transaction.atomic
def _stop(run: ExportRun, at: datetime) -> None:
    fresh = lock(run)
    if fresh.attempt == run.attempt and fresh.status == ExportRun.Status.RUNNING:
        fresh.cancel(at=at)
        save(fresh)


@transaction.atomic
def _fail(run: ExportRun, error: str, at: datetime) -> ExportRun:
    fresh = _mine(run)
    fresh.fail(at=at, error=error)
    return save(fresh)


def look_after_exports(*, at: datetime) -> dict[str, int]:
    """What the worker's beat does for exports: call out, take from the dead, remove the old."""
    found = {"called": 0, "lost": 0, "failed": 0, "expired": 0}
    for run in ExportRun.objects.stalled(before=at - SILENT_FOR):
        found["failed" if _take_from_the_dead(run, at) else "lost"] += 1
    waiting = ExportRun.objects.filter(
        status=ExportRun.Status.WAITING, beat_at__lt=at - CALLED_EVERY
    )
    for run in waiting:
        if ExportRun.objects.filter(pk=run.pk, beat_at=run.beat_at).update(beat_at=at):
            export_requested.send_robust(sender=ExportRun, run=run)
            found["called"] += 1
    for run in ExportRun.objects.filter(status=ExportRun.Status.READY, expires_at__lt=at):
        found["expired"] += _expire(run, at)
    return found


@transaction.atomic
def _take_from_the_dead(run: ExportRun, at: datetime) -> bool:
    """Begin a lost run anew, or give it up after the last attempt; True when given up."""
    fresh = lock(run)
    if fresh.status != ExportRun.Status.RUNNING or fresh.beat_at >= at - SILENT_FOR:
        return False
    if fresh.is_cancel_asked:
        fresh.cancel(at=at)
        save(fresh)
        return False
    if fresh.attempt >= ExportRun.MOST_ATTEMPTS:
        fresh.fail(
            at=at,
            error=_("The worker ended %(count)s times in the middle of it.")
            % {"count": fresh.attempt},
        )
        save(fresh)
        return True
    fresh.requeue(at=at)
    save(fresh)
    export_requested.send_robust(sender=ExportRun, run=fresh)
    return False


@transaction.atomic
def _expire(run: ExportRun, at: datetime) -> int:
    fresh = lock(run)
    if fresh.status != ExportRun.Status.READY or fresh.expires_at >= at:
        return 0
    storage, name = fresh.file.storage, fresh.file.name
    fresh.expire()
    save(fresh)
    transaction.on_commit(lambda: storage.delete(name))
    return 1
