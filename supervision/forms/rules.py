"""Forms of the office's own rules: the ladder, the limits, the lights."""

from decimal import Decimal

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from supervision.models import EscalationLevel, LightSchemeRow, Role, SupervisionItem, TimeLimit
from supervision.models.settings import DayUnit
from supervision.rules.lights import GapBasis, GapStep, Light, LightScheme
from supervision.rules.limits import Unit

# A section has no account of its own: what is meant for it goes to the liaison.
AUDIENCE = [
    (Role.LIAISON.value, Role.LIAISON.label),
    ("section", _("Section in charge (through the liaison)")),
    *(
        (role.value, role.label)
        for role in (Role.BODY_HEAD, Role.OFFICER, Role.OFFICE_HEAD, Role.LEADER, Role.PRINCIPAL)
    ),
]
PAPERS = (
    ("", _("no paper")),
    ("blue", _("blue sheet")),
    ("yellow", _("yellow sheet")),
    ("red", _("red sheet")),
    ("interview", _("notice of an interview")),
)
WARNING_LIGHTS = (
    (Light.BLUE.value, _("blue")),
    (Light.YELLOW.value, _("yellow")),
    (Light.ORANGE.value, _("orange")),
    (Light.RED.value, _("red")),
)
DAYS = (DayUnit.WORKING_DAY, DayUnit.DAY)
DAY_CHOICES = [(unit.value, unit.label) for unit in DAYS]


def _number(label, *, required=False, low=0, high=365, help_text="") -> forms.IntegerField:
    return forms.IntegerField(
        label=label, required=required, min_value=low, max_value=high, help_text=help_text
    )


class StepForm(forms.Form):
    """One step of the ladder; a row without a name is left out."""

    code = forms.SlugField(required=False, widget=forms.HiddenInput, max_length=40)
    is_active = forms.BooleanField(label=_("In use"), required=False)
    number = _number(_("Level"), high=9)
    name = forms.CharField(label=_("Name"), max_length=40, required=False)
    trigger = forms.ChoiceField(
        label=_("When it is reached"), choices=EscalationLevel.Trigger.choices
    )
    offset_value = _number(_("Days or times"))
    offset_unit = forms.ChoiceField(label=_("Counted in"), choices=DayUnit.choices)
    or_returned = _number(_("Or sent back this often"), low=1, high=99)
    or_yellow_months = _number(_("Or yellow for months running"), low=1, high=99)
    or_red_months = _number(_("Or red for months running"), low=1, high=99)
    applies_from_span_days = _number(_("Only for spans from this many working days"))
    audience = forms.MultipleChoiceField(
        label=_("Who hears of it"),
        required=False,
        choices=AUDIENCE,
        widget=forms.CheckboxSelectMultiple,
    )
    letter_kind = forms.ChoiceField(label=_("Letter sent"), required=False, choices=PAPERS)
    is_automatic = forms.BooleanField(label=_("Leaves by itself"), required=False)

    @property
    def is_left_out(self) -> bool:
        return not self.cleaned_data.get("name")

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("name") and cleaned.get("number") is None:
            self.add_error("number", _("Say at which level this step stands."))
        return cleaned


class BaseStepFormSet(forms.BaseFormSet):
    """The whole ladder; steps keep their code, new ones get one."""

    def steps(self) -> list[EscalationLevel]:
        """The ladder as typed, as rows that are not saved."""
        rows = []
        taken = {form.cleaned_data["code"] for form in self.forms if form.cleaned_data}
        for form in self.forms:
            values = dict(form.cleaned_data)
            if not values or form.is_left_out:
                continue
            if not values["code"]:
                values["code"] = self._new_code(values, taken)
            values["offset_value"] = values["offset_value"] or 0
            values["applies_from_span_days"] = values["applies_from_span_days"] or 0
            rows.append(EscalationLevel(**values))
        return rows

    def _new_code(self, values: dict, taken: set[str]) -> str:
        base = slugify(values["letter_kind"]) or "step"
        number = int(values["number"] or 0)
        code, n = f"{base}-{number}", 1
        while code in taken or EscalationLevel.objects.filter(code=code).exists():
            n += 1
            code = f"{base}-{number}-{n}"
        taken.add(code)
        return code


StepFormSet = forms.formset_factory(StepForm, formset=BaseStepFormSet, extra=1, max_num=30)


class StartForm(forms.Form):
    """At which level urging begins, by urgency."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for value, label in SupervisionItem.Urgency.choices:
            self.fields[value] = _number(label, required=True, low=1, high=4)

    def start_levels(self) -> dict[str, int]:
        """Only what differs from the first level."""
        return {name: number for name, number in self.cleaned_data.items() if number > 1}


class LimitsForm(forms.Form):
    """Every limit with its number and unit, in one form."""

    def __init__(self, rows: list[TimeLimit], data=None):
        super().__init__(data)
        self.rows = rows
        for row in rows:
            self.fields[f"value_{row.pk}"] = forms.IntegerField(
                label=row.name, min_value=0, max_value=999, initial=row.value
            )
            self.fields[f"unit_{row.pk}"] = forms.ChoiceField(
                label=_("Counted in"), choices=DayUnit.choices, initial=row.unit
            )

    def lines(self):
        return [(row, self[f"value_{row.pk}"], self[f"unit_{row.pk}"]) for row in self.rows]

    def values(self) -> dict[int, tuple[int, str]]:
        cleaned = self.cleaned_data
        return {
            row.pk: (cleaned[f"value_{row.pk}"], cleaned[f"unit_{row.pk}"]) for row in self.rows
        }


def _percent(label, **kwargs) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, min_value=0, max_value=100, max_digits=5, decimal_places=1, **kwargs
    )


class SchemeForm(forms.Form):
    """Thresholds of one scheme of lights; an empty number switches its line off."""

    name = forms.CharField(label=_("Name"), max_length=80)
    is_default = forms.BooleanField(
        label=_("The usual scheme: for every item that names none"), required=False
    )
    warn_value = _number(_("Yellow: near its due date from"), required=True)
    warn_unit = forms.ChoiceField(label=_("Counted in"), choices=DAY_CHOICES)
    notice_value = _number(_("Blue: early notice from"), help_text=_("Empty: no early notice."))
    notice_unit = forms.ChoiceField(label=_("Counted in"), choices=DAY_CHOICES)
    notice_min_span = _number(_("Early notice only for spans from"), required=True)
    overdue_light_1 = forms.ChoiceField(label=_("Overdue: from day 1"), choices=WARNING_LIGHTS)
    overdue_day_2 = _number(_("Overdue: from calendar day"), low=2)
    overdue_light_2 = forms.ChoiceField(label=_("Light"), choices=WARNING_LIGHTS)
    overdue_day_3 = _number(_("Overdue: from calendar day"), low=3)
    overdue_light_3 = forms.ChoiceField(label=_("Light"), choices=WARNING_LIGHTS)
    gap_basis = forms.ChoiceField(
        label=_("Behind schedule, measured"),
        choices=[
            (GapBasis.POINTS.value, _("in percentage points")),
            (GapBasis.SHARE.value, _("as a share of what was scheduled")),
        ],
    )
    gap_over_1 = _percent(_("Behind by more than"), required=False)
    gap_light_1 = forms.ChoiceField(label=_("Light"), choices=WARNING_LIGHTS)
    gap_inclusive_1 = forms.BooleanField(label=_("or just that much"), required=False)
    gap_over_2 = _percent(_("Behind by more than"), required=False)
    gap_light_2 = forms.ChoiceField(label=_("Light"), choices=WARNING_LIGHTS)
    gap_inclusive_2 = forms.BooleanField(label=_("or just that much"), required=False)
    ahead_points = _percent(
        _("Blue: ahead by more than"), required=False, help_text=_("Empty: being ahead is green.")
    )
    milestone_light = forms.ChoiceField(label=_("A milestone missed"), choices=WARNING_LIGHTS)
    missed_months_red = _number(
        _("Red: milestones missed for months running"), low=1, high=24, help_text=_("Empty: never.")
    )
    grace_value = _number(_("No recent report: grace after the return day"), required=True)
    grace_unit = forms.ChoiceField(label=_("Counted in"), choices=DAY_CHOICES)

    GROUPS = (
        (_("Name"), ("name", "is_default")),
        (
            _("Before the due date"),
            ("warn_value", "warn_unit", "notice_value", "notice_unit", "notice_min_span"),
        ),
        (
            _("After the due date"),
            ("overdue_light_1", "overdue_day_2", "overdue_light_2", "overdue_day_3",
             "overdue_light_3"),
        ),
        (
            _("Progress"),
            ("gap_basis", "gap_over_1", "gap_inclusive_1", "gap_light_1", "gap_over_2",
             "gap_inclusive_2", "gap_light_2", "ahead_points"),
        ),
        (_("Milestones and reports"),
         ("milestone_light", "missed_months_red", "grace_value", "grace_unit")),
    )  # fmt: skip

    def groups(self):
        return [(title, [self[name] for name in names]) for title, names in self.GROUPS]

    @staticmethod
    def initial_of(row: LightSchemeRow | None, scheme: LightScheme) -> dict:
        """What the form shows for a scheme with up to three steps after the date and two gaps."""
        values = {
            "name": row.name if row else "",
            "is_default": row.is_default if row else False,
        }
        for name in ("warn_value", "notice_value", "notice_min_span", "ahead_points",
                     "missed_months_red", "grace_value"):  # fmt: skip
            values[name] = getattr(scheme, name)
        for name in ("warn_unit", "notice_unit", "gap_basis", "milestone_light", "grace_unit"):
            values[name] = getattr(scheme, name).value
        for n, (day, light) in enumerate(scheme.overdue_steps, start=1):
            values |= {f"overdue_day_{n}": day, f"overdue_light_{n}": light.value}
        for n, step in enumerate(scheme.gap_steps, start=1):
            values |= {
                f"gap_over_{n}": step.over,
                f"gap_light_{n}": step.light.value,
                f"gap_inclusive_{n}": step.is_inclusive,
            }
        return values

    def clean(self):
        cleaned = super().clean()
        second, third = cleaned.get("overdue_day_2"), cleaned.get("overdue_day_3")
        if third is not None and (second is None or third <= second):
            self.add_error("overdue_day_3", _("The steps after the due date must ascend."))
        first, second = cleaned.get("gap_over_1"), cleaned.get("gap_over_2")
        if second is not None and (first is None or second <= first):
            self.add_error("gap_over_2", _("The second gap must be larger than the first."))
        return cleaned

    def scheme(self) -> LightScheme:
        """The scheme as typed. ValueError for steps no scheme can have."""
        values = self.cleaned_data
        overdue = [(1, Light(values["overdue_light_1"]))]
        overdue += [
            (values[f"overdue_day_{n}"], Light(values[f"overdue_light_{n}"]))
            for n in (2, 3)
            if values[f"overdue_day_{n}"] is not None
        ]
        gaps = [
            GapStep(
                _exact(values[f"gap_over_{n}"]),
                Light(values[f"gap_light_{n}"]),
                values[f"gap_inclusive_{n}"],
            )
            for n in (1, 2)
            if values[f"gap_over_{n}"] is not None
        ]
        ahead = values["ahead_points"]
        return LightScheme(
            warn_value=values["warn_value"],
            warn_unit=Unit(values["warn_unit"]),
            notice_value=values["notice_value"],
            notice_unit=Unit(values["notice_unit"]),
            notice_min_span=values["notice_min_span"],
            overdue_steps=tuple(overdue),
            gap_basis=GapBasis(values["gap_basis"]),
            gap_steps=tuple(gaps),
            ahead_points=None if ahead is None else _exact(ahead),
            milestone_light=Light(values["milestone_light"]),
            missed_months_red=values["missed_months_red"],
            grace_value=values["grace_value"],
            grace_unit=Unit(values["grace_unit"]),
        )


def _exact(value: Decimal) -> Decimal | int:
    return int(value) if value == int(value) else value
