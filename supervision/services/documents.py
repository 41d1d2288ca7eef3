"""Load a policy document as data, repeatably; put it under supervision; close it."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from supervision.models import (
    Clause,
    Contact,
    EventKind,
    Organization,
    OrganizationAlias,
    PolicyDocument,
    SupervisionItem,
    Target,
    User,
)
from supervision.rules.policy_file import ClauseData, PolicyFile
from supervision.rules.policy_text import split_clauses
from supervision.services.acts import (
    ActRefused,
    check_transition,
    local_date,
    lock,
    record_event,
    require,
    save,
)
from supervision.services.items import PartyData, create_item, set_parties
from supervision.services.organizations import present_bodies


@dataclass
class LoadResult:
    """What a load did: `created` counts rows by kind, `changes` lists corrections one by one."""

    document: PolicyDocument
    created: dict[str, int] = field(default_factory=dict)
    changes: list[dict[str, str]] = field(default_factory=list)

    @property
    def is_unchanged(self) -> bool:
        return not self.created and not self.changes


class _Loader:
    def __init__(self, policy: PolicyFile, issued_on: date | None, at: datetime) -> None:
        self.policy = policy
        self.at = at
        self.issued_on = issued_on or policy.document.issued_date
        self.result = LoadResult(document=PolicyDocument())

    def moved(self, day: date | None) -> date | None:
        """`day` re-based with the issue date: by whole years when that is what was asked."""
        start = self.policy.document.issued_date
        if day is None or self.issued_on == start:
            return day
        if (self.issued_on.month, self.issued_on.day) == (start.month, start.day):
            year = day.year + self.issued_on.year - start.year
            is_leap_day = (day.month, day.day) == (2, 29)
            return day.replace(year=year, day=28) if is_leap_day else day.replace(year=year)
        return day + (self.issued_on - start)

    def upsert(self, model: type[models.Model], keys: dict, values: dict, what: str) -> Any:
        """Create the row, or change only what differs and note old and new."""
        row = model._default_manager.filter(**keys).first()
        if row is None:
            row = model(**keys, **values)
            row.save()
            self.result.created[what] = self.result.created.get(what, 0) + 1
            return row
        changed = False
        for name, new in values.items():
            old = getattr(row, name)
            if old != new:
                setattr(row, name, new)
                changed = True
                self.result.changes.append(
                    {"what": f"{what} {row}", "field": name, "old": str(old), "new": str(new)}
                )
        if changed:
            row.save()
        return row

    def load(self) -> LoadResult:
        bodies = self.load_organizations()
        document = self.load_document()
        clauses = {data.number: self.load_clause(document, data) for data in self.policy.clauses}
        for data in self.policy.targets:
            self.upsert(
                Target,
                {"document": document, "code": data.code},
                {
                    "clause": clauses.get(data.clause) if data.clause else None,
                    "position": data.position,
                    "group": data.group,
                    "name": data.name,
                    "comparison": data.comparison,
                    "value": data.value,
                    "unit": data.unit,
                    "due_date": self.moved(data.due_date),
                    "scope": data.scope,
                    "definition": data.definition,
                },
                "target",
            )
        for data in self.policy.clauses:
            self.load_item(document, clauses[data.number], data, bodies)
        return self.result

    def load_organizations(self) -> dict[str, Organization]:
        region = self.policy.region.code
        bodies = {}
        # A body that has ended since keeps its last day; its work is the successor's.
        ended = set(
            Organization.objects.filter(region_code=region)
            .exclude(successor_links=None)
            .values_list("code", flat=True)
        )
        for data in self.policy.organizations:
            if data.code in ended:
                former = Organization.objects.get(region_code=region, code=data.code)
                heirs = present_bodies([former], on=local_date(self.at))
                bodies[data.code] = heirs[0] if len(heirs) == 1 else former
                continue
            body = self.upsert(
                Organization,
                {"region_code": region, "code": data.code},
                {
                    "kind": data.kind,
                    "kind_position": Organization.KIND_POSITIONS[data.kind],
                    "position": data.position,
                    "short_name": data.short_name,
                    "full_name": data.full_name,
                    "valid_from_date": data.valid_from,
                    "valid_to_date": data.valid_to,
                },
                "organization",
            )
            bodies[data.code] = body
            for name in dict.fromkeys(data.names):
                self.upsert(
                    OrganizationAlias,
                    {"region_code": region, "name": name},
                    {"organization": body},
                    "alias",
                )
            for contact in data.contacts:
                self.upsert(
                    Contact,
                    {"organization": body, "name": contact.name},
                    {"duty": contact.post, "office_phone": contact.phone},
                    "contact",
                )
        return bodies

    def load_document(self) -> PolicyDocument:
        data = self.policy.document
        document = self.upsert(
            PolicyDocument,
            {"doc_number": data.doc_number},
            {
                "title": data.title,
                "issuing_body": data.issuing_body,
                "region_code": self.policy.region.code,
                "region_name": self.policy.region.name,
                "issued_date": self.issued_on,
                "horizon_date": self.moved(data.horizon_date),
                "shift_days": (self.issued_on - data.issued_date).days,
                "content_hash": self.policy.content_hash,
            },
            "document",
        )
        self.result.document = document
        return document

    def load_clause(self, document: PolicyDocument, data: ClauseData) -> Clause:
        return self.upsert(
            Clause,
            {"document": document, "number": data.number},
            {
                "kind": data.kind,
                "position": data.position,
                "title": data.title,
                "theme": data.theme,
                "summary": data.summary,
            },
            "clause",
        )

    def load_item(self, document, clause, data: ClauseData, bodies) -> None:
        """Draft the clause's item; of an existing one correct the draft, or only note the rest."""
        parties = [
            PartyData(
                organization=bodies.get(party.organization_code),
                named_as=party.name,
                role=party.role,
            )
            for party in data.parties
        ]
        values = {
            "title": data.title,
            "requirement": data.summary,
            "urgency": data.urgency,
            "cycle": data.cycle,
            "is_key": data.is_key,
            "is_ongoing": data.is_ongoing,
            "due_date": self.moved(data.due_date),
        }
        item = SupervisionItem.objects.filter(clause=clause).exclude(status="cancelled").first()
        if item is None:
            create_item(
                document=document,
                by=None,
                at=self.at,
                kind=data.kind,
                clause=clause,
                position=data.position,
                parties=parties,
                **values,
            )
            self.result.created["item"] = self.result.created.get("item", 0) + 1
            return
        if item.status == SupervisionItem.Status.DRAFT:
            self.correct_draft(item, values, parties)
        else:
            self.note_differences(item, values, parties)

    def correct_draft(self, item: SupervisionItem, values: dict, parties: list) -> None:
        loaded_before = item.drafted_by_id is None
        changed = False
        # What an officer has already set on the draft is not taken back by a load.
        for name, new in values.items() if loaded_before else ():
            old = getattr(item, name)
            if old != new:
                setattr(item, name, new)
                changed = True
                self.note(item, name, old, new)
        if changed:
            save(item)
        old_parties = _party_keys(item)
        new_parties = [(p.named_as, p.organization and p.organization.pk, p.role) for p in parties]
        if old_parties != new_parties and loaded_before:
            set_parties(item, parties)
            self.note(item, "parties", _names(old_parties), _names(new_parties))

    def note_differences(self, item: SupervisionItem, values: dict, parties: list) -> None:
        """An item that is initiated or given out keeps its terms; only its title is corrected."""
        if item.title != values["title"]:
            self.note(item, "title", item.title, values["title"])
            item.title = values["title"]
            save(item)

    def note(self, item, name, old, new) -> None:
        self.result.changes.append(
            {
                "what": f"item {item.clause.number}",
                "field": name,
                "old": str(old),
                "new": str(new),
            }
        )


def _party_keys(item: SupervisionItem) -> list[tuple]:
    return list(
        item.parties.order_by("position", "pk").values_list("named_as", "organization_id", "role")
    )


def _names(parties: list[tuple]) -> str:
    return "、".join(dict.fromkeys(name for name, *_rest in parties))


@transaction.atomic
def load_policy(
    *, policy: PolicyFile, at: datetime, by: User | None = None, issued_on: date | None = None
) -> LoadResult:
    """Write a checked policy file: bodies, document, clauses, goals, one draft item per clause.

    Loading twice changes nothing; a corrected file changes only what it corrects, and the event
    names each old and new value. `issued_on` re-bases every date of the plan. Items already given
    out keep their dates and bodies: those change by extension, objection and reopening only.
    """
    if by is not None:
        require(by.is_office)
    result = _Loader(policy, issued_on, at).load()
    if not result.is_unchanged:
        is_new = "document" in result.created
        record_event(
            EventKind.DOCUMENT_LOADED if is_new else EventKind.DOCUMENT_CORRECTED,
            document=result.document,
            by=by,
            at=at,
            data={"created": result.created, "changes": result.changes},
        )
    return result


@transaction.atomic
def import_text(*, document: PolicyDocument, text: str, by: User, at: datetime) -> int:
    """Take the clauses' own words from the document's text, which a user brings. Returns how many.

    Raises PermissionDenied, ActRefused when no clause of the document is found in the text.
    """
    require(by.is_office)
    found = split_clauses(text)
    count = 0
    for clause in document.clauses.all():
        quoted = found.get(clause.number)
        if quoted and quoted != clause.quoted_text:
            clause.quoted_text = quoted
            clause.save(update_fields=["quoted_text"])
            count += 1
    if not any(clause.number in found for clause in document.clauses.all()):
        raise ActRefused(
            _("No clause of this document was found in the text. Is it the right file?")
        )
    if count:
        record_event(
            EventKind.DOCUMENT_CORRECTED,
            document=document,
            by=by,
            at=at,
            data={"quoted_clauses": count},
        )
    return count


@transaction.atomic
def activate_document(*, document: PolicyDocument, by: User, at: datetime) -> PolicyDocument:
    """Put the document under supervision."""
    document = lock(document)
    check_transition(document.activate, by)
    before = document.status
    document.activate()
    save(document)
    record_event(
        EventKind.DOCUMENT_ACTIVATED,
        document=document,
        by=by,
        at=at,
        from_state=before,
        to_state=document.status,
    )
    return document


@transaction.atomic
def close_document(*, document: PolicyDocument, by: User, at: datetime) -> PolicyDocument:
    """End supervision of the document. Raises ActRefused while items are open."""
    document = lock(document)
    check_transition(document.close, by)
    still_open = document.items.open().count()
    if still_open:
        raise ActRefused(
            _("%(count)s items are still open. Close or cancel them first.") % {"count": still_open}
        )
    before = document.status
    document.close()
    save(document)
    record_event(
        EventKind.DOCUMENT_CLOSED,
        document=document,
        by=by,
        at=at,
        from_state=before,
        to_state=document.status,
    )
    return document
