"""Forms of the working calendar."""

from django import forms
from django.utils.translation import gettext_lazy as _

from supervision.forms.office import ActForm, day_field
from supervision.rules.calendar_file import FIRST_YEAR, LAST_YEAR, MAX_BYTES


class NoticeForm(forms.Form):
    """A year to load as a draft: from the installed package, or from a CSV file."""

    year = forms.TypedChoiceField(
        label=_("Year"),
        coerce=int,
        choices=[(year, str(year)) for year in range(LAST_YEAR, FIRST_YEAR - 1, -1)],
    )
    file = forms.FileField(
        label=_("CSV file"),
        required=False,
        help_text=_(
            "Columns date, is_working, name, one day a line: 2026-10-01,0,National Day. 1 is a "
            "make-up working day, 0 a rest day. Without a file the year is taken from the "
            "installed holiday package."
        ),
    )
    title = forms.CharField(label=_("Title of the notice"), required=False, max_length=80)
    doc_number = forms.CharField(label=_("Document number"), required=False, max_length=60)
    published_date = day_field(_("Published on"), required=False)

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file and file.size > MAX_BYTES:
            raise forms.ValidationError(_("The file is too large for the days of one year."))
        return file


class ConfirmForm(ActForm):
    """Carries the digest of the list of moves that was shown."""

    expected = forms.CharField(widget=forms.HiddenInput, required=False, max_length=16)
