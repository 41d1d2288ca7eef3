"""Forms around workbooks: what the ledger shows, the workbook that comes back."""

from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from supervision.models import Assignment, Organization, PolicyDocument
from supervision.overview import LIGHT_ORDER
from supervision.rules.lights import Light
from supervision.rules.saved_views import JOINT
from supervision.spreadsheets.ledger import FLAT_COLUMNS, LIGHT_NAMES, PRINT_COLUMNS
from supervision.spreadsheets.print_sheet import NUMBER
from supervision.together import read_together


class ColumnsField(forms.MultipleChoiceField):
    """Columns of a sheet, in its own order and words; the running number is always there."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, columns, **kwargs):
        choices = [(c.key, c.heading) for c in columns if c.key != NUMBER]
        super().__init__(
            choices=choices,
            error_messages={"required": _("Choose at least one column.")},
            **kwargs,
        )
        self.keys = [key for key, _heading in choices]

    def narrowed(self, chosen) -> list[str]:
        """The chosen keys in the order of the sheet; empty when all are chosen."""
        found = [key for key in self.keys if key in chosen]
        return [] if found == self.keys else found


def ledger_options(user) -> dict[str, QuerySet]:
    """The documents and bodies a ledger can be narrowed to."""
    visible = Assignment.objects.visible_to(user)
    documents = PolicyDocument.objects.visible_to(user).order_by()
    return {
        "document": PolicyDocument.objects.filter(pk__in=documents.values("pk")).order_by(
            "-issued_date", "pk"
        ),
        "body": Organization.objects.filter(
            pk__in=visible.order_by().values("organization")
        ).in_official_order(),
    }


class LedgerForm(forms.Form):
    """Which rows and columns the ledger shows; a body is offered its own rows only.

    A choice that says nothing of columns (`has_columns`) has all of them. `options` are the rows
    of `ledger_options` where a page has read them already.
    """

    document = forms.ModelChoiceField(
        PolicyDocument.objects.none(),
        label=_("Document"),
        required=False,
        empty_label=_("All documents"),
        to_field_name="uid",
    )
    light = forms.ChoiceField(label=pgettext_lazy("ledger", "Light"), required=False)
    body = forms.ModelChoiceField(
        Organization.objects.none(),
        label=_("Body"),
        required=False,
        empty_label=_("All bodies"),
        to_field_name="uid",
    )

    columns = ColumnsField(PRINT_COLUMNS, label=_("Columns of the sheet to print"))
    details = ColumnsField(FLAT_COLUMNS, label=_("Columns of the flat sheet"))
    has_columns = forms.BooleanField(required=False, initial=True, widget=forms.HiddenInput)

    def __init__(self, data=None, *, user, initial=None, options=None, **kwargs):
        if data is not None and "has_columns" not in data:
            data = data.copy()
            for name in ("columns", "details"):
                if not data.getlist(name):
                    data.setlist(name, self.base_fields[name].keys)
        initial = dict(initial or {})
        for name in ("columns", "details"):
            field = self.base_fields[name]
            wanted = initial.get(name, "").split(JOINT)
            initial[name] = [key for key in field.keys if key in wanted] or field.keys
        super().__init__(data, initial=initial, **kwargs)
        querysets = ledger_options(user)
        self.options = options or read_together(**querysets)
        self.fields["light"].choices = [("", _("All lights"))] + [
            (light.value, LIGHT_NAMES[light]) for light in LIGHT_ORDER if light != Light.ORANGE
        ]
        if user.is_body and not user.is_office:
            del self.fields["body"]
        for name, rows in querysets.items():
            if name in self.fields:
                field = self.fields[name]
                field.queryset = rows
                field.widget.choices = [
                    ("", field.empty_label),
                    *((str(row.uid), str(row)) for row in self.options[name]),
                ]

    def chosen(self) -> dict:
        """Document, body and light of the address; what is not known there counts as not said."""
        light = self.initial.get("light", "")
        found = {"light": light if light in dict(self.fields["light"].choices) else ""}
        for name, rows in self.options.items():
            wanted = self.initial.get(name)
            found[name] = next((row for row in rows if str(row.uid) == wanted), None)
        return found

    def narrowed(self, name: str) -> list[str]:
        """The chosen columns of a sheet; empty when it has all of them."""
        return self.fields[name].narrowed(self.cleaned_data[name])

    def query(self) -> str:
        """The choice as the address keeps it."""
        data = self.cleaned_data
        values = {
            "document": data["document"] and data["document"].uid,
            "light": data["light"],
            "body": data.get("body") and data["body"].uid,
        } | {name: JOINT.join(self.narrowed(name)) for name in ("columns", "details")}
        return urlencode({name: value for name, value in values.items() if value})

    def described(self, body: Organization | None) -> str:
        """The filter in words, for the second row of the sheet and for the record."""
        document, light = self.cleaned_data["document"], self.cleaned_data["light"]
        parts = [document and document.doc_number, body and body.short_name]
        parts.append(light and str(LIGHT_NAMES[Light(light)]))
        for name in ("columns", "details"):
            field, keys = self.fields[name], self.narrowed(name)
            if keys:
                headings = [str(heading) for key, heading in field.choices if key in keys]
                parts.append(f"{field.label}：{'、'.join(headings)}")
        return "，".join(part for part in parts if part)


class WorkbookForm(forms.Form):
    """The filled workbook on its way back."""

    file = forms.FileField(
        label=_("Filled workbook"),
        help_text=_("The xlsx file you downloaded here, up to 20 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx"}),
    )
