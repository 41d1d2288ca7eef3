"""What an edition is composed of: the allow-listed facts of a document on a day, nothing else."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db.models import Max, Prefetch

from supervision.models import (
    DateChange,
    Milestone,
    PolicyDocument,
    ProgressReport,
    Responsibility,
    SupervisionItem,
)
from supervision.overview import light_up_items
from supervision.rules.public_status import public_status
from supervision.services.acts import local_date


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
        "corrections": [],
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
        "hidden": [],
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


def apply_edits(content: dict, edits: Mapping[str, Mapping[str, str]]) -> None:
    """Put the author's own words for the public in place of what the facts say.

    By the key of an item: `text` replaces its progress text, `hidden_reason` hides the text and
    says why, `correction` says what an earlier edition had wrong. Figures, dates and states are
    never typed. What refers to an item that is no longer in the edition is left out.
    """
    for entry in content["items"]:
        edit: Mapping[str, Any] = edits.get(entry["key"], {})
        if edit.get("hidden_reason"):
            entry["progress_text"] = ""
            entry["hidden"] = [{"field": "progress_text", "reason": edit["hidden_reason"]}]
        elif edit.get("text"):
            entry["progress_text"] = edit["text"]
        if edit.get("correction"):
            content["corrections"].append(
                {"key": entry["key"], "title": entry["title"], "text": edit["correction"]}
            )
