"""Keep the search table true: in the transaction of the act, and by a repeatable rebuild."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from supervision.models import (
    Assignment,
    Clause,
    Event,
    EventKind,
    ExtensionRequest,
    Letter,
    Milestone,
    Objection,
    ProgressReport,
    SearchEntry,
    SearchKind,
    SupervisionItem,
)
from supervision.rules.search import FIELD_BREAK, fold, join_fields
from supervision.services.acts import local_date
from supervision.services.reports import TEXT_FIELDS

BATCH = 500
WRITTEN = (
    "kind",
    "item_id",
    "assignment_id",
    "label",
    "subject_date",
    "title",
    "text",
    "title_key",
    "key",
)
FIELDS = tuple(name.removesuffix("_id") for name in WRITTEN)


@dataclass
class Changes:
    """How many rows of the search table were missing, out of date, or without a subject."""

    missing: int = 0
    outdated: int = 0
    surplus: int = 0

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(
            self.missing + other.missing,
            self.outdated + other.outdated,
            self.surplus + other.surplus,
        )

    @property
    def total(self) -> int:
        return self.missing + self.outdated + self.surplus


def _entry(kind: SearchKind, uid: UUID, *, title: str, texts: Iterable[str], **fields):
    text = join_fields(texts)
    title_key = fold(title)
    return SearchEntry(
        kind=kind,
        subject_uid=uid,
        title=title,
        text=text,
        title_key=title_key,
        key=title_key + fold(FIELD_BREAK + text),
        **fields,
    )


def _of_items(rows: QuerySet) -> Iterator[SearchEntry]:
    for row in rows.iterator(BATCH):
        yield _entry(
            SearchKind.ITEM,
            row.uid,
            title=str(row),
            texts=[row.requirement],
            item_id=row.pk,
            subject_date=local_date(row.created_at),
        )


def _of_clauses(rows: QuerySet) -> Iterator[SearchEntry]:
    rows = rows.prefetch_related("items")
    for row in rows.iterator(BATCH):
        items = sorted(
            row.items.all(),
            key=lambda item: (item.status == SupervisionItem.Status.CANCELLED, -item.pk),
        )
        yield _entry(
            SearchKind.CLAUSE,
            row.uid,
            title=str(row),
            texts=[row.theme, row.summary, row.quoted_text],
            item_id=items[0].pk if items else None,
        )


def _of_milestones(rows: QuerySet) -> Iterator[SearchEntry]:
    for row in rows.select_related("assignment").iterator(BATCH):
        yield _entry(
            SearchKind.MILESTONE,
            row.uid,
            title=row.title,
            texts=[row.deliverable, row.evidence_text],
            item_id=row.assignment.item_id,
            assignment_id=row.assignment_id,
        )


def _of_returns(rows: QuerySet) -> Iterator[SearchEntry]:
    """What was handed in: while the body writes again, the version handed in last."""
    rows = rows.select_related("period__assignment").prefetch_related("versions")
    for row in rows.iterator(BATCH):
        texts = [getattr(row, name) for name in TEXT_FIELDS]
        if row.status not in (ProgressReport.Status.SUBMITTED, ProgressReport.Status.APPROVED):
            versions = sorted(row.versions.all(), key=lambda version: version.number)
            if not versions:
                continue
            texts = [versions[-1].content.get(name, "") for name in TEXT_FIELDS]
        assignment = row.period.assignment
        yield _entry(
            SearchKind.RETURN,
            row.uid,
            title="",
            texts=texts,
            item_id=assignment.item_id,
            assignment_id=assignment.pk,
            label=row.period.label,
            subject_date=local_date(row.submitted_at) if row.submitted_at else None,
        )


def _of_extensions(rows: QuerySet) -> Iterator[SearchEntry]:
    """Requests that were filed; one that waits for the body's own head is still a draft."""
    rows = rows.exclude(submitted_at=None).select_related("assignment")
    for row in rows.iterator(BATCH):
        yield _entry(
            SearchKind.EXTENSION,
            row.uid,
            title="",
            texts=[row.reason, row.progress_text, row.office_opinion, row.decision_opinion],
            item_id=row.assignment.item_id,
            assignment_id=row.assignment_id,
            subject_date=local_date(row.submitted_at),
        )


def _of_objections(rows: QuerySet) -> Iterator[SearchEntry]:
    for row in rows.select_related("assignment").iterator(BATCH):
        yield _entry(
            SearchKind.OBJECTION,
            row.uid,
            title="",
            texts=[row.reason, row.opinion],
            item_id=row.assignment.item_id,
            assignment_id=row.assignment_id,
            subject_date=local_date(row.submitted_at),
        )


# A closing report is read by others while the office has it and when it stands.
HANDED_IN = (
    Assignment.Status.UNDER_REVIEW,
    Assignment.Status.APPROVED,
    Assignment.Status.COMPLETED,
)


def _of_closings(rows: QuerySet) -> Iterator[SearchEntry]:
    """Closing reports that were handed in; one sent back is the body's draft again."""
    for row in rows.filter(status__in=HANDED_IN).exclude(closing_text="").iterator(BATCH):
        yield _entry(
            SearchKind.CLOSING,
            row.uid,
            title="",
            texts=[row.closing_text],
            item_id=row.item_id,
            assignment_id=row.pk,
            subject_date=row.submitted_date,
        )


def _of_letters(rows: QuerySet) -> Iterator[SearchEntry]:
    """Letters that left the house, with the reply; the void ones stay to be found."""
    for row in rows.filter(status__in=Letter.SENT_STATES).iterator(BATCH):
        yield _entry(
            SearchKind.LETTER,
            row.uid,
            title=str(row)[:200],
            texts=[
                *(part["text"] for part in row.content.get("paragraphs", ())),
                row.reply_text,
                row.void_reason,
            ],
            item_id=row.item_id,
            assignment_id=row.assignment_id,
            subject_date=local_date(row.issued_at),
        )


SOURCES = {
    SearchKind.ITEM: (SupervisionItem, _of_items),
    SearchKind.CLAUSE: (Clause, _of_clauses),
    SearchKind.MILESTONE: (Milestone, _of_milestones),
    SearchKind.RETURN: (ProgressReport, _of_returns),
    SearchKind.EXTENSION: (ExtensionRequest, _of_extensions),
    SearchKind.OBJECTION: (Objection, _of_objections),
    SearchKind.CLOSING: (Assignment, _of_closings),
    SearchKind.LETTER: (Letter, _of_letters),
}


def _sync(kind: SearchKind, of: Q, within: Q, *, is_dry: bool = False) -> Changes:
    """Make the entries that fit `within` equal to what the rows that fit `of` say."""
    model, build = SOURCES[kind]
    wanted = build(model._default_manager.filter(of).order_by("pk"))
    changes, seen = Changes(), set()
    while batch := {entry.subject_uid: entry for entry in islice(wanted, BATCH)}:
        seen |= batch.keys()
        present = SearchEntry.objects.filter(subject_uid__in=batch.keys()).in_bulk(
            field_name="subject_uid"
        )
        missing, outdated = [], []
        for uid, entry in batch.items():
            old = present.get(uid)
            if old is None:
                missing.append(entry)
            elif any(getattr(old, name) != getattr(entry, name) for name in WRITTEN):
                entry.pk = old.pk
                outdated.append(entry)
        if not is_dry:
            SearchEntry.objects.bulk_create(missing)
            if outdated:
                SearchEntry.objects.bulk_update(outdated, FIELDS)
        changes += Changes(missing=len(missing), outdated=len(outdated))
    surplus = [
        pk
        for pk, uid in SearchEntry.objects.filter(within, kind=kind).values_list(
            "pk", "subject_uid"
        )
        if uid not in seen
    ]
    for start in range(0, len(surplus), BATCH):
        if not is_dry:
            SearchEntry.objects.filter(pk__in=surplus[start : start + BATCH]).delete()
    return changes + Changes(surplus=len(surplus))


@transaction.atomic
def rebuild_search(*, is_dry: bool = False) -> dict[str, Changes]:
    """Compare every entry with its row and put right what differs; with `is_dry` only count.

    Safe to repeat: a second run changes nothing.
    """
    return {str(kind): _sync(kind, Q(), Q(), is_dry=is_dry) for kind in SOURCES}


def _index_item(event: Event) -> None:
    _sync(SearchKind.ITEM, Q(pk=event.item_id), Q(item=event.item_id))
    clause = event.item.clause
    if clause is not None:
        _sync(SearchKind.CLAUSE, Q(pk=clause.pk), Q(subject_uid=clause.uid))


def _index_document(event: Event) -> None:
    of = Q(document=event.document_id)
    _sync(SearchKind.CLAUSE, of, Q(item__document=event.document_id))
    _sync(SearchKind.ITEM, of, Q(item__document=event.document_id))


def _index_milestones(event: Event) -> None:
    of = Q(assignment=event.assignment_id)
    _sync(SearchKind.MILESTONE, of, of)


def _index_return(event: Event) -> None:
    # Neither a return nor what was said in it ever goes away: nothing to look for beyond it.
    _sync(SearchKind.RETURN, Q(period=event.period_id), Q(pk__in=[]))


def _index_extensions(event: Event) -> None:
    of = Q(assignment=event.assignment_id)
    _sync(SearchKind.EXTENSION, of, of)


def _index_objections(event: Event) -> None:
    of = Q(assignment=event.assignment_id)
    _sync(SearchKind.OBJECTION, of, of)


def _index_closing(event: Event) -> None:
    _sync(SearchKind.CLOSING, Q(pk=event.assignment_id), Q(assignment=event.assignment_id))


def _index_letter(event: Event) -> None:
    # An issued letter never goes away, and a draft was never there.
    _sync(SearchKind.LETTER, Q(uid=event.data["letter"]), Q(pk__in=[]))


# Only the events after which other words are there to be found.
HEARD = {
    EventKind.DOCUMENT_LOADED: _index_document,
    EventKind.DOCUMENT_CORRECTED: _index_document,
    EventKind.ITEM_CREATED: _index_item,
    EventKind.ITEM_CHANGED: _index_item,
    EventKind.ITEM_APPROVED: _index_item,
    EventKind.ITEM_CANCELLED: _index_item,
    EventKind.PLAN_FILED: _index_milestones,
    EventKind.MILESTONE_SUBMITTED: _index_milestones,
    EventKind.REPORT_SUBMITTED: _index_return,
    EventKind.EXTENSION_ASKED: _index_extensions,
    EventKind.EXTENSION_ENDORSED: _index_extensions,
    EventKind.EXTENSION_GRANTED: _index_extensions,
    EventKind.EXTENSION_REFUSED: _index_extensions,
    EventKind.OBJECTED: _index_objections,
    EventKind.OBJECTION_REJECTED: _index_objections,
    EventKind.OBJECTION_UPHELD: _index_objections,
    EventKind.SUBMITTED: _index_closing,
    EventKind.SENT_BACK: _index_closing,
    EventKind.CHECK_FAILED: _index_closing,
    EventKind.SUSPENDED: _index_closing,
    EventKind.RESUMED: _index_closing,
    EventKind.CANCELLED: _index_closing,
    EventKind.REOPENED: _index_closing,
    EventKind.LETTER_ISSUED: _index_letter,
    EventKind.LETTER_REPLIED: _index_letter,
    EventKind.LETTER_VOIDED: _index_letter,
}


def hear(sender, *, event: Event, **kwargs) -> None:
    """Receiver of `event_recorded`: part of the act's transaction, under a savepoint of its own.

    A failure undoes nothing of the act; `search_index --check` finds what is missing.
    """
    index = HEARD.get(event.kind)
    if index is None:
        return
    with transaction.atomic():
        index(event)
