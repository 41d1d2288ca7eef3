"""A breakdown table on its way in: the file, what document it is, what its columns mean."""

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from supervision.models import HeadingMapping, Organization
from supervision.spreadsheets.breakdown import EVERY_COUNTY, UNRESOLVED

FIELD_WORDS = {
    "title": pgettext_lazy("sheet", "Work task"),
    "requirement": pgettext_lazy("sheet", "Requirements"),
    "lead": pgettext_lazy("sheet", "Lead body"),
    "support": pgettext_lazy("sheet", "Supporting bodies"),
    "due": pgettext_lazy("sheet", "To be done by"),
    "chapter": pgettext_lazy("sheet", "Chapter"),
    "remarks": pgettext_lazy("sheet", "Remarks"),
}


class BreakdownForm(forms.Form):
    """What cannot be read from the table itself."""

    source = forms.CharField(
        label=_("Where the table comes from"),
        max_length=80,
        help_text=_("What its headings mean is remembered under this name."),
        widget=forms.TextInput(attrs={"list": "known-sources"}),
    )
    doc_number = forms.CharField(label=_("Document number"), max_length=60)
    title = forms.CharField(label=_("Title of the document"), max_length=200)
    issued_date = forms.DateField(
        label=_("Issued on"),
        help_text=_("Its year also stands in for dates written without one."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    @staticmethod
    def sources() -> list[str]:
        return list(HeadingMapping.objects.values_list("source", flat=True)[:100])


class BreakdownUploadForm(BreakdownForm):
    """With the file."""

    file = forms.FileField(
        label=_("Breakdown table"),
        help_text=_("An xlsx file of up to 20 MB and 50,000 rows."),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx"}),
    )
    field_order = ("file", "source", "doc_number", "title", "issued_date")


def mapping_of(data) -> dict[int, str] | None:
    """Column to field as chosen on the page; None on the first look."""
    found = {}
    for name, value in data.items():
        number = name.removeprefix("column-")
        if name.startswith("column-") and number.isdecimal() and value in ("", *FIELD_WORDS):
            found[int(number)] = value
    return found or None


def answers_of(data) -> dict[str, str]:
    """Unknown name to what the person said: a body's identifier, all counties, or left open."""
    known = {str(uid) for uid in Organization.objects.values_list("uid", flat=True)}
    names, chosen = data.getlist("name"), data.getlist("body")
    return {
        name: uid
        for name, uid in zip(names, chosen, strict=False)
        if uid in known or uid in (UNRESOLVED, EVERY_COUNTY)
    }
