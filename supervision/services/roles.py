"""Roles as groups: what each may do in Django's and Wagtail's own admin. Repeatable."""

from django.contrib.auth.models import Group, Permission

from supervision.models import Role

# Business acts are decided by supervision.permissions; these are the admin's permissions only.
ADMIN_PERMISSIONS: dict[str, list[str]] = {
    Role.ADMINISTRATOR: [
        "supervision.add_user",
        "supervision.change_user",
        "supervision.view_user",
        "supervision.view_organization",
        "supervision.change_organization",
        "supervision.add_organization",
        "supervision.view_timelimit",
        "supervision.change_timelimit",
        "supervision.view_calendarday",
        "supervision.add_calendarday",
        "supervision.change_calendarday",
        "supervision.view_followertally",
    ],
    Role.AUDITOR: ["supervision.view_event"],
    Role.PUBLISHER: ["wagtailadmin.access_admin"],
    Role.REVIEWER: ["wagtailadmin.access_admin"],
}


def sync_roles() -> dict[str, int]:
    """Create every role's group and set its admin permissions. Returns permissions per role."""
    result = {}
    for role in Role:
        group, _created = Group.objects.get_or_create(name=role.value)
        wanted = []
        for name in ADMIN_PERMISSIONS.get(role, []):
            app_label, codename = name.split(".")
            wanted.append(
                Permission.objects.get(content_type__app_label=app_label, codename=codename)
            )
        group.permissions.set(wanted)
        result[role.value] = len(wanted)
    return result
