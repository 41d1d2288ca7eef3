"""Which table, which rows, which paper."""

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from supervision.models import (
    Assignment,
    Clause,
    Organization,
    PolicyDocument,
    ReportPeriod,
    SupervisionItem,
    User,
)
from supervision.overview import LIGHT_ORDER
from supervision.rules.lights import Light
from supervision.spreadsheets.column_sets import SHEETS, sheets_for
from supervision.spreadsheets.ledger import BY_BODY, BY_CHAPTER, LIGHT_NAMES
from supervision.spreadsheets.print_sheet import PER_CHAPTER, RUNNING

NAMES = ("document", "kind", "state", "body", "leader", "light", "period") + (
    "paper",
    "order",
    "numbering",
)
LABELS_SHOWN = 36


class TableForm(forms.Form):
    """The choice of a table; a body is offered its own rows only."""

    sheet = forms.ChoiceField(label=_("Table"))
    document = forms.ModelChoiceField(
        PolicyDocument.objects.none(),
        label=_("Document"),
        required=False,
        empty_label=_("All documents"),
        to_field_name="uid",
    )
    period = forms.ChoiceField(
        label=_("Period"),
        required=False,
        help_text=_("For the monthly progress return only."),
    )
    kind = forms.ChoiceField(label=_("Chapter"), required=False)
    state = forms.ChoiceField(label=_("State"), required=False)
    body = forms.ModelChoiceField(
        Organization.objects.none(),
        label=_("Body"),
        required=False,
        empty_label=_("All bodies"),
        to_field_name="uid",
    )
    leader = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Leader in charge"),
        required=False,
        empty_label=_("All leaders"),
        to_field_name="uid",
    )
    light = forms.ChoiceField(label=pgettext_lazy("ledger", "Light"), required=False)
    paper = forms.ChoiceField(
        label=pgettext_lazy("sheet", "Paper"),
        required=False,
        choices=[("", _("As usual for the table")), ("a4", _("A4 landscape"))]
        + [("a3", _("A3 landscape"))],
    )
    order = forms.ChoiceField(
        label=_("Order"),
        required=False,
        choices=[
            (BY_CHAPTER, _("By the document's chapters")),
            (BY_BODY, _("By body, in official order")),
        ],
    )
    numbering = forms.ChoiceField(
        label=_("Numbering"),
        required=False,
        choices=[(RUNNING, _("Running through")), (PER_CHAPTER, _("Anew in each chapter"))],
    )
    reason = forms.CharField(
        label=pgettext_lazy("sheet", "What it is needed for"),
        required=False,
        max_length=200,
        help_text=_(
            "Needed for tables with telephone numbers (monthly return, plan of work): it is kept "
            "on record."
        ),
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        visible = Assignment.objects.visible_to(user)
        self.fields["sheet"].choices = [(kind.code, kind.title) for kind in sheets_for(user)]
        self.fields["document"].queryset = PolicyDocument.objects.visible_to(user).order_by(
            "-issued_date", "pk"
        )
        labels = (
            ReportPeriod.objects.visible_to(user)
            .values_list("label", flat=True)
            .distinct()
            .order_by("-label")[:LABELS_SHOWN]
        )
        self.fields["period"].choices = [("", "—")] + [(label, label) for label in labels]
        self.fields["kind"].choices = [("", _("All chapters")), *Clause.Kind.choices]
        status = SupervisionItem.Status
        self.fields["state"].choices = [("", _("All states"))] + [
            (value, label) for value, label in status.choices if value != status.CANCELLED
        ]
        self.fields["light"].choices = [("", _("All lights"))] + [
            (light.value, LIGHT_NAMES[light]) for light in LIGHT_ORDER if light != Light.ORANGE
        ]
        self.fields["body"].queryset = Organization.objects.filter(
            pk__in=visible.values("organization")
        ).in_official_order()
        self.fields["leader"].queryset = (
            User.objects.filter(led_items__in=SupervisionItem.objects.visible_to(user))
            .distinct()
            .order_by("pk")
        )
        if user.is_body and not user.is_office:
            del self.fields["body"]

    def clean(self):
        cleaned = super().clean()
        kind = SHEETS.get(cleaned.get("sheet", ""))
        if kind is not None and kind.needs_period and not cleaned.get("period"):
            self.add_error("period", _("Say which period the table is to show."))
        if kind is not None and kind.has_contacts and not cleaned.get("reason", "").strip():
            self.add_error("reason", _("Say what the telephone numbers are needed for."))
        return cleaned

    def parameters(self) -> dict[str, str]:
        """What was chosen, by name, as it is kept with a long export."""
        found = {}
        for name in NAMES:
            value = self.cleaned_data.get(name)
            if value:
                found[name] = str(value.uid) if hasattr(value, "uid") else value
        return found

    def described(self) -> str:
        """The filter in words, for the second row of the sheet and for the record."""
        data = self.cleaned_data
        light, kind, state = data.get("light"), data.get("kind"), data.get("state")
        document, body, leader = data.get("document"), data.get("body"), data.get("leader")
        parts = [
            document.doc_number if document else "",
            data.get("period"),
            str(Clause.Kind(kind).label) if kind else "",
            str(SupervisionItem.Status(state).label) if state else "",
            body.short_name if body else "",
            str(leader) if leader else "",
            str(LIGHT_NAMES[Light(light)]) if light else "",
        ]
        return "，".join(part for part in parts if part)
