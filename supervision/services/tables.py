"""Take in a breakdown table: a policy document with its items in draft, all of it or nothing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import (
    EventKind,
    HeadingMapping,
    Organization,
    PolicyDocument,
    Responsibility,
    User,
)
from supervision.rules.policy_file import (
    ClauseData,
    DocumentData,
    OrganizationData,
    PartyData,
    PolicyFile,
    RegionData,
    Unresolved,
)
from supervision.services.acts import ActRefused, local_date, record_event, require
from supervision.services.documents import LoadResult, load_policy
from supervision.services.files import check_upload
from supervision.spreadsheets.breakdown import (
    EVERY_COUNTY,
    UNRESOLVED,
    TableCheck,
    TableRow,
    names_of_bodies,
)
from supervision.spreadsheets.reader import RawTable, TableUnreadable, read_table

MEASURE_WORDS = ("保障", "措施")


class TableRefused(ActRefused):
    """Nothing was written: the check names what stands in the way."""

    def __init__(self, check: TableCheck) -> None:
        super().__init__(
            _("Nothing was imported: %(count)s cells need attention first.")
            % {"count": len(check.bad) + len(check.missing) + check.open_names}
        )
        self.check = check


def open_table(upload: UploadedFile, sheet: str = "") -> RawTable:
    """Read an uploaded table; the container is checked before anything parses it.

    Raises ActRefused that says what to do.
    """
    checked = check_upload(upload)
    if checked.kind != "xlsx":
        raise ActRefused(_("Save the table as an Excel workbook (xlsx) and upload that."))
    try:
        return read_table(checked.content, sheet)
    except TableUnreadable as error:
        raise ActRefused(
            _("The table is larger than 50,000 rows or 60 columns. Remove what is not needed.")
            if error.code == "too long"
            else _("The workbook cannot be read. Save it anew as xlsx and try again.")
        ) from error


def remembered_headings(source: str) -> dict[str, str]:
    """What the headings of this source meant the last time."""
    row = HeadingMapping.objects.filter(source=source).first()
    return row.headings if row is not None else {}


@transaction.atomic
def import_table(
    *,
    check: TableCheck,
    source: str,
    doc_number: str,
    title: str,
    issued_date: date,
    answers: Mapping[str, str],
    by: User,
    at: datetime,
) -> LoadResult:
    """Draft a document and an item for every row of a checked table; remember its headings.

    Names the person said yes to become aliases; a word for all counties gives each of them its
    share. Raises PermissionDenied, TableRefused, and
    ActRefused when a document already has this number.
    """
    require(permissions.can_import_tables(by))
    if not check.is_acceptable:
        raise TableRefused(check)
    if PolicyDocument.objects.filter(doc_number=doc_number).exists():
        raise ActRefused(
            _("A document with the number %(number)s is already there.") % {"number": doc_number}
        )
    bodies = names_of_bodies()
    given = {str(body.uid): body for body in Organization.objects.filter(uid__in=_uids(answers))}
    for name, uid in answers.items():
        if uid in given:
            bodies[name] = given[uid]
    counties = Organization.objects.county_level().valid_on(local_date(at)).in_official_order()
    collectives = {
        name: list(counties) for name, answer in answers.items() if answer == EVERY_COUNTY
    }
    policy = _policy_of(check, doc_number, title, issued_date, bodies, collectives)
    result = load_policy(policy=policy, by=by, at=at)
    HeadingMapping.objects.update_or_create(
        source=source,
        defaults={
            "headings": {heading.text: heading.field for heading in check.headings},
            "changed_by": by,
            "changed_at": at,
        },
    )
    record_event(
        EventKind.TABLE_IMPORTED,
        document=result.document,
        by=by,
        at=at,
        data={
            "rows": len(check.rows),
            "source": source,
            "aliases": {name: str(given[uid]) for name, uid in answers.items() if uid in given},
        },
    )
    return result


def _uids(answers: Mapping[str, str]) -> list[str]:
    return [uid for uid in answers.values() if uid not in (UNRESOLVED, EVERY_COUNTY)]


def _policy_of(check, doc_number, title, issued_date, bodies, collectives) -> PolicyFile:
    """The table as the data the loader of documents takes."""
    names = {name for row in check.rows for name in (*row.leads, *row.supports)}
    used: dict[int, list[str]] = {}
    rows_of: dict[int, Organization] = {}
    for name in sorted(names):
        if name in bodies:
            used.setdefault(bodies[name].pk, []).append(name)
            rows_of[bodies[name].pk] = bodies[name]
    for name in sorted(names & set(collectives)):
        for body in collectives[name]:
            used.setdefault(body.pk, [])
            rows_of[body.pk] = body
    regions = {body.region_code for body in rows_of.values()}
    any_body = Organization.objects.in_official_order().first()
    region = next(iter(sorted(regions)), any_body.region_code if any_body else "")
    known = PolicyDocument.objects.filter(region_code=region).first()
    days = [row.due_date for row in check.rows if row.due_date]
    office = Organization.objects.filter(kind=Organization.Kind.OFFICE).first()
    return PolicyFile(
        filename="",
        region=RegionData(region, known.region_name if known else ""),
        office_code=office.code if office else "",
        document=DocumentData(
            doc_number=doc_number,
            title=title,
            issuing_body=known.issuing_body if known else "",
            issued_date=issued_date,
            horizon_date=max([*days, issued_date]),
            addressees=(),
        ),
        organizations=tuple(
            _body_data(rows_of[pk], aliases)
            for pk, aliases in used.items()
            if rows_of[pk].region_code == region
        ),
        collectives=(),
        chapters=(),
        clauses=tuple(
            _clause(number, row, bodies, collectives)
            for number, row in enumerate(check.rows, start=1)
        ),
        targets=(),
    )


def _body_data(body: Organization, aliases: Sequence[str]) -> OrganizationData:
    own = (body.short_name, body.full_name)
    return OrganizationData(
        code=body.code,
        kind=body.kind,
        position=body.position,
        short_name=body.short_name,
        full_name=body.full_name,
        aliases=tuple(name for name in aliases if name not in own),
        valid_from=body.valid_from_date,
        valid_to=body.valid_to_date,
        contacts=(),
    )


def _clause(
    number: int,
    row: TableRow,
    bodies: Mapping[str, Organization],
    collectives: Mapping[str, Sequence[Organization]],
) -> ClauseData:
    """The first of several lead bodies leads; the others support it.

    A collective gives a share to every member that is not named by itself. It cannot lead: where
    it stands first, the draft has no lead yet.
    """
    ordered = [(name, Responsibility.LEAD) for name in row.leads[:1]]
    rest = dict.fromkeys([*row.leads[1:], *row.supports])
    lead = bodies.get(row.leads[0])
    for name in rest:
        body = bodies.get(name)
        if body is not None and lead is not None and body.pk == lead.pk:
            continue
        is_county = body is not None and body.is_county_level
        ordered.append((name, Responsibility.COUNTY if is_county else Responsibility.SUPPORT))
    return ClauseData(
        number=str(number),
        chapter="",
        kind="measure" if any(word in row.chapter for word in MEASURE_WORDS) else "task",
        position=number,
        title=row.title,
        theme=row.chapter[:40],
        summary=row.requirement,
        bodies=tuple(name for name, _role in ordered),
        parties=tuple(_parties(ordered, bodies, collectives)),
        due_date=row.due_date,
        is_ongoing=row.is_ongoing,
        is_key=False,
        cycle="monthly",
        urgency="normal",
        figures_without_goal=(),
    )


def _parties(ordered, bodies, collectives) -> Iterator[PartyData]:
    named = {bodies[name].pk for name, _role in ordered if name in bodies}
    for position, (name, role) in enumerate(ordered, start=1):
        if name in collectives:
            for body in collectives[name]:
                if body.pk not in named:
                    named.add(body.pk)
                    yield PartyData(name, body.code, Responsibility.COUNTY, position, True)
            continue
        yield PartyData(
            name=name,
            organization_code=bodies[name].code if name in bodies else None,
            role=role,
            position=position,
            is_unresolved=name not in bodies,
            reason=Unresolved.NONE,
        )
