"""Which table, which rows, which columns, which paper."""

from typing import Any
from urllib.parse import urlencode

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
from supervision.rules.saved_views import JOINT
from supervision.spreadsheets.column_sets import (
    SHEETS,
    SheetKind,
    column_choices,
    sheets_for,
)
from supervision.spreadsheets.ledger import BY_BODY, BY_CHAPTER, LIGHT_NAMES
from supervision.spreadsheets.print_sheet import PER_CHAPTER, RUNNING

NAMES = ("document", "kind", "state", "body", "leader", "light", "period") + (
    "paper",
    "order",
    "numbering",
)
LABELS_SHOWN = 36


class TableForm(forms.Form):
    """The choice of a table; a body is offered its own rows only.

    The columns offered are those of one table, named by `columns_of`: of another table, or where
    nothing is said of columns, all are meant.
    """

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
    columns = forms.MultipleChoiceField(
        label=pgettext_lazy("sheet", "Columns"), required=False, widget=forms.CheckboxSelectMultiple
    )
    columns_of = forms.CharField(required=False, widget=forms.HiddenInput)
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
        self._offer_columns(user)

    def _offer_columns(self, user) -> None:
        """The columns of the table that was chosen; none before one was."""
        named = self.data.get("columns_of") if self.is_bound else self.initial.get("sheet")
        kind = SHEETS.get(named or "")
        if kind is None or kind not in sheets_for(user):
            del self.fields["columns"]
            return
        self.fields["columns"].choices = column_choices(kind)
        self.initial["columns_of"] = kind.code
        wanted = set(str(self.initial.get("columns") or "").split(JOINT))
        self.initial["columns"] = [
            key
            for _title, columns in column_choices(kind)
            for key, _heading in columns
            if key in wanted or not wanted.intersection(dict(columns))
        ]

    @property
    def column_boxes(self) -> list[tuple[str, list]]:
        """The check boxes, sheet by sheet."""
        boxes = {str(box.data["value"]): box for box in self["columns"]}
        return [
            (title, [boxes[key] for key, _heading in options])
            for title, options in self.fields["columns"].choices
        ]

    @property
    def is_narrowed(self) -> bool:
        """Whether some of the columns shown are not ticked."""
        if "columns" not in self.fields:
            return False
        kind = SHEETS[self["columns_of"].value()]
        return bool(self._chosen_columns(kind, self["columns"].value() or []))

    def _chosen_columns(self, kind: SheetKind, ticked) -> dict[str, Any]:
        """Name and heading of the ticked ones in the order of the table; empty when all are."""
        every = {key: word for _title, columns in column_choices(kind) for key, word in columns}
        found = {key: word for key, word in every.items() if key in ticked}
        return {} if found.keys() == every.keys() else found

    def clean(self):
        cleaned = super().clean()
        kind = SHEETS.get(cleaned.get("sheet", ""))
        if kind is not None and kind.needs_period and not cleaned.get("period"):
            self.add_error("period", _("Say which period the table is to show."))
        if kind is not None and kind.has_contacts and not cleaned.get("reason", "").strip():
            self.add_error("reason", _("Say what the telephone numbers are needed for."))
        if kind is None or cleaned.get("columns_of") != kind.code:
            cleaned["columns"] = []
        elif "columns" in cleaned:
            for title, columns in column_choices(kind):
                if not dict(columns).keys() & set(cleaned["columns"]):
                    self.add_error(
                        "columns",
                        _("Choose at least one column of “%(sheet)s”.") % {"sheet": title},
                    )
        return cleaned

    def parameters(self) -> dict[str, str]:
        """What was chosen, by name, as it is kept with a long export."""
        found = {}
        for name in NAMES:
            value = self.cleaned_data.get(name)
            if value:
                found[name] = str(value.uid) if hasattr(value, "uid") else value
        kind = SHEETS[self.cleaned_data["sheet"]]
        columns = self._chosen_columns(kind, self.cleaned_data["columns"])
        return found | ({"columns": JOINT.join(columns)} if columns else {})

    def query(self) -> str:
        """The choice as typed, for the address; columns of another table are left out."""
        sheet = SHEETS.get(self.data.get("sheet", ""))
        values = {name: self.data.get(name, "") for name in ("sheet", *NAMES)}
        if sheet is not None and self.data.get("columns_of") == sheet.code:
            ticked = self.data.getlist("columns")
            values["columns"] = JOINT.join(self._chosen_columns(sheet, ticked))
        return urlencode({name: value for name, value in values.items() if value})

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
            self._columns_in_words(),
        ]
        return "，".join(part for part in parts if part)

    def _columns_in_words(self) -> str:
        kind = SHEETS[self.cleaned_data["sheet"]]
        chosen = self._chosen_columns(kind, self.cleaned_data["columns"])
        headings = dict.fromkeys(str(heading) for heading in chosen.values())
        return f"{self.fields['columns'].label}：{'、'.join(headings)}" if headings else ""
