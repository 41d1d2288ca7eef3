"""Tables of items: 任务分解表 and 督查登记簿."""

from collections.abc import Iterator

from django.db.models import OuterRef, Prefetch, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from supervision.models import Assignment, Party, Responsibility, SupervisionItem
from supervision.spreadsheets.column_sets.scope import Scope, batches_of, day
from supervision.spreadsheets.ledger import BY_BODY
from supervision.spreadsheets.print_sheet import NUMBER, Column, Row

BREAKDOWN = (
    Column(NUMBER, pgettext_lazy("sheet", "No."), 5, "centre"),
    Column("task", pgettext_lazy("sheet", "Work task"), 26),
    Column("requirement", pgettext_lazy("sheet", "Requirements"), 60, "text", is_long=True),
    Column("leader", pgettext_lazy("sheet", "Leading official"), 12, "centre", is_merged=True),
    Column("lead", pgettext_lazy("sheet", "Lead body"), 14, "top", is_merged=True),
    Column("supports", pgettext_lazy("sheet", "Supporting bodies"), 30),
    Column("due", pgettext_lazy("sheet", "To be done by"), 13, "centre"),
    Column("remarks", pgettext_lazy("sheet", "Remarks"), 16, "text"),
)
REGISTER = (
    Column("number", pgettext_lazy("sheet", "Register number"), 18, "centre"),
    Column("content", pgettext_lazy("sheet", "What is supervised"), 50, "text", is_long=True),
    Column("source", pgettext_lazy("sheet", "Source of the task"), 24),
    Column("received", pgettext_lazy("sheet", "Received on"), 13, "centre"),
    Column("bodies", pgettext_lazy("sheet", "Responsible bodies"), 34),
    Column("demand", pgettext_lazy("sheet", "To be answered"), 24),
)


def _items(scope: Scope) -> Iterator[tuple[SupervisionItem, dict]]:
    """The items in order, each with its bodies by responsibility: as given out, else as named."""
    lead = (
        Assignment.objects.filter(item=OuterRef("pk"), role=Responsibility.LEAD)
        .exclude(status=Assignment.Status.CANCELLED)
        .order_by()
    )
    rows = scope.items().select_related("document", "clause", "leader")
    order = ("document__issued_date", "document_id", "position", "pk")
    if scope.order == BY_BODY:
        rows = rows.annotate(
            lead_kind_position=Subquery(lead.values("organization__kind_position")[:1]),
            lead_position=Subquery(lead.values("organization__position")[:1]),
        )
        order = ("lead_kind_position", "lead_position", *order)
    shares = (
        Assignment.objects.visible_to(scope.user)
        .filter(transferred_to=None)
        .select_related("organization")
        .order_by("position", "organization__kind_position", "organization__position", "pk")
    )
    parties = Party.objects.select_related("organization").order_by("position", "pk")
    rows = rows.order_by(*order).prefetch_related(
        Prefetch("assignments", queryset=shares, to_attr="seen_shares"),
        Prefetch("parties", queryset=parties, to_attr="named_parties"),
    )
    for batch in batches_of(rows, 300):
        for item in batch:
            yield item, _bodies(item)


def _bodies(item: SupervisionItem) -> dict[str, list[str]]:
    """Names by responsibility; what a body may not see it still reads in the clause."""
    found: dict[str, list[str]] = {"lead": [], "bureaus": [], "counties": []}
    named = {role: [] for role in Responsibility.values}
    for party in item.named_parties:
        named[party.role].append(party.named_as)
    for share in item.seen_shares:
        place = (
            "lead"
            if share.role == Responsibility.LEAD
            else "counties"
            if share.organization.is_county_level
            else "bureaus"
        )
        found[place].append(str(share.organization))
    found["lead"] = found["lead"] or list(dict.fromkeys(named[Responsibility.LEAD]))
    if not found["bureaus"]:
        found["bureaus"] = list(dict.fromkeys(named[Responsibility.SUPPORT]))
    return found


def _supports(bodies: dict[str, list[str]]) -> str:
    """A line each; counties in one run, for thirteen lines would fill half a page."""
    counties = ["、".join(bodies["counties"])] if bodies["counties"] else []
    return "\n".join(bodies["bureaus"] + counties)


def _band(scope: Scope, item: SupervisionItem, bodies: dict) -> str:
    if scope.order == BY_BODY:
        return "、".join(bodies["lead"]) or _("No lead body")
    return scope.chapter_of(item)


def breakdown_rows(scope: Scope) -> Iterator[Row]:
    for item, bodies in _items(scope):
        moved = item.original_due_date and item.original_due_date != item.due_date
        yield Row(
            {
                "task": item.title,
                "requirement": item.requirement,
                "leader": str(item.leader) if item.leader else "",
                "lead": "\n".join(bodies["lead"]),
                "supports": _supports(bodies),
                "due": _("ongoing") if item.due_date is None else day(item.due_date),
                "remarks": _("first %(date)s") % {"date": day(item.original_due_date)}
                if moved
                else "",
            },
            _band(scope, item, bodies),
        )


def register_rows(scope: Scope) -> Iterator[Row]:
    for item, bodies in _items(scope):
        due = _("ongoing") if item.due_date is None else day(item.due_date)
        yield Row(
            {
                "number": item.number or _("not numbered yet"),
                "content": "\n".join(part for part in (item.title, item.requirement) if part),
                "source": "\n".join(
                    part
                    for part in (item.document.doc_number, item.clause and item.clause.number)
                    if part
                ),
                "received": day(timezone.localdate(item.created_at)),
                "bodies": "\n".join([*bodies["lead"], _supports(bodies)]).strip(),
                "demand": _("Done by %(date)s; returns %(cycle)s")
                % {"date": due, "cycle": item.get_cycle_display()},
            },
            _band(scope, item, bodies),
        )
