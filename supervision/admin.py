"""Django's admin: reference data and accounts. States are changed by acts on the desk only."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.utils.translation import gettext_lazy as _

from supervision.models import (
    CalendarDay,
    CalendarYear,
    Contact,
    Criterion,
    EscalationLevel,
    Event,
    FollowerTally,
    LightSchemeRow,
    Organization,
    OrganizationAlias,
    ReturnCheck,
    Section,
    TimeLimit,
    User,
)


class KeptAdmin(admin.ModelAdmin):
    """Rows that are corrected but never deleted: other rows rest on them."""

    def has_delete_permission(self, request, obj=None):
        return False


class ReadOnlyAdmin(KeptAdmin):
    """Rows to look at."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False


class AliasInline(admin.TabularInline):
    model = OrganizationAlias
    extra = 0


class ContactInline(admin.TabularInline):
    model = Contact
    extra = 0


@admin.register(Organization)
class OrganizationAdmin(KeptAdmin):
    list_display = ("short_name", "kind", "position", "valid_from_date", "valid_to_date")
    list_filter = ("kind",)
    search_fields = ("short_name", "full_name", "aliases__name")
    ordering = ("kind_position", "position")
    inlines = (AliasInline, ContactInline)


@admin.register(User)
class AccountAdmin(UserAdmin):
    """Accounts are closed, never deleted: what they signed stays signed."""

    list_display = ("username", "display_name", "organization", "is_active")
    list_filter = ("is_active", "groups")
    search_fields = ("username", "display_name", "organization__short_name")
    list_select_related = ("organization",)
    ordering = ("username",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (
            _("Person"),
            {
                "fields": (
                    "display_name",
                    "duty",
                    "organization",
                    "section",
                    "office_phone",
                    "mobile_phone",
                    "email",
                )
            },
        ),
        (_("Duties"), {"fields": ("is_active", "is_staff", "groups")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "display_name", "organization", "password1", "password2"),
            },
        ),
    )
    filter_horizontal = ("groups",)

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(TimeLimit)
class TimeLimitAdmin(KeptAdmin):
    list_display = ("name", "value", "unit", "urgency", "basis")
    readonly_fields = ("code", "urgency")

    def has_add_permission(self, request):
        return False


@admin.register(ReturnCheck)
class ReturnCheckAdmin(KeptAdmin):
    """When a text is pointed out as a copy, and when a number asks for a reason."""

    list_display = ("name", "value")
    readonly_fields = ("code",)

    def has_add_permission(self, request):
        return False


@admin.register(Section)
class SectionAdmin(KeptAdmin):
    list_display = ("name", "organization", "contact_name", "contact_phone", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("organization",)


@admin.register(EscalationLevel)
class EscalationLevelAdmin(KeptAdmin):
    list_display = ("number", "name", "trigger", "offset_value", "offset_unit", "is_active")
    readonly_fields = ("code",)

    def has_add_permission(self, request):
        return False


@admin.register(Criterion)
class CriterionAdmin(KeptAdmin):
    """Points are the office's; what is counted is code."""

    list_display = ("project", "content", "points_each", "most_points", "is_active")
    readonly_fields = ("code", "fact")

    def has_add_permission(self, request):
        return False


@admin.register(LightSchemeRow)
class LightSchemeAdmin(ReadOnlyAdmin):
    list_display = ("name", "is_default")


@admin.register(CalendarDay)
class CalendarDayAdmin(ReadOnlyAdmin):
    """Days come from confirmed notices alone: see the page of the working calendar."""

    list_display = ("date", "is_working", "name", "source")
    list_filter = ("is_working",)
    date_hierarchy = "date"


@admin.register(CalendarYear)
class CalendarYearAdmin(ReadOnlyAdmin):
    list_display = ("year", "source", "loaded_at")


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """What happened is read here and changed nowhere."""

    list_display = ("recorded_at", "kind", "by_name", "item", "organization")
    list_filter = ("kind",)
    list_select_related = ("item", "organization")
    search_fields = ("by_name",)
    date_hierarchy = "recorded_at"


@admin.register(FollowerTally)
class FollowerTallyAdmin(ReadOnlyAdmin):
    """How many mails to followers ended how; there is no page of the addresses."""

    list_display = ("release", "outcome", "number", "last_at")
    list_select_related = ("release__document",)
