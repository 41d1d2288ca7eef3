"""Public editions: compose from allow-listed facts, review by another person, release, withdraw."""

import hashlib
import json
import re
from datetime import date, datetime

from django.db import transaction
from django.db.models import Max, Prefetch
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import (
    DateChange,
    EventKind,
    Milestone,
    PolicyDocument,
    ProgressReport,
    PublicItem,
    Release,
    Responsibility,
    SupervisionItem,
    User,
)
from supervision.overview import light_up_items
from supervision.rules.public_status import public_status
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
from supervision.signals import public_set_changed

SECRET_MARKS = ("秘密★", "机密★", "绝密★", "内部资料", "内部文件")


def canonical_hash(data) -> str:
    """sha256 of the canonical JSON of `data`; what was reviewed is what is released."""
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def compose(document: PolicyDocument, *, as_of: date) -> dict:
    """The allow-listed public facts of a document on a day.

    Items not marked as open to the public leave no trace: no row, no gap, no count.
    """
    items = (
        document.items.filter(openness=SupervisionItem.Openness.PROACTIVE)
        .exclude(dispatched_at=None)
        .exclude(status=SupervisionItem.Status.CANCELLED)
        .select_related("clause", "document")
        .prefetch_related("clause__targets")
        .order_by("position", "pk")
    )
    items = light_up_items(items, today=as_of)
    reports = _latest_accepted(items)
    moves: dict[int, list[DateChange]] = {}
    shares = [share.pk for item in items for share in item.shares]
    for change in DateChange.objects.filter(assignment__in=shares, milestone=None):
        moves.setdefault(change.assignment_id, []).append(change)
    entries = [_entry(item, reports, moves, as_of) for item in items]
    return {
        "document": {
            "doc_number": document.doc_number,
            "title": document.title,
            "issuing_body": document.issuing_body,
            "issued_date": document.issued_date.isoformat(),
            "horizon_date": document.horizon_date.isoformat(),
            "region": document.region_name,
        },
        "as_of_date": as_of.isoformat(),
        "items": entries,
        "targets": [
            _target(target, _latest_value(target, reports))
            for target in document.targets.select_related("clause").order_by("position")
            if target.clause_id is None
        ],
    }


def _latest_accepted(items) -> dict[int, ProgressReport]:
    """The latest accepted return of each assignment, with its figures: two queries."""
    found: dict[int, ProgressReport] = {}
    assignments = [share.pk for item in items for share in item.shares]
    latest = (
        ProgressReport.objects.filter(
            status=ProgressReport.Status.APPROVED, period__assignment__in=assignments
        )
        .values("period__assignment")
        .annotate(last=Max("period__start_date"))
    )
    wanted = {(row["period__assignment"], row["last"]) for row in latest}
    reports = (
        ProgressReport.objects.filter(
            status=ProgressReport.Status.APPROVED,
            period__assignment__in=assignments,
            period__start_date__in={last for _pk, last in wanted},
        )
        .select_related("period")
        .prefetch_related(Prefetch("figures"))
    )
    for report in reports:
        key = (report.period.assignment_id, report.period.start_date)
        if key in wanted:
            found[key[0]] = report
    return found


def _status_of(row, as_of: date) -> str:
    outcome = {"on_time": "done", "late": "done_late"}.get(row.outcome, "")
    status = public_status(row.lamp.verdict, status=row.status, outcome=outcome)
    return status.value if status else "suspended"


def _entry(
    item: SupervisionItem,
    reports: dict[int, ProgressReport],
    moves: dict[int, list[DateChange]],
    as_of: date,
) -> dict:
    lead = next((s for s in item.shares if s.role == Responsibility.LEAD), None)
    report = reports.get(lead.pk) if lead else None
    targets = list(item.clause.targets.all()) if item.clause else []
    figures = {f.target_id: f.value for f in report.figures.all()} if report else {}
    milestones = lead.agreed_milestones if lead else []
    upcoming = [m for m in milestones if m.status != Milestone.Status.COMPLETED]
    changes = moves.get(lead.pk, []) if lead else []
    return {
        "key": str(item.uid),
        "kind": item.kind,
        "clause": item.clause.number if item.clause else "",
        "title": item.title,
        "theme": item.clause.theme if item.clause else "",
        "summary": item.requirement,
        "quoted_text": item.clause.quoted_text if item.clause else "",
        "lead": str(lead.organization) if lead else "",
        "supports": [str(s.organization) for s in item.shares if s.role == Responsibility.SUPPORT],
        "counties": [
            {"name": str(s.organization), "status": _status_of(s, as_of)}
            for s in item.shares
            if s.role == Responsibility.COUNTY and s.outcome != "cancelled"
        ],
        "status": _status_of(item, as_of),
        "percent": str(lead.lamp.actual_percent)
        if lead and lead.lamp.actual_percent is not None
        else None,
        "original_due_date": item.original_due_date and item.original_due_date.isoformat(),
        "due_date": item.due_date and item.due_date.isoformat(),
        "is_ongoing": item.is_ongoing,
        "completed_date": item.completed_date and item.completed_date.isoformat(),
        "days_late": lead.days_late if lead else None,
        "date_changes": [
            {
                "old_date": change.old_date.isoformat(),
                "new_date": change.new_date.isoformat(),
                "working_days": change.working_days,
                "cause": change.cause,
                "changed_date": local_date(change.changed_at).isoformat(),
            }
            for change in changes
        ],
        "next_milestone": {
            "title": upcoming[0].title,
            "planned_date": upcoming[0].planned_date.isoformat(),
        }
        if upcoming
        else None,
        "milestones": [
            {
                "title": m.title,
                "original_date": m.original_date and m.original_date.isoformat(),
                "planned_date": m.planned_date.isoformat(),
                "actual_date": m.actual_date.isoformat()
                if m.status == Milestone.Status.COMPLETED
                else None,
            }
            for m in milestones
        ],
        "progress_text": report.progress_text if report else "",
        "verified_date": local_date(report.reviewed_at).isoformat() if report else None,
        "period": report.period.label if report else "",
        "targets": [_target(target, figures.get(target.pk)) for target in targets],
    }


def _latest_value(target, reports):
    values = [
        (report.period.start_date, figure.value)
        for report in reports.values()
        for figure in report.figures.all()
        if figure.target_id == target.pk
    ]
    return max(values)[1] if values else None


def _target(target, value) -> dict:
    return {
        "name": target.name,
        "group": target.group,
        "comparison": target.comparison,
        "goal": None if target.value is None else f"{target.value.normalize():f}",
        "value": None if value is None else f"{value.normalize():f}",
        "unit": target.unit,
        "due_date": target.due_date.isoformat(),
        "scope": target.scope,
        "definition": target.definition,
    }


def obstacles_to_release(content: dict) -> list[str]:
    """Machine checks that block: marks of secrecy, phone and identity numbers in any text."""
    found = []
    texts = json.dumps(content, ensure_ascii=False)
    for mark in SECRET_MARKS:
        if mark in texts:
            found.append(_("The text carries the mark “%(mark)s”.") % {"mark": mark})
    for entry in content["items"]:
        words = entry["progress_text"] + entry["summary"]
        for kind in personal_data_in(words):
            found.append(
                _("“%(title)s” contains %(kind)s; take it out of the return's text first.")
                % {"title": entry["title"], "kind": kind}
            )
    if not content["items"]:
        found.append(_("No item is marked as open to the public."))
    return found


def personal_data_in(text: str) -> list[str]:
    """Kinds of personal data a text seems to hold: identity, mobile and bank-card numbers, mail."""
    patterns = (
        (r"(?<!\d)\d{17}[\dXx](?!\d)", _("an identity number")),
        (r"(?<!\d)1[3-9]\d{9}(?!\d)", _("a mobile number")),
        (r"(?<!\d)\d{16}(?:\d{3})?(?!\d)", _("a bank-card number")),
        (r"[\w.+-]+@[\w-]+\.[\w.]+", _("an e-mail address")),
    )
    return [str(name) for pattern, name in patterns if re.search(pattern, text)]


@transaction.atomic
def propose_release(
    *, document: PolicyDocument, by: User, at: datetime, as_of: date | None = None
) -> Release:
    """Compose an edition and hand it to review.

    Raises PermissionDenied, ActRefused naming what the machine checks found.
    """
    require(by.has_role(permissions.PUBLISHER))
    as_of = as_of or local_date(at)
    if document.releases.filter(
        status__in=[Release.Status.DRAFT, Release.Status.UNDER_REVIEW, Release.Status.APPROVED]
    ).exists():
        raise ActRefused(
            _("An edition of this document is already on its way. Release it or send it back.")
        )
    release = Release(
        document=document,
        label=f"{as_of:%Y-%m}",
        as_of_date=as_of,
        author=by,
        author_deputy=by.deputy,
        created_at=at,
    )
    _fill(release)
    release.save()
    return _submit(release, by, at)


def _fill(release: Release) -> None:
    release.content = compose(release.document, as_of=release.as_of_date)
    release.content_hash = canonical_hash(release.content)
    obstacles = obstacles_to_release(release.content)
    if obstacles:
        raise ActRefused(" ".join(obstacles))


def _submit(release: Release, by: User, at: datetime) -> Release:
    check_transition(release.submit, by)
    release.submit()
    save(release)
    _record(EventKind.RELEASE_PROPOSED, release, by, at)
    return release


def _record(kind, release: Release, by: User, at: datetime, reason: str = "") -> None:
    record_event(
        kind,
        document=release.document,
        by=by,
        at=at,
        to_state=release.status,
        reason=reason,
        data={"edition": release.label, "hash": release.content_hash},
    )


@transaction.atomic
def resubmit_release(
    *, release: Release, by: User, at: datetime, version: int | None = None
) -> Release:
    """Compose an edition that was sent back afresh and hand it to review again."""
    release = lock(release, version=version)
    require(permissions.can_propose_release(release, by))
    if release.status == Release.Status.DRAFT:
        _fill(release)
    return _submit(release, by, at)


@transaction.atomic
def send_back_release(
    *, release: Release, by: User, at: datetime, reason: str, version: int | None = None
) -> Release:
    """Return an edition with a reason; every review step is void."""
    release = lock(release, version=version)
    check_transition(release.send_back, by)
    need_text(reason)
    release.send_back()
    save(release)
    _record(EventKind.RELEASE_SENT_BACK, release, by, at, reason)
    return release


@transaction.atomic
def approve_release(
    *, release: Release, by: User, at: datetime, version: int | None = None
) -> Release:
    """A second person has read it; the hash that was seen is stored with the name."""
    release = lock(release, version=version)
    check_transition(release.approve, by)
    if canonical_hash(release.content) != release.content_hash:
        raise ActRefused(_("The content is not what was submitted. Send it back."))
    release.approve(by=by, at=at)
    save(release)
    _record(EventKind.RELEASE_APPROVED, release, by, at)
    return release


@transaction.atomic
def publish_release(
    *, release: Release, by: User, at: datetime, version: int | None = None
) -> Release:
    """Make the edition public; an earlier one of the same document is replaced.

    Public numbers are given here, without gaps; addresses are random and stay.
    """
    release = lock(release, version=version)
    check_transition(release.release, by)
    if canonical_hash(release.content) != release.reviewed_hash:
        raise ActRefused(_("The content is not what was reviewed. Send it back."))
    for earlier in Release.objects.select_for_update().filter(
        document=release.document, status=Release.Status.RELEASED
    ):
        earlier.supersede()
        save(earlier)
    release.release(at=at)
    save(release)
    _publish_items(release, at)
    _record(EventKind.RELEASED, release, by, at)
    transaction.on_commit(lambda: public_set_changed.send_robust(sender=Release, release=release))
    return release


def _publish_items(release: Release, at: datetime) -> None:
    known = {
        str(public.item.uid): public
        for public in PublicItem.objects.select_related("item").filter(
            item__document=release.document
        )
    }
    items = {str(item.uid): item for item in release.document.items.all()}
    number = PublicItem.objects.aggregate(last=Max("number"))["last"] or 0
    for entry in release.content["items"]:
        key = entry["key"]
        data = {name: value for name, value in entry.items() if name != "key"}
        digest = canonical_hash(data)
        public = known.pop(key, None)
        if public is None:
            number += 1
            PublicItem.objects.create(
                item=items[key],
                number=number,
                release=release,
                data=data,
                data_hash=digest,
                first_released_at=at,
                changed_at=at,
            )
            continue
        if public.data_hash != digest or public.withdrawn_at:
            public.changed_at = at
        public.data, public.data_hash = data, digest
        public.release, public.withdrawn_at = release, None
        public.save()
    for public in known.values():
        if public.withdrawn_at is None:
            public.withdrawn_at = at
            public.save(update_fields=["withdrawn_at"])


@transaction.atomic
def withdraw_release(
    *, release: Release, by: User, at: datetime, reason: str, version: int | None = None
) -> Release:
    """Take the current edition from the public at once; its addresses answer 410."""
    release = lock(release, version=version)
    check_transition(release.withdraw, by)
    need_text(reason)
    release.withdraw(at=at)
    save(release)
    release.public_items.filter(withdrawn_at=None).update(withdrawn_at=at)
    _record(EventKind.WITHDRAWN, release, by, at, reason)
    transaction.on_commit(lambda: public_set_changed.send_robust(sender=Release, release=release))
    return release


@transaction.atomic
def withdraw_item(*, public_item: PublicItem, by: User, at: datetime, reason: str) -> PublicItem:
    """Take one item from the public at once."""
    public_item = PublicItem.objects.select_for_update().get(pk=public_item.pk)
    require(permissions.can_withdraw_release(public_item.release, by))
    need_text(reason)
    if public_item.withdrawn_at:
        raise ActRefused(_("This item is already withdrawn."))
    public_item.withdrawn_at = at
    public_item.save(update_fields=["withdrawn_at"])
    item = lock(public_item.item)
    item.openness = SupervisionItem.Openness.WITHHELD
    item.openness_basis = reason[:200]
    save(item)
    record_event(
        EventKind.WITHDRAWN,
        document=public_item.release.document,
        item=public_item.item,
        by=by,
        at=at,
        reason=reason,
    )
    release = public_item.release
    transaction.on_commit(lambda: public_set_changed.send_robust(sender=Release, release=release))
    return public_item
