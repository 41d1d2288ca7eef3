"""Forms of the office, the leaders and the publishers. They clean input and decide nothing."""

from django import forms
from django.utils.translation import gettext_lazy as _

from supervision.models import (
    Organization,
    PolicyDocument,
    Responsibility,
    Role,
    SendBackReason,
    SupervisionItem,
    User,
)
from supervision.services.items import EDITABLE_FIELDS


def _text(label, *, required: bool, rows: int = 3, help_text="") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        widget=forms.Textarea(attrs={"rows": rows}),
        help_text=help_text,
        max_length=5000,
    )


def day_field(label, *, required: bool = True, help_text="") -> forms.DateField:
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class ActForm(forms.Form):
    """A form of one act. Several stand on a page, so each has its own ids; posted names stay plain.

    `renew` gives a form that came back the version of the row as it is now: the person has been
    told that it changed and may send the kept text again.
    """

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data=None, *, act: str, row=None, renew: bool = False, **kwargs):
        if renew and data is not None and hasattr(row, "version"):
            data = data.copy()
            data["version"] = row.version
        initial = {"version": getattr(row, "version", None)} | kwargs.pop("initial", {})
        super().__init__(data, auto_id=f"id_{act}_%s", initial=initial, **kwargs)


class PlainForm(ActForm):
    pass


class DispatchForm(ActForm):
    """Which paper tells the bodies; nothing chosen means the notice."""

    NOTICE, NONE = "notice", "none"
    has_notice = forms.ChoiceField(
        label=_("Paper"),
        required=False,
        initial=NOTICE,
        choices=[
            (NOTICE, _("Issue a dispatch notice")),
            (NONE, _("No notice: the document already names bodies and date")),
        ],
    )

    def clean_has_notice(self) -> bool:
        return self.cleaned_data["has_notice"] != self.NONE


class OpinionForm(ActForm):
    opinion = _text(_("Opinion"), required=False)


class ReasonForm(ActForm):
    reason = _text(_("Reason"), required=True)


class SendBackForm(ReasonForm):
    """The class is for counting; what to do stands in the text."""

    reason_class = forms.ChoiceField(
        label=_("Class of the reason"), choices=[("", "—"), *SendBackReason.choices]
    )
    field_order = ["reason_class", "reason"]


class NeededOpinionForm(ActForm):
    opinion = _text(_("Opinion"), required=True)


class BasisForm(ActForm):
    basis = forms.CharField(
        label=_("Basis"),
        max_length=200,
        help_text=_("The instruction or document this rests on."),
    )


class SuspendForm(BasisForm):
    expected_end_date = day_field(_("Expected end"))


class ReopenForm(ActForm):
    instruction = _text(_("New instruction"), required=True)
    due_date = day_field(_("New due date"))


class InstructForm(ActForm):
    instruction = _text(_("Instruction"), required=True)
    due_date = day_field(
        _("New due date"), required=False, help_text=_("Needed only to reopen a closed item.")
    )


class NewInstructionForm(ActForm):
    """An instruction on a matter that has no item yet."""

    title = forms.CharField(label=_("Matter"), max_length=200)
    instruction = _text(_("Instruction"), required=True)
    document = forms.ModelChoiceField(
        label=_("Document"),
        queryset=PolicyDocument.objects.filter(status=PolicyDocument.Status.ACTIVE),
    )
    due_date = day_field(_("Due date"), required=False)


class OpennessForm(ActForm):
    openness = forms.ChoiceField(label=_("Openness"), choices=SupervisionItem.Openness.choices)
    openness_basis = forms.CharField(label=_("Basis"), max_length=200)


class OpennessReviewForm(ActForm):
    outcome = forms.ChoiceField(
        label=_("Outcome"),
        choices=[
            ("", "---------"),
            ("stays", _("Still not public")),
            ("public", _("Propose for release")),
        ],
    )
    reason = _text(_("Reason"), required=True, rows=2)


class VerifyForm(ActForm):
    verified_percent = forms.IntegerField(
        label=_("Progress verified by the office, %"),
        required=False,
        min_value=0,
        max_value=100,
        help_text=_("Leave empty if you take no position on the body's own figure."),
    )
    opinion = _text(_("Opinion"), required=False, rows=2)


class GrantForm(ActForm):
    granted_date = day_field(_("Granted until"))
    opinion = _text(_("Decision"), required=False, rows=2)


class MoveMilestonesForm(ActForm):
    """By how many calendar days the chosen milestones move, and why; one reason for all."""

    days = forms.IntegerField(
        label=_("Move by how many calendar days"),
        min_value=-366,
        max_value=366,
        help_text=_("A negative number moves them forward."),
    )
    reason = _text(_("Reason"), required=True)

    def clean_days(self) -> int:
        if self.cleaned_data["days"] == 0:
            raise forms.ValidationError(_("By zero days nothing moves."))
        return self.cleaned_data["days"]


class UpholdForm(ActForm):
    organization = forms.ModelChoiceField(
        label=_("Give the work to"), queryset=Organization.objects.standing().in_official_order()
    )
    opinion = _text(_("Opinion"), required=True)


class EscalationForm(ActForm):
    level = forms.IntegerField(widget=forms.HiddenInput)
    opinion = _text(_("Opinion"), required=True)


class TextFileForm(ActForm):
    file = forms.FileField(
        label=_("Text of the document"),
        help_text=_("A plain text file, UTF-8 or GB18030, not larger than 2 MB."),
    )

    def clean_file(self):
        found = self.cleaned_data["file"]
        if found.size > 2 * 1024 * 1024:
            raise forms.ValidationError(_("The file is larger than 2 MB."))
        raw = found.read()
        for encoding in ("utf-8-sig", "gb18030"):
            try:
                return raw.decode(encoding)
            except UnicodeDecodeError:
                continue
        raise forms.ValidationError(_("This is no text file that can be read."))


def _item_fields() -> dict[str, forms.Field]:
    fields = forms.fields_for_model(
        SupervisionItem,
        fields=EDITABLE_FIELDS,
        widgets={
            "due_date": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "requirement": forms.Textarea(attrs={"rows": 5}),
        },
    )
    fields["leader"].queryset = User.objects.holding(Role.LEADER).order_by("pk")
    return fields


class ItemForm(forms.Form):
    """The fields of a draft. A new item also names its document and kind."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, data=None, *, item: SupervisionItem | None = None, renew: bool = False, **kwargs
    ):
        initial = {}
        if item is not None:
            initial = {name: getattr(item, name) for name in EDITABLE_FIELDS}
            initial["version"] = item.version
            if renew and data is not None:
                data = data.copy()
                data["version"] = item.version
        super().__init__(data, initial=initial, **kwargs)
        if item is None:
            self.fields["document"] = forms.ModelChoiceField(
                label=_("Document"),
                queryset=PolicyDocument.objects.exclude(status=PolicyDocument.Status.CLOSED),
            )
            self.fields["kind"] = forms.ChoiceField(
                label=_("Kind"), choices=SupervisionItem._meta.get_field("kind").choices
            )
        self.fields.update(_item_fields())

    def clean(self):
        cleaned = super().clean()
        due, ongoing = cleaned.get("due_date"), cleaned.get("is_ongoing")
        if due and ongoing:
            self.add_error("due_date", _("An ongoing item has no due date. Choose one of the two."))
        return cleaned

    def item_values(self) -> dict:
        return {name: self.cleaned_data[name] for name in EDITABLE_FIELDS}


class PartyForm(forms.Form):
    """One body named for an item; a row without a name and a body is left out."""

    named_as = forms.CharField(label=_("As the clause names it"), max_length=60, required=False)
    organization = forms.ModelChoiceField(
        label=_("Body"),
        queryset=Organization.objects.standing().in_official_order(),
        required=False,
    )
    role = forms.ChoiceField(label=_("Responsibility"), choices=Responsibility.choices)
    DELETE = forms.BooleanField(label=_("Remove"), required=False)

    @property
    def is_left_out(self) -> bool:
        cleaned = self.cleaned_data
        return cleaned.get("DELETE") or not (cleaned.get("named_as") or cleaned.get("organization"))


class BasePartyFormSet(forms.BaseFormSet):
    """The bodies of a draft: one lead, nobody twice. The list of bodies is read once."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        bodies = [("", _("Not resolved yet"))] + [
            (body.pk, str(body)) for body in Organization.objects.standing().in_official_order()
        ]
        for form in self.forms:
            form.fields["organization"].choices = bodies

    def clean(self):
        if any(self.errors):
            return
        rows = [form for form in self.forms if not form.is_left_out]
        bodies = [form.cleaned_data["organization"] for form in rows]
        bodies = [body for body in bodies if body is not None]
        twice = {str(body) for body in bodies if bodies.count(body) > 1}
        if twice:
            raise forms.ValidationError(
                _("Named twice: %(names)s. Each body has one share."),
                params={"names": "、".join(sorted(twice))},
            )
        leads = [form for form in rows if form.cleaned_data["role"] == Responsibility.LEAD]
        if len(leads) > 1:
            raise forms.ValidationError(_("Name exactly one lead body."))


PartyFormSet = forms.formset_factory(PartyForm, formset=BasePartyFormSet, extra=3, max_num=200)
