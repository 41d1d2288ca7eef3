"""Bodies, their names, and the people who act for them."""

from datetime import date
from functools import cached_property

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from supervision.models.base import Opaque


class OrganizationQuerySet(models.QuerySet):
    def in_official_order(self):
        return self.order_by("kind_position", "position", "pk")

    def valid_on(self, day: date):
        """Bodies that exist on `day` (local date, both ends included)."""
        return self.filter(
            Q(valid_from_date=None) | Q(valid_from_date__lte=day),
            Q(valid_to_date=None) | Q(valid_to_date__gte=day),
        )

    def standing(self):
        """Bodies without a last day: those new work may go to."""
        return self.filter(valid_to_date=None)

    def named(self, name: str):
        """Bodies of that short, full or other name, gone ones included."""
        return self.filter(
            Q(short_name=name) | Q(full_name=name) | Q(aliases__name=name)
        ).distinct()

    def county_level(self):
        return self.filter(kind__in=[Organization.Kind.COUNTY, Organization.Kind.ZONE])


class Organization(Opaque):
    """A body that is responsible for something: a bureau, a county, a development zone, the office.

    Bodies stand in one official order: the office, bureaus by their list, counties by theirs.
    """

    class Kind(models.TextChoices):
        OFFICE = "office", _("Municipal office")
        BUREAU = "bureau", _("Bureau")
        COUNTY = "county", _("County")
        ZONE = "zone", _("Development zone")

    KIND_POSITIONS = {Kind.OFFICE: 0, Kind.BUREAU: 1, Kind.COUNTY: 2, Kind.ZONE: 3}

    region_code = models.CharField(_("region code"), max_length=12)
    code = models.SlugField(_("code"), max_length=40)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    kind_position = models.PositiveSmallIntegerField(_("order of the kind"), default=1)
    position = models.PositiveSmallIntegerField(_("official order"))
    short_name = models.CharField(_("short name"), max_length=40)
    full_name = models.CharField(_("full name"), max_length=120)
    valid_from_date = models.DateField(_("valid from"), null=True, blank=True)
    valid_to_date = models.DateField(_("valid to"), null=True, blank=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        constraints = [
            models.UniqueConstraint(fields=["region_code", "code"], name="organization_code"),
            models.CheckConstraint(
                condition=Q(valid_from_date=None)
                | Q(valid_to_date=None)
                | Q(valid_to_date__gte=models.F("valid_from_date")),
                name="organization_valid_order",
            ),
        ]

    def __str__(self) -> str:
        return self.short_name

    def has_ended(self, today: date) -> bool:
        return self.valid_to_date is not None and self.valid_to_date < today

    @property
    def is_county_level(self) -> bool:
        return self.kind in (self.Kind.COUNTY, self.Kind.ZONE)


class OrganizationAlias(models.Model):
    """Another name under which a document means this body."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="aliases", verbose_name=_("body")
    )
    region_code = models.CharField(_("region code"), max_length=12)
    name = models.CharField(_("name"), max_length=120)

    class Meta:
        verbose_name = _("alias")
        verbose_name_plural = _("aliases")
        constraints = [
            models.UniqueConstraint(fields=["region_code", "name"], name="alias_name_in_region")
        ]

    def __str__(self) -> str:
        return self.name


class Succession(Opaque):
    """Bodies merged, split or renamed from a day on, on a basis. Never edited.

    The old rows stay with their last day; what ended before stays under the old name.
    """

    from_date = models.DateField(_("from the day"))
    basis = models.CharField(_("basis"), max_length=200)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"))

    class Meta:
        verbose_name = _("change of bodies")
        verbose_name_plural = _("changes of bodies")
        ordering = ["-from_date", "-pk"]

    def __str__(self) -> str:
        return f"{self.from_date} {self.basis}"


class SuccessionLink(models.Model):
    """One old body and one that carries its work on."""

    succession = models.ForeignKey(Succession, on_delete=models.CASCADE, related_name="links")
    old = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="successor_links",
        verbose_name=_("former body"),
    )
    new = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="predecessor_links",
        verbose_name=_("present body"),
    )

    class Meta:
        verbose_name = _("succession")
        verbose_name_plural = _("successions")
        constraints = [models.UniqueConstraint(fields=["old", "new"], name="succession_once")]

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"


class Contact(models.Model):
    """An office contact of a body: name, duty, office phone. No identity numbers anywhere."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="contacts", verbose_name=_("body")
    )
    name = models.CharField(_("name"), max_length=40)
    duty = models.CharField(_("duty"), max_length=60, blank=True)
    office_phone = models.CharField(_("office phone"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="contact_name_in_body")
        ]

    def __str__(self) -> str:
        return self.name


class Section(Opaque):
    """A section (科室) of a body that does part of its work, and whom to ring there.

    Nothing is deleted: a section that is closed keeps the work it did.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="sections", verbose_name=_("body")
    )
    name = models.CharField(_("section"), max_length=40)
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    contact_name = models.CharField(_("contact of the section"), max_length=40, blank=True)
    contact_phone = models.CharField(_("office phone"), max_length=40, blank=True)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("section")
        verbose_name_plural = _("sections")
        ordering = ["organization", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="section_name_in_body")
        ]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """The duties of domain.md, section 2. Each is a group of the same name (`sync_roles`)."""

    OFFICER = "officer", _("Supervision officer")
    OFFICE_HEAD = "office_head", _("Head of the supervision office")
    LEADER = "leader_in_charge", _("Leader in charge")
    PRINCIPAL = "principal", _("Principal leader")
    BODY_HEAD = "body_head", _("Head of a body")
    LIAISON = "liaison", _("Liaison")
    PUBLISHER = "publisher", _("Publisher")
    REVIEWER = "reviewer", _("Release reviewer")
    AUDITOR = "audit_admin", _("Auditor")
    ADMINISTRATOR = "system_admin", _("System administrator")


OFFICE_ROLES = frozenset({Role.OFFICER, Role.OFFICE_HEAD})
BODY_ROLES = frozenset({Role.LIAISON, Role.BODY_HEAD})


MOBILE_NUMBER = RegexValidator(
    r"^1[3-9][0-9]{9}$", _("Write the eleven digits of a mobile number, like 13800000000.")
)


class PeopleManager(UserManager):
    def holding(self, *roles: str, organization_id: int | None = None):
        """Active accounts that hold one of `roles`, of one body when given."""
        people = self.filter(is_active=True, groups__name__in=roles)
        if organization_id is not None:
            people = people.filter(organization_id=organization_id)
        return people.distinct()


class User(Opaque, AbstractUser):
    """A personal account. What it may do follows from its groups (roles) and its body."""

    display_name = models.CharField(_("name"), max_length=40)
    duty = models.CharField(_("duty"), max_length=60, blank=True)
    office_phone = models.CharField(_("office phone"), max_length=40, blank=True)
    mobile_phone = models.CharField(
        _("mobile phone"), max_length=20, blank=True, validators=[MOBILE_NUMBER]
    )
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="people",
        verbose_name=_("body"),
    )
    section = models.ForeignKey(
        Section,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="people",
        verbose_name=_("section"),
        help_text=_("A liaison of a section sees the work of this section only."),
    )

    objects = PeopleManager()

    # The real person, while somebody stands in for this account (set by the middleware).
    deputy: "User | None" = None

    class Meta(AbstractUser.Meta):
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        swappable = "AUTH_USER_MODEL"

    def __str__(self) -> str:
        return self.display_name or self.username

    def get_full_name(self) -> str:
        return str(self)

    @cached_property
    def role_codes(self) -> frozenset[str]:
        """Names of the roles held; one query per request. Superusers gain no role by it."""
        if not self.is_active:
            return frozenset()
        return frozenset(self.groups.values_list("name", flat=True))

    @cached_property
    def body_ids(self) -> tuple[int, ...]:
        """The own body and those whose work it carries on; one query per request."""
        from supervision.models.small_tables import SUCCESSIONS, small_rows

        if self.organization_id is None:
            return ()
        found = [self.organization_id]
        former: dict[int, list[int]] = {}
        for old, new in small_rows(SUCCESSIONS):
            former.setdefault(new, []).append(old)
        for body in found:
            found += [old for old in former.get(body, ()) if old not in found]
        return tuple(found)

    def has_role(self, *roles: str) -> bool:
        return not self.role_codes.isdisjoint(roles)

    @property
    def is_office(self) -> bool:
        return self.has_role(*OFFICE_ROLES)

    @property
    def is_body(self) -> bool:
        return self.organization_id is not None and self.has_role(*BODY_ROLES)

    @property
    def only_section_id(self) -> int | None:
        """The section this person is confined to; None for a head and for a liaison of all."""
        if self.section_id is None or not self.is_body or self.has_role(Role.BODY_HEAD):
            return None
        return self.section_id


class DelegationQuerySet(models.QuerySet):
    def active_on(self, day: date):
        """Delegations in force on `day` (local date, both ends included)."""
        return self.filter(start_date__lte=day, end_date__gte=day, ended_at=None)


class Delegation(Opaque):
    """`deputy` stands in for `user` on these local days, both included (domain.md, section 2).

    It never widens what `user` may see or do, and ends at once when somebody ends it.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="delegations",
        verbose_name=_("stands in for"),
    )
    deputy = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="standing_in",
        verbose_name=_("deputy"),
    )
    start_date = models.DateField(_("first day"))
    end_date = models.DateField(_("last day"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"))
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    ended_at = models.DateTimeField(_("ended at"), null=True)

    objects = DelegationQuerySet.as_manager()

    class Meta:
        verbose_name = _("delegation")
        verbose_name_plural = _("delegations")
        constraints = [
            models.CheckConstraint(
                condition=~Q(user=models.F("deputy")), name="delegation_not_to_oneself"
            ),
            models.CheckConstraint(
                condition=Q(end_date__gte=models.F("start_date")), name="delegation_days_in_order"
            ),
        ]
        indexes = [
            models.Index(
                fields=["user", "end_date"], condition=Q(ended_at=None), name="delegation_in_force"
            )
        ]

    def __str__(self) -> str:
        return f"{self.deputy} → {self.user}"
