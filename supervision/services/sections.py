"""A body's sections: which there are, whose work is whose, and who belongs to which."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import Assignment, EventKind, Organization, Role, Section, User
from supervision.services.acts import ActRefused, lock, record_event, require, save


@transaction.atomic
def save_section(
    *,
    organization: Organization,
    by: User,
    at: datetime,
    name: str,
    contact_name: str = "",
    contact_phone: str = "",
    is_active: bool = True,
    section: Section | None = None,
) -> Section:
    """Add a section to a body or change one. Raises PermissionDenied, ActRefused.

    A section with open work or with people is not closed: they would be nobody's.
    """
    require(permissions.can_spread_work(organization, by))
    name = name.strip()
    if not name:
        raise ActRefused(_("Name the section."))
    others = Section.objects.filter(organization=organization, name=name)
    if section is not None:
        others = others.exclude(pk=section.pk)
    if others.exists():
        raise ActRefused(_("There is a section of this name already."))
    if section is None:
        section = Section(organization=organization, position=organization.sections.count() + 1)
    if not is_active and (
        section.assignments.open().exists() or section.people.filter(is_active=True).exists()
    ):
        raise ActRefused(_("Give its open work and its people to another section first."))
    section.name, section.is_active = name, is_active
    section.contact_name, section.contact_phone = contact_name, contact_phone
    section.save()
    record_event(
        EventKind.SECTIONS_CHANGED,
        organization=organization,
        by=by,
        at=at,
        data={"section": section.name, "is_active": is_active},
    )
    return section


@transaction.atomic
def set_section(
    *, assignment: Assignment, section: Section | None, by: User, at: datetime
) -> Assignment:
    """Give a share to a section of its body, or take it back. Doing it twice is no offence.

    Raises PermissionDenied, ActRefused for a section of another body or a closed one.
    """
    assignment = lock(assignment, "organization")
    require(permissions.can_spread_work(assignment.organization, by))
    if section is not None:
        if section.organization_id != assignment.organization_id:
            raise ActRefused(_("This section belongs to another body."))
        if not section.is_active:
            raise ActRefused(_("This section is no longer in use."))
    new = section.pk if section else None
    if assignment.section_id == new:
        return assignment
    assignment.section_id = new
    save(assignment)
    record_event(
        EventKind.SECTION_SET,
        assignment=assignment,
        by=by,
        at=at,
        data={"section": section.name} if section else {},
    )
    return assignment


@transaction.atomic
def place_person(*, person: User, section: Section | None, by: User, at: datetime) -> User:
    """Confine a liaison to a section, or let him look after the whole body.

    Raises PermissionDenied, ActRefused for somebody of another body or a head.
    """
    person = User.objects.select_for_update().get(pk=person.pk)
    if person.organization is None:
        raise ActRefused(_("This person belongs to no body."))
    require(permissions.can_place_people(person.organization, by))
    if section is not None:
        if section.organization_id != person.organization_id or not section.is_active:
            raise ActRefused(_("Choose a section of this body that is in use."))
        if person.has_role(Role.BODY_HEAD):
            raise ActRefused(_("The head looks after the whole body."))
    new = section.pk if section else None
    if person.section_id == new:
        return person
    person.section_id = new
    person.save(update_fields=["section"])
    record_event(
        EventKind.SECTIONS_CHANGED,
        organization=person.organization,
        by=by,
        at=at,
        data={"person": str(person), "section": section.name if section else ""},
    )
    return person
