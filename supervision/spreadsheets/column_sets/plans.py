"""办理方案 with its second sheet 联络员名单."""

from collections.abc import Iterator

from django.db.models import Q
from django.utils.translation import pgettext_lazy

from supervision.models import Assignment, Milestone, Organization, Role, User
from supervision.spreadsheets.column_sets.scope import Scope, batches_of, day
from supervision.spreadsheets.print_sheet import Column, Row

PLAN = (
    Column("matter", pgettext_lazy("sheet", "Matter in charge"), 30, "top", is_merged=True),
    Column("work", pgettext_lazy("sheet", "Work in detail"), 50, "text", is_long=True),
    Column("date", pgettext_lazy("sheet", "Date of the milestone"), 16, "centre"),
    Column("person", pgettext_lazy("sheet", "Person answering for it"), 16, "centre"),
    Column("body", pgettext_lazy("sheet", "Department in charge"), 20, is_merged=True),
)
LIAISONS = (
    Column("body", pgettext_lazy("sheet", "Body"), 24, is_merged=True),
    Column("name", pgettext_lazy("sheet", "Name"), 16, "centre"),
    Column("duty", pgettext_lazy("sheet", "Duty"), 24),
    Column("role", pgettext_lazy("sheet", "Part in the work"), 20, "centre"),
    Column("phone", pgettext_lazy("sheet", "Office telephone"), 24, "centre"),
)


def plan_rows(scope: Scope) -> Iterator[Row]:
    """The steps of every plan that was filed; dates beside the first ones where they moved."""
    rows = scope.in_order(
        Milestone.objects.visible_to(scope.user)
        .filter(assignment__in=scope.lit_shares())
        .exclude(status=Milestone.Status.CANCELLED)
        .select_related("assignment__item__document", "assignment__organization"),
        "assignment__",
        "planned_date",
        "position",
    )
    for batch in batches_of(rows):
        for step in batch:
            share: Assignment = step.assignment
            words = "\n".join(part for part in (step.title, step.deliverable) if part)
            yield Row(
                {
                    "matter": share.item.title,
                    "work": words,
                    "date": day(step.planned_date),
                    "person": share.handler_name,
                    "body": str(share.organization),
                },
                scope.band_of(share),
            )


def liaison_rows(scope: Scope) -> Iterator[Row]:
    """Who answers the telephone for the bodies of these rows: accounts first, then contacts."""
    bodies = (
        Organization.objects.filter(pk__in=scope.lit_shares().values("organization"))
        .in_official_order()
        .prefetch_related("contacts")
    )
    roles = (Role.LIAISON, Role.BODY_HEAD)
    people: dict[int, list[User]] = {}
    accounts = (
        User.objects.filter(
            Q(groups__name__in=roles), is_active=True, organization__in=bodies.values("pk")
        )
        .distinct()
        .prefetch_related("groups")
        .order_by("pk")
    )
    for user in accounts:
        people.setdefault(user.organization_id, []).append(user)
    labels = dict(Role.choices)
    for body in bodies:
        known = set()
        for user in people.get(body.pk, []):
            names = {group.name for group in user.groups.all()}
            known.add(str(user))
            yield Row(
                {
                    "body": str(body),
                    "name": str(user),
                    "duty": user.duty,
                    "role": "、".join(str(labels[role]) for role in roles if role in names),
                    "phone": user.office_phone,
                }
            )
        for contact in body.contacts.all():
            if contact.name not in known:
                yield Row(
                    {
                        "body": str(body),
                        "name": contact.name,
                        "duty": contact.duty,
                        "phone": contact.office_phone,
                    }
                )
