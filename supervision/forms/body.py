"""Forms of the bodies' desk and of the shared assignment page. They clean input, no more."""

from decimal import Decimal

from django import forms
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from supervision.models import (
    Assignment,
    Cause,
    Milestone,
    Organization,
    ProgressReport,
    SendBackReason,
    Target,
)
from supervision.services.files import ACCEPT
from supervision.services.milestones import Step
from supervision.services.reports import FIELDS, plain_number

MAX_TEXT = 4000
MAX_REASON = 1000


class SeveralFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class SeveralFilesField(forms.FileField):
    """Any number of files; cleans to a list."""

    widget = SeveralFilesInput

    def __init__(self, **kwargs):
        kwargs.setdefault("required", False)
        kwargs.setdefault("label", _("Evidence files"))
        kwargs.setdefault(
            "help_text",
            _(
                "xlsx, docx, pdf, jpg, png, up to 20 MB each. No state secrets and no internal "
                "working secrets: look through every file before you add it."
            ),
        )
        super().__init__(**kwargs)
        self.widget.attrs["accept"] = ACCEPT

    def clean(self, data, initial=None):
        one = super().clean
        if isinstance(data, (list, tuple)):
            return [one(each, initial) for each in data]
        return [one(data, initial)] if data else []

    def has_changed(self, initial, data):
        return bool(data)


def text_field(label, *, required=True, max_length=MAX_REASON, rows=4, help_text=""):
    return forms.CharField(
        label=label,
        required=required,
        max_length=max_length,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **kwargs):
        super().__init__(format="%Y-%m-%d", **kwargs)


def date_field(label, *, help_text="", **kwargs):
    return forms.DateField(label=label, widget=DateInput(), help_text=help_text, **kwargs)


class ActForm(forms.Form):
    """The form of one act on one row; carries the version of the row it was opened with."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, row=None, user=None, **kwargs):
        self.row, self.user = row, user
        super().__init__(*args, **kwargs)
        self.order_fields([name for name in self.fields if name != "version"] + ["version"])
        if not self.is_bound and row is not None:
            self.initial.setdefault("version", row.version)

    @property
    def values(self) -> dict:
        """What was typed, ready to be passed to a service; files and version apart."""
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name not in ("version", "files")
        }

    def renew_version(self, version: int) -> None:
        """Let what was typed be saved over the row as it is now, once it was shown."""
        self.data = self.data.copy()
        self.data[self.add_prefix("version")] = version


class ReasonForm(ActForm):
    reason = text_field(_("Reason"))


class SendBackForm(ReasonForm):
    """The class is for counting; what to do stands in the text."""

    reason_class = forms.ChoiceField(
        label=_("Class of the reason"), choices=[("", "—"), *SendBackReason.choices]
    )
    field_order = ["reason_class", "reason"]


class OpinionForm(ActForm):
    opinion = text_field(_("Opinion"))


class OptionalOpinionForm(ActForm):
    opinion = text_field(_("Opinion"), required=False)


class FilesForm(ActForm):
    files = SeveralFilesField(required=True)


class ObjectionForm(ActForm):
    reason = text_field(
        _("Reason"), help_text=_("Name the duty or the rule that makes it another body's work.")
    )
    proposed_organization = forms.ModelChoiceField(
        Organization.objects.none(),
        label=_("Body proposed instead"),
        required=False,
        empty_label=_("No proposal"),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["proposed_organization"].queryset = other_bodies(self.row)


class UpholdForm(ActForm):
    organization = forms.ModelChoiceField(Organization.objects.none(), label=_("New body"))
    opinion = text_field(_("Opinion"))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["organization"].queryset = other_bodies(self.row.assignment)
        if self.row.proposed_organization_id:
            self.initial.setdefault("organization", self.row.proposed_organization_id)


def other_bodies(assignment: Assignment):
    """Bodies that could take the work over: those that have no share of the item."""
    taken = assignment.item.assignments.exclude(status=Assignment.Status.CANCELLED)
    return (
        Organization.objects.exclude(kind=Organization.Kind.OFFICE)
        .exclude(pk__in=taken.values("organization_id"))
        .filter(valid_to_date=None)
        .in_official_order()
    )


class ClosingDraftForm(ActForm):
    closing_text = text_field(
        _("Closing report"),
        max_length=MAX_TEXT,
        rows=8,
        help_text=_("What was done, with which result, and what shows it."),
    )
    files = SeveralFilesField()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("closing_text", self.row.closing_text)


class ClosingForm(ClosingDraftForm):
    open_milestones_reason = text_field(
        _("Why milestones are still open"),
        required=False,
        rows=2,
        help_text=_("Only if a milestone is not finished."),
    )
    field_order = ["closing_text", "open_milestones_reason", "files"]


class ExtensionForm(ActForm):
    asked_date = date_field(_("New date asked for"))
    cause = forms.ChoiceField(
        label=_("Cause"),
        choices=lambda: [("", "—")] + [c for c in Cause.choices if c[0]],
    )
    reason = text_field(_("Reason"))
    progress_text = text_field(_("Progress so far"))


class HelpForm(ActForm):
    organization = forms.ModelChoiceField(
        Organization.objects.none(),
        label=_("Body asked"),
        help_text=_("Bodies with a share of this item come first."),
    )
    text = text_field(_("What is asked for"), help_text=_("One matter, as exact as you can."))
    due_date = date_field(_("Needed by"))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        shares = self.row.item.assignments.exclude(status=Assignment.Status.CANCELLED)
        is_party = Exists(shares.filter(organization=OuterRef("pk")))
        self.fields["organization"].queryset = (
            Organization.objects.exclude(kind=Organization.Kind.OFFICE)
            .exclude(pk=self.row.organization_id)
            .filter(valid_to_date=None)
            .annotate(is_party=is_party)
            .order_by("-is_party", "kind_position", "position", "pk")
        )


class AnswerForm(ActForm):
    text = text_field(_("Answer"), help_text=_("What you did, or can do, and by when."))


class DeclineForm(ActForm):
    text = text_field(_("Reason"), rows=3)


class GrantForm(ActForm):
    granted_date = date_field(_("Date granted"))
    opinion = text_field(_("Opinion"), required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("granted_date", self.row.asked_date)


class SuspendForm(ActForm):
    basis = text_field(_("Basis"), max_length=200, rows=2)
    expected_end_date = date_field(_("Expected end"))


class BasisForm(ActForm):
    basis = text_field(_("Basis"))


class ReopenForm(ActForm):
    instruction = text_field(_("New instruction"))
    due_date = date_field(_("New due date"))


class RemindForm(ActForm):
    text = text_field(_("Words to the body"), max_length=500, rows=3)


class MilestoneDoneForm(ActForm):
    actual_date = date_field(_("Done on"))
    evidence_text = text_field(_("What shows it"), rows=3)
    files = SeveralFilesField()


class MilestoneMoveForm(ActForm):
    new_date = date_field(_("New date"))
    reason = text_field(_("Reason"), rows=2)


class SkipForm(ActForm):
    reason = text_field(_("Reason"), max_length=200, rows=2)


class VerifyForm(ActForm):
    verified_percent = forms.IntegerField(
        label=_("Verified (percent)"), min_value=0, max_value=100, required=False
    )
    opinion = text_field(_("Opinion"), required=False, rows=3)


# The plan


class StepForm(forms.Form):
    """One row of a plan. An empty row is no step; a begun one needs a name and a date."""

    title = forms.CharField(label=_("Milestone"), max_length=120, required=False)
    planned_date = date_field(_("Planned for"), required=False)
    weight = forms.IntegerField(
        label=_("Weight"), min_value=1, max_value=100, required=False, initial=1
    )
    deliverable = forms.CharField(label=_("Deliverable"), max_length=200, required=False)

    def __init__(self, *args, due_date=None, **kwargs):
        self.due_date = due_date
        super().__init__(*args, **kwargs)

    @property
    def is_blank(self) -> bool:
        return not any(
            self.cleaned_data.get(name) for name in ("title", "planned_date", "deliverable")
        )

    def clean(self):
        cleaned = super().clean()
        if self.errors or self.is_blank:
            return cleaned
        if not cleaned.get("title"):
            self.add_error("title", _("Name the milestone."))
        planned = cleaned.get("planned_date")
        if planned is None:
            self.add_error("planned_date", _("Give the day it is planned for."))
        elif self.due_date and planned > self.due_date:
            self.add_error(
                "planned_date",
                _("After the due date %(date)s: choose an earlier day.")
                % {"date": self.due_date.isoformat()},
            )
        return cleaned


class BaseSteps(forms.BaseFormSet):
    def clean(self):
        if not any(self.errors) and not self.steps:
            raise forms.ValidationError(_("Plan at least one milestone."))

    @property
    def steps(self) -> list[Step]:
        return [
            Step(
                title=form.cleaned_data["title"],
                planned_date=form.cleaned_data["planned_date"],
                weight=form.cleaned_data.get("weight") or 1,
                deliverable=form.cleaned_data.get("deliverable", ""),
            )
            for form in self.forms
            if not form.is_blank
        ]


Steps = forms.formset_factory(StepForm, formset=BaseSteps, extra=5, max_num=60)


class PlanForm(ActForm):
    """Who is in charge, and the rows of the plan as `steps`."""

    handler_name = forms.CharField(label=_("Person in charge"), max_length=40, required=False)

    def __init__(self, data=None, files=None, **kwargs):
        super().__init__(data, files, **kwargs)
        self.initial.setdefault("handler_name", self.row.handler_name)
        drafts = [
            {
                "title": step.title,
                "planned_date": step.planned_date,
                "weight": step.weight,
                "deliverable": step.deliverable,
            }
            for step in self.row.milestones.all()
            if step.status == Milestone.Status.DRAFT
        ]
        self.steps = Steps(
            data, prefix="steps", initial=drafts, form_kwargs={"due_date": self.row.due_date}
        )

    def is_valid(self) -> bool:
        return all([super().is_valid(), self.steps.is_valid()])

    @property
    def values(self) -> dict:
        return {"handler_name": self.cleaned_data["handler_name"], "steps": self.steps.steps}


# Returns


class ReturnForm(forms.Form):
    """One share's return of a period: texts, estimate, figures with notes, files.

    `figures`: a list of (target, last cumulative value or None).
    """

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    progress_text = text_field(
        _("Progress of this period"), required=False, max_length=MAX_TEXT, rows=5
    )
    self_percent = forms.IntegerField(
        label=_("Own estimate (percent)"), min_value=0, max_value=100, required=False
    )
    cause = forms.ChoiceField(label=_("Cause of delay"), required=False)
    problem_text = text_field(_("Problems"), required=False, max_length=MAX_TEXT, rows=3)
    next_text = text_field(_("Next steps"), required=False, max_length=MAX_TEXT, rows=3)
    coordination_text = text_field(
        _("Matters to coordinate"), required=False, max_length=MAX_TEXT, rows=2
    )
    change_reason = forms.CharField(
        label=_("Why figures moved"),
        required=False,
        max_length=200,
        help_text=_("One line, only when a figure falls or jumps."),
    )
    is_complete = forms.BooleanField(label=_("This return is written"), required=False)
    files = SeveralFilesField()

    def __init__(self, *args, figures=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.targets: list[tuple[Target, Decimal | None]] = list(figures)
        self.fields["cause"].choices = Cause.choices
        for target, last in self.targets:
            name = self.name_of(target)
            self.fields[f"{name}_value"] = forms.DecimalField(
                label=target.name,
                required=False,
                min_value=0,
                max_digits=16,
                decimal_places=4,
                localize=False,
            )
            self.fields[f"{name}_value"].widget.attrs["step"] = "any"
            self.fields[f"{name}_note"] = forms.CharField(
                label=_("Note on the figure"), required=False, max_length=200
            )
            shown = self.initial.get(f"{name}_value", last)
            if shown is not None:
                self.initial[f"{name}_value"] = Decimal(plain_number(shown))

    @staticmethod
    def name_of(target: Target) -> str:
        return f"figure_{target.pk}"

    def figure_rows(self):
        """Each goal with its two fields, its last value and how far it is met."""
        for target, last in self.targets:
            name = self.name_of(target)
            value = self.initial.get(f"{name}_value")
            yield {
                "target": target,
                "last": last,
                "value": self[f"{name}_value"],
                "note": self[f"{name}_note"],
                "rate": completion_rate(value, target),
            }

    @property
    def is_touched(self) -> bool:
        """Whether anything was typed or added; the version alone is no change."""
        return bool(set(self.changed_data) - {"version", "is_complete"})

    @property
    def texts(self) -> dict:
        """What was typed rightly; a field with a mistake in it is left out."""
        return {name: self.cleaned_data[name] for name in FIELDS if name in self.cleaned_data}

    @property
    def figures(self) -> dict:
        """Each goal's value and note, where both were typed rightly."""
        found = {}
        for target, _last in self.targets:
            name = self.name_of(target)
            if f"{name}_value" in self.cleaned_data and f"{name}_note" in self.cleaned_data:
                found[target] = (
                    self.cleaned_data[f"{name}_value"],
                    self.cleaned_data[f"{name}_note"],
                )
        return found

    def renew_version(self, version: int) -> None:
        self.data = self.data.copy()
        self.data[self.add_prefix("version")] = version


def completion_rate(value, target: Target) -> Decimal | None:
    """How far a goal of a definite height is met, in percent; None where that means nothing."""
    if value is None or not target.value or target.comparison not in RATED:
        return None
    return (Decimal(value) / target.value * 100).quantize(Decimal("0.1"))


RATED = (Target.Comparison.AT_LEAST, Target.Comparison.REACH, Target.Comparison.FULL_COVERAGE)


def initial_of(report: ProgressReport) -> dict:
    """What a saved return puts into its form."""
    values = {
        name: getattr(report, name)
        for name in (
            "version",
            "progress_text",
            "self_percent",
            "cause",
            "problem_text",
            "next_text",
            "coordination_text",
            "change_reason",
        )
    }
    values["is_complete"] = report.is_marked_complete
    for figure in report.figures.all():
        name = f"figure_{figure.target_id}"
        values[f"{name}_value"] = figure.value
        values[f"{name}_note"] = figure.note
    return values
