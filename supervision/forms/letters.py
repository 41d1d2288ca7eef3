"""Forms of the letters. They clean input and decide nothing."""

from django import forms
from django.utils.translation import gettext_lazy as _

from supervision.forms.office import ActForm
from supervision.models import LetterTemplate

MAX_TEXT = 6000


class CircularForm(forms.Form):
    """The month a circular is drafted for; the choices are the months that are over."""

    period = forms.ChoiceField(label=_("Month"))

    def __init__(self, *args, months=(), **kwargs):
        super().__init__(*args, auto_id="id_circular_%s", **kwargs)
        self.fields["period"].choices = [(month, month) for month in months]


class EditDraftForm(ActForm):
    title = forms.CharField(label=_("Title"), max_length=120)
    body = forms.CharField(
        label=_("Text"),
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text=_("One paragraph a line. What you write here is what is issued."),
    )


class ReplyForm(ActForm):
    text = forms.CharField(
        label=_("Reply"),
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Progress, reasons for the delay, measures, expected day of completion."),
    )


class TemplateForm(forms.ModelForm):
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = LetterTemplate
        fields = (
            "title",
            "body",
            "prefix",
            "issuer_name",
            "line_pitch_points",
            "has_red_head",
            "copies",
            "contact",
        )
        widgets = {"body": forms.Textarea(attrs={"rows": 16})}
        help_texts = {
            "body": _("One paragraph a line; fields in braces, as listed beside the form."),
            "prefix": _("The year and the running number follow it; one prefix for each series."),
            "line_pitch_points": _("28 to 30 points; 29 gives 22 lines a page."),
            "copies": _("Names with commas between them; empty for none."),
        }

    def clean_body(self) -> str:
        """Lines end as they are kept, whatever the browser sends."""
        return "\n".join(line.rstrip() for line in self.cleaned_data["body"].splitlines())

    def _post_clean(self):
        """The service sets the fields and judges the text; the row stays as it is here."""
